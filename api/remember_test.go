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
	var r recent
	until := clock.Now().Add(time.Minute)
	for n := range maxShare {
		if err := r.take("busy", keyNumber(n, until), clock.Now()); err != nil {
			t.Fatalf("key %d: %v", n, err)
		}
	}
	busy := (*httpError)(nil)
	if err := r.take("busy", keyNumber(maxShare, until), clock.Now()); !errors.As(err, &busy) || busy.Status != 429 {
		t.Errorf("beyond its share: got %v", err)
	}
	if err := r.take("other", keyNumber(maxShare, until), clock.Now()); err != nil {
		t.Errorf("another client: got %v", err)
	}
	if err := r.take("busy", nil, clock.Now()); err != nil {
		t.Errorf("without a key: got %v", err)
	}
	if err := r.take("busy", keyNumber(7, until), clock.Now()); !errors.Is(err, eventstore.ErrReplay) {
		t.Errorf("a replay: got %v", err)
	}
	if err := r.used("busy", keyNumber(7, until), clock.Now()); !errors.Is(err, eventstore.ErrReplay) {
		t.Errorf("a replay towards what appends: got %v", err)
	}
	clock.pass(time.Minute)
	if err := r.take("busy", keyNumber(7, until.Add(time.Minute)), clock.Now()); err != nil {
		t.Errorf("when the keys have expired: got %v", err)
	}
	if r.total != 1 || len(r.of) != 1 {
		t.Errorf("%d keys of %d clients are left", r.total, len(r.of))
	}
}

// Looking for what has expired takes with what is remembered, so that a full
// memory is not searched for each request.
func TestAFullMemoryIsSweptOnceASecond(t *testing.T) {
	clock := &stoppedClock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	var r recent
	soon := clock.Now().Add(time.Millisecond)
	for n := range maxShare {
		if err := r.take("busy", keyNumber(n, soon), clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.take("busy", keyNumber(maxShare, soon), clock.Now()); err == nil {
		t.Fatal("there was room")
	}
	clock.pass(10 * time.Millisecond)
	if err := r.take("busy", keyNumber(maxShare, soon), clock.Now()); err == nil {
		t.Error("swept again at once")
	}
	clock.pass(time.Second)
	if err := r.take("busy", keyNumber(maxShare, soon.Add(time.Minute)), clock.Now()); err != nil {
		t.Errorf("a second later: got %v", err)
	}
}
