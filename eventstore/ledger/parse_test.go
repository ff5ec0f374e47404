package ledger_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/google/uuid"
)

func recordVectors(t testing.TB) (all [][]byte) {
	t.Helper()
	file, err := os.ReadFile("testdata/records.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(file) {
		var v vector
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		record, err := hex.DecodeString(v.Record)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, record)
	}
	return all
}

func TestParseRecord(t *testing.T) {
	for _, record := range recordVectors(t) {
		log, e, err := ledger.ParseRecord(record)
		if err != nil {
			t.Fatal(err)
		}
		if again := ledger.Record(log, e); !bytes.Equal(again, record) {
			t.Errorf("read and written again it is %x, not %x", again, record)
		}
	}
	good := recordVectors(t)[0]
	for _, tt := range []struct {
		name   string
		record []byte
	}{
		{"nothing", nil},
		{"cut short", good[:len(good)-1]},
		{"a byte too many", append(bytes.Clone(good), 0)},
		{"a field too many", append(bytes.Clone(good), 0, 0, 0, 0)},
		{"a field too few", good[:5]},
		{"another format", append([]byte{0, 0, 0, 1, 2}, good[5:]...)},
		{"a length beyond the end", []byte{0xff, 0xff, 0xff, 0xff, 1}},
		{"a log id of another length", append([]byte{0, 0, 0, 1, 1, 0, 0, 0, 15}, good[10:]...)},
	} {
		if _, _, err := ledger.ParseRecord(tt.record); err == nil {
			t.Errorf("%s is taken for a record", tt.name)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	for _, record := range recordVectors(f) {
		f.Add(record)
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		log, e, err := ledger.ParseRecord(record)
		if err == nil && !bytes.Equal(ledger.Record(log, e), record) {
			t.Error("a record that is written in another way")
		}
	})
}

func TestParseVerifierKey(t *testing.T) {
	id, public := uuid.New(), ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	good, err := ledger.VerifierKey(id, 3, public)
	if err != nil {
		t.Fatal(err)
	}
	log, key, err := ledger.ParseVerifierKey(good + "\n")
	if err != nil || log != id || !key.Equal(public) {
		t.Fatalf("got %v, %x, %v", log, key, err)
	}
	for _, tt := range []struct{ name, text string }{
		{"nothing", ""},
		{"a key of something else", strings.Replace(good, "chirograph/", "other/", 1)},
		{"another epoch than the hash is of", strings.Replace(good, "/3+", "/4+", 1)},
		{"no epoch", strings.Replace(good, "/3+", "+", 1)},
		{"a key that is cut short", good[:len(good)-4]},
		{"another key than the hash is of", good[:len(good)-8] + "AAAAAAAA"},
	} {
		if _, _, err := ledger.ParseVerifierKey(tt.text); err == nil {
			t.Errorf("%s is taken for a verifier key", tt.name)
		}
	}
}
