package api

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

func keyNumber(n int, expires time.Time) []eventstore.Once {
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], uint64(n))
	return []eventstore.Once{{Key: key, Expires: expires}}
}

// One client that is never done fills its own share of the memory, not that of
// the others.
func TestWhatIsRememberedOfEach(t *testing.T) {
	clock := &stoppedClock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	s := &Server{Outside: Outside{Now: clock.Now}}
	until := clock.Now().Add(time.Minute)
	for n := range maxShare {
		if err := s.rememberKeys("busy", keyNumber(n, until)); err != nil {
			t.Fatalf("key %d: %v", n, err)
		}
	}
	busy := (*httpError)(nil)
	if err := s.rememberKeys("busy", keyNumber(maxShare, until)); !errors.As(err, &busy) || busy.Status != 429 {
		t.Errorf("beyond its share: got %v", err)
	}
	if err := s.rememberKeys("other", keyNumber(maxShare, until)); err != nil {
		t.Errorf("another client: got %v", err)
	}
	if err := s.rememberKeys("busy", nil); err != nil {
		t.Errorf("without a key: got %v", err)
	}
	if err := s.rememberKeys("busy", keyNumber(7, until)); !errors.Is(err, eventstore.ErrReplay) {
		t.Errorf("a replay: got %v", err)
	}
	if err := s.remembered("busy", keyNumber(7, until)); !errors.Is(err, eventstore.ErrReplay) {
		t.Errorf("a replay towards what appends: got %v", err)
	}
	clock.pass(time.Minute)
	if err := s.rememberKeys("busy", keyNumber(7, until.Add(time.Minute))); err != nil {
		t.Errorf("when the keys have expired: got %v", err)
	}
	if s.recent.total != 1 || len(s.recent.of) != 1 {
		t.Errorf("%d keys of %d clients are left", s.recent.total, len(s.recent.of))
	}
}

// Looking for what has expired takes with what is remembered, so that a full
// memory is not searched for each request.
func TestAFullMemoryIsSweptOnceASecond(t *testing.T) {
	clock := &stoppedClock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	s := &Server{Outside: Outside{Now: clock.Now}}
	soon := clock.Now().Add(time.Millisecond)
	for n := range maxShare {
		if err := s.rememberKeys("busy", keyNumber(n, soon)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.rememberKeys("busy", keyNumber(maxShare, soon)); err == nil {
		t.Fatal("there was room")
	}
	clock.pass(10 * time.Millisecond)
	if err := s.rememberKeys("busy", keyNumber(maxShare, soon)); err == nil {
		t.Error("swept again at once")
	}
	clock.pass(time.Second)
	if err := s.rememberKeys("busy", keyNumber(maxShare, soon.Add(time.Minute))); err != nil {
		t.Errorf("a second later: got %v", err)
	}
}
