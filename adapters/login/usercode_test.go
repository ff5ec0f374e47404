package login

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

func testUserCodes(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	must(t, s.SetUserCode(ctx, "c-1", "4711"))
	must(t, s.SetUserCode(ctx, "c-2", strings.Repeat("7", 64)))
	must(t, s.SetUserCode(ctx, "c-3", "caffè"))
	must(t, s.SetUserCode(ctx, "c-4", "4712"))
	must(t, s.SetUserCode(ctx, "c-4", ""))
	tests := []struct {
		name, subject, code string
		want                error
	}{
		{"the right code", "c-1", "4711", nil},
		{"the longest code", "c-2", strings.Repeat("7", 64), nil},
		{"how a keyboard composes letters does not count", "c-3", "caffe\u0300", nil},
		{"another code", "c-1", "4712", ErrWrongUserCode},
		{"the code of somebody else", "c-1", strings.Repeat("7", 64), ErrWrongUserCode},
		{"a longer one", "c-2", strings.Repeat("7", 65), ErrWrongUserCode},
		{"an empty one", "c-1", "", ErrWrongUserCode},
		{"a code that was taken away", "c-4", "4712", ErrNoUserCode},
		{"somebody without a code", "c-9", "4711", ErrNoUserCode},
		{"what cannot be somebody", "c\x00", "4711", ErrNoUserCode},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := s.CheckUserCode(ctx, tt.subject, tt.code, noon); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	for subject, want := range map[string]bool{"c-1": true, "c-4": false, "c-9": false} {
		if has, err := s.HasUserCode(ctx, subject); has != want || err != nil {
			t.Errorf("%s has one: %v, %v", subject, has, err)
		}
	}
}

func testBadUserCodes(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	for _, code := range []string{"123", strings.Repeat("7", 65), "47\n11", "47\xff1"} {
		if err := s.SetUserCode(ctx, "c-1", code); !errors.Is(err, ErrBadUserCode) {
			t.Errorf("%q: %v", code, err)
		}
	}
	if err := s.SetUserCode(ctx, "", "4711"); err == nil {
		t.Error("a code of nobody")
	}
}

// Five wrong codes lock the right one too, for longer after each further one,
// and the customer's own guesses count like anybody's.
func testUserCodesLock(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	must(t, s.SetUserCode(ctx, "c-1", "4711"))
	must(t, s.SetUserCode(ctx, "c-2", "4711"))
	check := func(at time.Duration, code string, want error) {
		t.Helper()
		if err := s.CheckUserCode(ctx, "c-1", code, noon.Add(at)); !errors.Is(err, want) {
			t.Errorf("after %s: got %v, want %v", at, err, want)
		}
	}
	for range 4 {
		check(0, "0000", ErrWrongUserCode)
	}
	check(0, "4711", nil) // which forgives
	for range 5 {
		check(time.Minute, "0000", ErrWrongUserCode)
	}
	check(time.Minute, "4711", ErrWrongUserCode)
	check(6*time.Minute-1, "4711", ErrWrongUserCode)
	must(t, s.CheckUserCode(ctx, "c-2", "4711", noon.Add(time.Minute)))
	check(6*time.Minute, "0000", ErrWrongUserCode)
	check(16*time.Minute-1, "4711", ErrWrongUserCode) // twice as long
	check(16*time.Minute, "4711", nil)
	for range 5 {
		check(17*time.Minute, "0000", ErrWrongUserCode)
	}
	must(t, s.SetUserCode(ctx, "c-1", "9999"))
	check(17*time.Minute, "9999", nil)
}

func testParallelCodesCount(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	must(t, s.SetUserCode(ctx, "c-1", "4711"))
	var guesses sync.WaitGroup
	var refused atomic.Int32
	for range 20 {
		guesses.Go(func() {
			if errors.Is(s.CheckUserCode(ctx, "c-1", "0000", noon), ErrWrongUserCode) {
				refused.Add(1)
			}
		})
	}
	guesses.Wait()
	if err := s.CheckUserCode(ctx, "c-1", "4711", noon); refused.Load() != 20 || !errors.Is(err, ErrWrongUserCode) {
		t.Errorf("%d refused; then %v", refused.Load(), err)
	}
}

func testErasedUserCodes(t *testing.T, e engine) {
	s, keys := newStore(t, e)
	must(t, s.SetUserCode(ctx, "c-1", "4711"))
	must(t, s.SetUserCode(ctx, "c-2", "4711"))
	keys.erase("c-1")
	if err := s.CheckUserCode(ctx, "c-1", "4711", noon); !errors.Is(err, ErrNoUserCode) {
		t.Errorf("after the end of the key: %v", err)
	}
	must(t, s.Erase(ctx, "c-1"))
	if has, err := s.HasUserCode(ctx, "c-1"); has || err != nil {
		t.Errorf("it is still there: %v, %v", has, err)
	}
	if err := s.SetUserCode(ctx, "c-1", "4712"); !errors.Is(err, eventstore.ErrErased) {
		t.Errorf("a new one: %v", err)
	}
	must(t, s.CheckUserCode(ctx, "c-2", "4711", noon))
}

// What is stored tells nothing, and is good for nobody else.
func testStoredUserCodes(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	must(t, s.SetUserCode(ctx, "c-1", "4711-4711"))
	must(t, s.SetUserCode(ctx, "c-2", "0815-0815"))
	var hash []byte
	must(t, s.db.QueryRow(ctx, "SELECT hash FROM user_codes WHERE subject = 'c-1'").Scan(&hash))
	if bytes.Contains(hash, []byte("4711")) || bytes.Contains(hash, []byte("argon2id")) {
		t.Error("the hash is not sealed")
	}
	_, err := s.db.Exec(ctx, "UPDATE user_codes SET hash = ? WHERE subject = 'c-2'", hash)
	must(t, err)
	if err := s.CheckUserCode(ctx, "c-2", "4711-4711", noon); !errors.Is(err, errTampered) {
		t.Errorf("a hash that was moved: %v", err)
	}
}
