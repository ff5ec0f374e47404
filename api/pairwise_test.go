package api

import (
	"strings"
	"testing"
)

func pairwiseKey() (key [32]byte) {
	for i := range key {
		key[i] = byte(i)
	}
	return key
}

// OIDC-Core §8.1. The vectors were computed with another program.
func TestPairwiseVectors(t *testing.T) {
	for _, v := range [][3]string{
		{"budgetly.example", "alice", "na3jLTAiO4nSTR0jSt6y-naIafUY"},
		{"payzip.example", "alice", "hdfXUYqRCZMKoI8BNl-ZQPdjNGNZ"},
		{"budgetly.example", "ben", "ki25heK_MI5yiN-VQY-AoaZluw"},
		{"budgetly.example", "01980000-0000-7000-8000-000000000001", "uu6O_dayHLm7aX00f0ufDBtFueJiRwQ6eBVraRYzBT3Z5gv7yMlNlt4wo9pEElfSNKf9vA"},
	} {
		if got := pairwise(pairwiseKey(), v[0], v[1]); got != v[2] {
			t.Errorf("%s at %s is %s; want %s", v[1], v[0], got, v[2])
		}
		if got, ok := unpaired(pairwiseKey(), v[0], v[2]); !ok || got != v[1] {
			t.Errorf("%s leads back to %q, %v", v[2], got, ok)
		}
	}
}

// A name leads back only where it was made.
func TestWhatLeadsBackToNobody(t *testing.T) {
	const alice = "na3jLTAiO4nSTR0jSt6y-naIafUY"
	for name, sub := range map[string]string{
		"a name of another sector": "hdfXUYqRCZMKoI8BNl-ZQPdjNGNZ",
		"a changed name":           "oa3jLTAiO4nSTR0jSt6y-naIafUY",
		"a changed end":            "na3jLTAiO4nSTR0jSt6y-naIafUZ",
		"a longer name":            alice + "AA",
		"a local id":               "alice",
		"a tag alone":              alice[:22],
		"nothing":                  "",
		"padding":                  alice + "=",
		"a line break":             alice[:8] + "\n" + alice[8:],
		"too much":                 strings.Repeat(alice, 100),
	} {
		if got, ok := unpaired(pairwiseKey(), "budgetly.example", sub); ok {
			t.Errorf("%s leads back to %q", name, got)
		}
	}
	other := pairwiseKey()
	other[31]++
	if _, ok := unpaired(other, "budgetly.example", alice); ok {
		t.Error("a name leads back under another key")
	}
}

// Nothing but what was made leads back, and that to one spelling.
func FuzzUnpaired(f *testing.F) {
	f.Add("na3jLTAiO4nSTR0jSt6y-naIafUY")
	f.Add("alice")
	f.Fuzz(func(t *testing.T, sub string) {
		subject, ok := unpaired(pairwiseKey(), "budgetly.example", sub)
		if ok && pairwise(pairwiseKey(), "budgetly.example", subject) != sub {
			t.Fatalf("%q and another name lead to %q", sub, subject)
		}
	})
}
