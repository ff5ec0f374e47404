package login

import (
	"bytes"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

func passkeyOf(id string, count uint32) Passkey {
	return Passkey{ID: id, Record: []byte("the key " + id), Count: count, Created: noon}
}

func testPasskeys(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	must(t, s.AddPasskey(ctx, "c-1", passkeyOf("p-1", 4)))

	t.Run("one is read as it was kept", func(t *testing.T) {
		all, err := s.Passkeys(ctx, "c-1")
		if err != nil || len(all) != 1 || string(all[0].Record) != "the key p-1" || all[0].Count != 4 || !all[0].Created.Equal(noon) || !all[0].Used.IsZero() {
			t.Errorf("got %+v, %v", all, err)
		}
	})
	t.Run("the tables do not show it", func(t *testing.T) {
		if bytes.Contains(rows(t, s), []byte("the key")) {
			t.Error("it lies open")
		}
	})
	t.Run("it belongs to one customer", func(t *testing.T) {
		for _, who := range []string{"c-1", "c-2"} {
			if err := s.AddPasskey(ctx, who, passkeyOf("p-1", 0)); !errors.Is(err, ErrPasskeyTaken) {
				t.Errorf("%s: %v", who, err)
			}
		}
		if all, err := s.Passkeys(ctx, "c-2"); err != nil || len(all) != 0 {
			t.Errorf("the other one has %v, %v", all, err)
		}
	})
	t.Run("it is bound to its customer", func(t *testing.T) {
		_, err := s.db.Exec(ctx, `UPDATE passkeys SET subject = 'c-3' WHERE id = 'p-1'`)
		must(t, err)
		if all, err := s.Passkeys(ctx, "c-3"); err == nil {
			t.Errorf("it opens for another one: %v", all)
		}
		_, err = s.db.Exec(ctx, `UPDATE passkeys SET subject = 'c-1' WHERE id = 'p-1'`)
		must(t, err)
	})
	t.Run("only its customer drops it", func(t *testing.T) {
		must(t, s.DropPasskey(ctx, "c-2", "p-1"))
		if all, _ := s.Passkeys(ctx, "c-1"); len(all) != 1 {
			t.Error("another one did")
		}
		must(t, s.DropPasskey(ctx, "c-1", "p-1"))
		if all, _ := s.Passkeys(ctx, "c-1"); len(all) != 0 {
			t.Error("it stays")
		}
	})
}

func testPasskeysAreBounded(t *testing.T, e engine) {
	s, _ := newStore(t, e)
	for n := range MaxPasskeys {
		must(t, s.AddPasskey(ctx, "c-1", passkeyOf(string(rune('a'+n)), 0)))
	}
	if err := s.AddPasskey(ctx, "c-1", passkeyOf("one more", 0)); !errors.Is(err, ErrPasskeys) {
		t.Errorf("one too many: %v", err)
	}
	must(t, s.AddPasskey(ctx, "c-2", passkeyOf("one more", 0)))
	if err := s.AddPasskey(ctx, "c-2", Passkey{ID: "large", Record: make([]byte, maxPasskey+1)}); err == nil {
		t.Error("one that is too large is kept")
	}
}

func testPasskeyCounters(t *testing.T, e engine) {
	tests := []struct {
		name       string
		kept, came uint32
		good       bool
	}{
		{"it grows", 4, 5, true},
		{"it grows by more than one", 4, 1 << 31, true},
		{"it stands still", 4, 4, false},
		{"it goes back", 4, 3, false},
		{"it is lost", 4, 0, false},
		{"there is none", 0, 0, true},
		{"it begins to count", 0, 1, true},
	}
	s, _ := newStore(t, e)
	for _, tt := range tests {
		must(t, s.AddPasskey(ctx, "c-1", passkeyOf(tt.name, tt.kept)))
		err := s.UsePasskey(ctx, "c-1", tt.name, tt.came, noon.Add(time.Minute))
		if (err == nil) != tt.good || err != nil && !errors.Is(err, ErrPasskeyCounter) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	all, err := s.Passkeys(ctx, "c-1")
	must(t, err)
	for _, p := range all {
		for _, tt := range tests {
			want := map[bool]uint32{true: tt.came, false: tt.kept}[tt.good]
			if p.ID == tt.name && (p.Count != want || p.Used.IsZero() == tt.good) {
				t.Errorf("%s: it is %d, used at %v", tt.name, p.Count, p.Used)
			}
		}
	}
	if err := s.UsePasskey(ctx, "c-2", "it grows", 9, noon); !errors.Is(err, ErrPasskeyCounter) {
		t.Errorf("another customer uses it: %v", err)
	}
}

// Of two signatures with one counter one counts, wherever they arrive.
func testPasskeyOnTwoNodes(t *testing.T, e engine) {
	all := nodes(t, e, 2)
	must(t, all[0].AddPasskey(ctx, "c-1", passkeyOf("p-1", 4)))
	var good atomic.Int32
	var racers sync.WaitGroup
	for _, s := range all {
		racers.Go(func() {
			if err := s.UsePasskey(ctx, "c-1", "p-1", 5, noon); err == nil {
				good.Add(1)
			} else if !errors.Is(err, ErrPasskeyCounter) {
				t.Error(err)
			}
		})
	}
	racers.Wait()
	if good.Load() != 1 {
		t.Errorf("%d counted", good.Load())
	}
}

func testErasedPasskeys(t *testing.T, e engine) {
	s, keys := newStore(t, e)
	must(t, s.AddPasskey(ctx, "c-1", passkeyOf("p-1", 0)))
	keys.erase("c-1")
	if _, err := s.Passkeys(ctx, "c-1"); !errors.Is(err, eventstore.ErrErased) {
		t.Errorf("after the end of the key: %v", err)
	}
	must(t, s.Erase(ctx, "c-1"))
	if all, err := s.Passkeys(ctx, "c-1"); err != nil || len(all) != 0 {
		t.Errorf("got %v, %v", all, err)
	}
	if bytes.Contains(rows(t, s), []byte("p-1")) {
		t.Error("the row is still there")
	}
	if err := s.AddPasskey(ctx, "c-1", passkeyOf("p-2", 0)); !errors.Is(err, eventstore.ErrErased) {
		t.Errorf("a new one: %v", err)
	}
}
