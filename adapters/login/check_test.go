package login

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/chirograph/chirograph/eventstore"
)

const (
	home  = "192.0.2.1"
	other = "198.51.100.1"
)

func testCheck(t *testing.T, e engine) {
	s, keys := newStore(t, e)
	long := strings.Repeat("x", 256)
	must(t, s.SetPassword(ctx, "fapi2", "c-1", "Alice", "open sesame"))
	must(t, s.SetPassword(ctx, "fapi2", "c-2", "Ben", long))
	must(t, s.SetPassword(ctx, "other", "c-3", "alice", "another one"))
	must(t, s.SetPassword(ctx, "fapi2", "c-4", "zoë", "caffè latte"))
	must(t, s.SetPassword(ctx, "fapi2", "c-5", "chidi", "before erasure"))
	keys.erase("c-5")

	tests := []struct {
		name                  string
		realm, user, password string
		subject               string
		err                   error
	}{
		{"name and password are right", "fapi2", "alice", "open sesame", "c-1", nil},
		{"the case of a name does not count", "fapi2", "ALICE", "open sesame", "c-1", nil},
		{"the case of a password does", "fapi2", "alice", "Open sesame", "", ErrWrong},
		{"each realm has its own names", "other", "alice", "another one", "c-3", nil},
		{"and its own passwords", "other", "alice", "open sesame", "", ErrWrong},
		{"a password may have 256 bytes", "fapi2", "ben", long, "c-2", nil},
		{"not more, even if the rest is right", "fapi2", "ben", long + "x", "", ErrWrong},
		{"an empty password is wrong", "fapi2", "alice", "", "", ErrWrong},
		{"an unknown name is wrong", "fapi2", "mallory", "open sesame", "", ErrWrong},
		{"so is what cannot be a name", "fapi2", "ali\x00ce", "open sesame", "", ErrWrong},
		{"how a keyboard composes letters does not count", "fapi2", "zoe\u0308", "caffe\u0300 latte", "c-4", nil},
		{"an erased customer is unknown", "fapi2", "chidi", "before erasure", "", ErrWrong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s.Check(ctx, tt.realm, tt.user, tt.password, home, noon)
			if got != tt.subject || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v; want %q, %v", got, err, tt.subject, tt.err)
			}
		})
	}
	for _, secret := range []string{"alice", "Alice", "sesame", "$argon2id$", home} {
		if bytes.Contains(rows(t, s), []byte(secret)) {
			t.Errorf("%s lies open", secret)
		}
	}
}

// A customer who is signed in proves it once more, with the delays of a sign-in.
func testCheckSubject(t *testing.T, e engine) {
	s, keys := newStore(t, e)
	must(t, s.SetPassword(ctx, "fapi2", "c-1", "alice", "open sesame"))
	must(t, s.SetPassword(ctx, "fapi2", "c-2", "ben", "another one"))
	must(t, s.SetPassword(ctx, "fapi2", "c-5", "chidi", "before erasure"))
	keys.erase("c-5")
	tests := []struct {
		name                     string
		realm, subject, password string
		err                      error
	}{
		{"the password is right", "fapi2", "c-1", "open sesame", nil},
		{"that of somebody else is wrong", "fapi2", "c-1", "another one", ErrWrong},
		{"an empty one is wrong", "fapi2", "c-1", "", ErrWrong},
		{"so is one that is too long", "fapi2", "c-1", strings.Repeat("x", 257), ErrWrong},
		{"so is any of who has none", "fapi2", "c-9", "open sesame", ErrWrong},
		{"or none in the realm", "other", "c-1", "open sesame", ErrWrong},
		{"or was erased", "fapi2", "c-5", "before erasure", ErrWrong},
		{"or cannot be", "fapi2", "c\x00", "open sesame", ErrWrong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := s.CheckSubject(ctx, tt.realm, tt.subject, tt.password, home, noon); !errors.Is(err, tt.err) {
				t.Errorf("got %v, want %v", err, tt.err)
			}
		})
	}
	for range 3 {
		s.CheckSubject(ctx, "fapi2", "c-2", "a guess", home, noon)
	}
	var delay *DelayError
	if err := s.CheckSubject(ctx, "fapi2", "c-2", "another one", other, noon); !errors.As(err, &delay) {
		t.Errorf("after three guesses: %v", err)
	}
	if _, err := s.Check(ctx, "fapi2", "ben", "another one", other, noon); !errors.As(err, &delay) {
		t.Errorf("and at sign-in: %v", err)
	}
}

func testSetPassword(t *testing.T, e engine) {
	s, keys := newStore(t, e)
	must(t, s.SetPassword(ctx, "fapi2", "c-1", "alice", "open sesame"))
	keys.erase("c-9")
	tests := []struct {
		name                    string
		subject, user, password string
		err                     error
	}{
		{"not somebody else's name", "c-2", "ALICE", "open sesame", ErrNameTaken},
		{"not fewer than 8 characters", "c-2", "ben", "èèèèèèè", ErrBadPassword},
		{"8 are enough", "c-2", "ben", "12345678", nil},
		{"not more than 256 bytes", "c-2", "ben", strings.Repeat("x", 257), ErrBadPassword},
		{"not for nobody", "", "ben", "open sesame", errIdentifier},
		{"not for whom no text names", "c\xff", "ben", "open sesame", errIdentifier},
		{"nor one with a NUL", "c\x00", "ben", "open sesame", errIdentifier},
		{"not without a name", "c-2", " ", "open sesame", ErrBadName},
		{"not for an erased customer", "c-9", "mallory", "open sesame", eventstore.ErrErased},
		{"a password replaces the one before", "c-1", "alice", "close sesame", nil},
		{"a name too", "c-1", "alicia", "close sesame", nil},
		{"and the old name is free", "c-3", "alice", "third sesame", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := s.SetPassword(ctx, "fapi2", tt.subject, tt.user, tt.password); !errors.Is(err, tt.err) {
				t.Errorf("got %v, want %v", err, tt.err)
			}
		})
	}
	for user, want := range map[string]string{"alicia": "c-1", "alice": "c-3", "ben": "c-2"} {
		if got, err := s.Subject(ctx, "fapi2", user); got != want || err != nil {
			t.Errorf("%s is %q (%v), want %s", user, got, err, want)
		}
	}
	if _, err := s.Subject(ctx, "fapi2", "nobody"); !errors.Is(err, ErrWrong) {
		t.Errorf("an unknown name: %v", err)
	}
	if _, err := s.Check(ctx, "fapi2", "alicia", "open sesame", home, noon); !errors.Is(err, ErrWrong) {
		t.Errorf("the old password: %v", err)
	}
}

// An unknown name costs one comparison with a hash of the same parameters.
func testUnknownNamesCostAsMuch(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	must(t, s.SetPassword(ctx, "fapi2", "c-1", "alice", "open sesame"))
	_, known, err := s.credential(ctx, "fapi2", s.keyed("name", "fapi2", "alice"))
	must(t, err)
	_, unknown, err := s.credential(ctx, "fapi2", s.keyed("name", "fapi2", "mallory"))
	must(t, err)
	a, _, _, err := argon2id.DecodeHash(known)
	must(t, err)
	b, _, _, err := argon2id.DecodeHash(unknown)
	must(t, err)
	if *a != *b {
		t.Errorf("%+v and %+v", a, b)
	}
}

func testAtMostTwoHashesAtOnce(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	for range 3 {
		s.Check(ctx, "fapi2", "ben", "guess", home, noon)
	}
	must(t, s.turn(ctx))
	must(t, s.turn(ctx))
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Check(gone, "fapi2", "alice", "open sesame", home, noon); !errors.Is(err, context.Canceled) {
		t.Errorf("a third check: %v", err)
	}
	if _, err := s.Check(gone, "fapi2", "alice", strings.Repeat("x", 257), home, noon); !errors.Is(err, ErrWrong) {
		t.Errorf("a password too long to be hashed: %v", err)
	}
	waits, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var delay *DelayError
	if _, err := s.Check(waits, "fapi2", "ben", "guess", home, noon); !errors.As(err, &delay) {
		t.Errorf("a name that is slowed down waits for a turn: %v", err)
	}
	if err := s.SetPassword(gone, "fapi2", "c-1", "alice", "open sesame"); !errors.Is(err, context.Canceled) {
		t.Errorf("a third hash: %v", err)
	}
	s.done()
	if _, err := s.Check(ctx, "fapi2", "alice", "open sesame", home, noon); !errors.Is(err, ErrWrong) {
		t.Errorf("after one is done: %v", err)
	}
}

// Guesses sent at once do not slip past the delay together.
func testParallelGuessesCount(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	must(t, s.SetPassword(ctx, "fapi2", "c-1", "alice", "open sesame"))
	var looked atomic.Int32
	var racers sync.WaitGroup
	for range 32 {
		racers.Go(func() {
			var delay *DelayError
			if _, err := s.Check(ctx, "fapi2", "alice", "a guess", home, noon); !errors.As(err, &delay) {
				looked.Add(1)
			}
		})
	}
	racers.Wait()
	if looked.Load() != 3 {
		t.Errorf("%d guesses were looked at, want 3", looked.Load())
	}
}

func testStoredHashesAreBoundToTheirSubject(t *testing.T, e engine) {
	for _, damage := range []string{
		`UPDATE credentials SET subject = 'c-2'`,
		`UPDATE credentials SET hash = substr(hash, 1, 1)`,
		`UPDATE credentials SET hash = substr(hash, 1, length(hash) - 1)`,
	} {
		s, _ := newStore(t, e)
		must(t, s.SetPassword(ctx, "fapi2", "c-1", "alice", "open sesame"))
		_, err := s.db.Exec(ctx, damage)
		must(t, err)
		if got, err := s.Check(ctx, "fapi2", "alice", "open sesame", home, noon); got != "" || !errors.Is(err, errTampered) {
			t.Errorf("%s: got %q, %v", damage, got, err)
		}
	}
}

// The parameters that customers' passwords are really hashed with.
func TestDefaultHash(t *testing.T) {
	s, err := Open(ctx, filepath.Join(t.TempDir(), "state.db"), [32]byte{}, &keyring{}, Defaults())
	must(t, err)
	defer s.Close()
	must(t, s.SetPassword(ctx, "fapi2", "c-1", "alice", "open sesame"))
	if _, err := s.Check(ctx, "fapi2", "alice", "open sesame", home, time.Now()); err != nil {
		t.Error(err)
	}
	_, hash, err := s.credential(ctx, "fapi2", s.keyed("name", "fapi2", "alice"))
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("another hash (%v)", err)
	}
}
