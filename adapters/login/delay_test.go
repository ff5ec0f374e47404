package login

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func testDelay(t *testing.T, e engine) {
	const s = time.Second
	type try struct {
		at       time.Duration // since noon
		user     string
		address  string
		password string
		wait     time.Duration // 0 if the password is looked at
	}
	wrong := func(at time.Duration, wait time.Duration) try { return try{at, "alice", home, "wrong", wait} }
	tests := []struct {
		name  string
		tries []try
	}{
		{"two failures cost nothing", []try{wrong(0, 0), wrong(0, 0), wrong(0, 0)}},
		{"the third costs a second", []try{wrong(0, 0), wrong(0, 0), wrong(0, 0), wrong(0, s), wrong(s, 0)}},
		{"then it doubles", []try{wrong(0, 0), wrong(0, 0), wrong(0, 0), wrong(s, 0), wrong(s, 2*s), wrong(3*s, 0), wrong(3*s, 4*s)}},
		{"the right password must wait too", []try{wrong(0, 0), wrong(0, 0), wrong(0, 0), {0, "alice", home, "open sesame", s}}},
		{"attempts during a pause do not lengthen it", []try{wrong(0, 0), wrong(0, 0), wrong(0, 0), wrong(0, s), wrong(0, s), wrong(s, 0)}},
		{"the right password forgives the name", []try{wrong(0, 0), wrong(0, 0), {0, "alice", home, "open sesame", 0}, wrong(0, 0), wrong(0, 0), wrong(0, 0), wrong(0, s)}},
		{"another name is not slowed down", []try{wrong(0, 0), wrong(0, 0), wrong(0, 0), {0, "ben", home, "wrong", 0}}},
		{"another address does not help", []try{wrong(0, 0), wrong(0, 0), wrong(0, 0), {0, "alice", other, "wrong", s}}},
		{"an unknown name is slowed down alike", []try{{0, "x", home, "wrong", 0}, {0, "x", home, "wrong", 0}, {0, "x", home, "wrong", 0}, {0, "x", home, "wrong", s}}},
		{"ten minutes forgive one failure", []try{wrong(0, 0), wrong(0, 0), wrong(600*s, 0), wrong(600*s, 0), wrong(600*s, s)}},
		{"a clock set back does not lock out", []try{wrong(0, 0), wrong(0, 0), wrong(0, 0), wrong(-time.Hour, time.Minute)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store, _ := newStore(t, e)
			must(t, store.SetPassword(ctx, "fapi2", "c-1", "alice", "open sesame"))
			for i, try := range tt.tries {
				now := noon.Add(try.at)
				_, err := store.Check(ctx, "fapi2", try.user, try.password, try.address, now)
				var delay *DelayError
				var wait time.Duration
				if errors.As(err, &delay) {
					wait = delay.Until.Sub(now)
				}
				if wait != try.wait {
					t.Fatalf("try %d waits %v, want %v", i, wait, try.wait)
				}
			}
		})
	}
}

// However long somebody guesses at a name, its owner waits a minute at most.
func testNoLockOut(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	must(t, s.SetPassword(ctx, "fapi2", "c-1", "alice", "open sesame"))
	now := noon
	for range 100 {
		_, err := s.Check(ctx, "fapi2", "alice", "guess", other, now)
		var delay *DelayError
		if errors.As(err, &delay) {
			t.Fatal("the guesser came too early")
		}
		now = now.Add(time.Minute)
	}
	if _, err := s.Check(ctx, "fapi2", "alice", "open sesame", home, now); err != nil {
		t.Errorf("after a minute: %v", err)
	}
}

// However many failures there were, they are forgiven soon.
func testFailuresAreForgiven(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	now := noon
	for range 100 {
		s.Check(ctx, "fapi2", "alice", "guess", other, now)
		now = now.Add(time.Minute)
	}
	now = now.Add(90 * time.Minute)
	for range 3 {
		if _, err := s.Check(ctx, "fapi2", "alice", "guess", other, now); !errors.Is(err, ErrWrong) {
			t.Fatalf("after an hour and a half: %v", err)
		}
	}
}

// Who tries one password on many names is slowed down by address.
func testDelayOfAnAddress(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	must(t, s.SetPassword(ctx, "fapi2", "c-1", "alice", "open sesame"))
	guess := func(i int, from string) error {
		_, err := s.Check(ctx, "fapi2", fmt.Sprint("name", i), "guess", from, noon)
		return err
	}
	for i := range 20 {
		if err := guess(i, home); !errors.Is(err, ErrWrong) {
			t.Fatalf("guess %d: %v", i, err)
		}
		if i%5 == 0 { // success of one's own does not help
			_, err := s.Check(ctx, "fapi2", "alice", "open sesame", home, noon)
			must(t, err)
		}
	}
	var delay *DelayError
	if err := guess(20, home); !errors.As(err, &delay) || delay.Until != noon.Add(time.Second) {
		t.Errorf("got %v", err)
	}
	if err := guess(21, other); !errors.Is(err, ErrWrong) {
		t.Errorf("from another address: %v", err)
	}
}

func testCountersAreBounded(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	key := "CAST(i AS TEXT)"
	if s.db.Shared() {
		key = "int4send(i)"
	}
	_, err := s.db.Exec(ctx, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < ?)
		INSERT INTO failures (key, count, last, until) SELECT `+key+`, 1, ?, 0 FROM n`, maxFailures, noon.UnixNano())
	must(t, err)
	s.Check(ctx, "fapi2", "alice", "guess", home, noon)
	var n int
	must(t, s.db.QueryRow(ctx, "SELECT count(*) FROM failures").Scan(&n))
	if n != maxFailures {
		t.Errorf("%d counters", n)
	}
}
