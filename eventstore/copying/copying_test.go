package copying_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/copying"
	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/eventstore/memory"

	"github.com/google/uuid"
)

var (
	signingKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	publicKey  = signingKey.Public().(ed25519.PublicKey)
)

// grow appends n events to some streams, and signs.
func grow(t testing.TB, log ledger.Vault, n int) {
	t.Helper()
	for i := 0; i < n; {
		a := eventstore.Append{Stream: eventstore.Stream(fmt.Sprintf("test-%d", rand.N(200))), Expect: eventstore.Unchecked()}
		for range min(1+rand.N(20), n-i) {
			data := fmt.Appendf(nil, `{"n":%d,"filler":"%s"}`, i, bytes.Repeat([]byte("x"), rand.N(900)))
			a.Events = append(a.Events, eventstore.Proposed{ID: uuid.New(), Type: "test.happened", Version: 1, Data: data, Meta: []byte(`{}`)})
			i++
		}
		if _, err := log.(eventstore.Log).Append(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	sign(t, log)
}

func sign(t testing.TB, log ledger.Vault) {
	t.Helper()
	k, err := ledger.Open(t.Context(), ledger.Config{Log: log, Key: signingKey, Folders: []string{t.TempDir()}})
	if err == nil {
		_, err = k.Sign(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func embedded(t testing.TB, id uuid.UUID) *sqlite.Log {
	t.Helper()
	log, err := sqlite.Open(sqlite.Options{Dir: t.TempDir(), ID: id})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

func plan(from copying.Source, to copying.Target) copying.Plan {
	return copying.Plan{From: from, To: to, Key: publicKey}
}

func copied(t testing.TB, p copying.Plan) ledger.Report {
	t.Helper()
	r, err := copying.Copy(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func notes(t testing.TB, log ledger.Vault) (all [][]byte) {
	t.Helper()
	for n, err := range log.Checkpoints(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

var errStop = errors.New("interrupted")

func TestACopyIsTheSameLog(t *testing.T) {
	first := memory.New(time.Now)
	for range 5 {
		grow(t, first, 600)
	}
	second := embedded(t, first.ID())
	interruptions := 0
	for {
		stop := rand.N(6)
		p := plan(first, second)
		p.Progress = func(done, _ int64) error {
			if stop--; stop < 0 && done < 3000 {
				return errStop
			}
			return nil
		}
		_, err := copying.Copy(t.Context(), p)
		if err == nil {
			break
		}
		if !errors.Is(err, errStop) {
			t.Fatal(err)
		}
		interruptions++
		if interruptions == 2 {
			grow(t, first, 300) // it is served meanwhile
		}
	}
	third := memory.NewAs(first.ID(), time.Now)
	r := copied(t, plan(second, third))
	if want := copied(t, plan(first, second)); r != want || r.Events < 3000 || r.Checkpoints < 5 {
		t.Errorf("after %d interruptions got %+v, want %+v", interruptions, r, want)
	}
	same := func(a, b []byte) bool { return bytes.Equal(a, b) }
	if !slices.EqualFunc(notes(t, first), notes(t, third), same) || !slices.EqualFunc(notes(t, first), notes(t, second), same) {
		t.Error("the checkpoints differ")
	}
	grow(t, third, 10) // it can be served
	copied(t, plan(third, second))
}

func TestAnEmptyLogIsCopied(t *testing.T) {
	first := memory.New(time.Now)
	if r := copied(t, plan(first, embedded(t, first.ID()))); r.Events != 0 {
		t.Errorf("got %+v", r)
	}
}

// bent is a source that somebody has laid hands on.
type bent struct {
	*memory.Log
	leaf func(*ledger.Leaf) bool // false: it is gone
	note func([]byte) []byte
}

func (b *bent) Leaves(ctx context.Context, from, to int64) iter.Seq2[ledger.Leaf, error] {
	return func(yield func(ledger.Leaf, error) bool) {
		for l, err := range b.Log.Leaves(ctx, from, to) {
			if b.leaf != nil && !b.leaf(&l) {
				continue
			}
			if !yield(l, err) {
				return
			}
		}
	}
}

func (b *bent) Checkpoints(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for n, err := range b.Log.Checkpoints(ctx) {
			if b.note != nil {
				n = b.note(n)
			}
			if !yield(n, err) {
				return
			}
		}
	}
}

func TestASourceThatWasAltered(t *testing.T) {
	tests := []struct {
		name string
		bend func(*bent)
		at   eventstore.Position
		want any
	}{
		{"an event was changed", func(b *bent) {
			b.leaf = func(l *ledger.Leaf) bool {
				if l.Leaf == 700 {
					l.Data = []byte(`{"n":0}`)
				}
				return true
			}
		}, 701, new(*ledger.AlteredError)},
		{"an event and its hash were changed", func(b *bent) {
			b.leaf = func(l *ledger.Leaf) bool {
				if l.Leaf == 700 {
					l.Data = []byte(`{"n":0}`)
					l.Hash = ledger.LeafHash(ledger.Record(b.ID(), l.Event))
				}
				return true
			}
		}, 0, new(*ledger.AlteredError)},
		{"an event is gone", func(b *bent) { b.leaf = func(l *ledger.Leaf) bool { return l.Leaf != 700 } }, 701, new(*ledger.AlteredError)},
		{"the last event is gone", func(b *bent) { b.leaf = func(l *ledger.Leaf) bool { return l.Leaf != 999 } }, 1000, new(*ledger.AlteredError)},
		{"a checkpoint was changed", func(b *bent) {
			b.note = func(n []byte) []byte { return bytes.Replace(n, []byte("\n1000\n"), []byte("\n999\n"), 1) }
		}, 0, new(*ledger.UnverifiableError)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			source := &bent{Log: memory.New(time.Now)}
			grow(t, source.Log, 1000)
			tt.bend(source)
			_, err := copying.Copy(t.Context(), plan(source, memory.NewAs(source.ID(), time.Now)))
			if !errors.As(err, tt.want) {
				t.Fatalf("got %v", err)
			}
			if altered, is := errors.AsType[*ledger.AlteredError](err); is && altered.Position != tt.at {
				t.Errorf("found at %d, want %d: %v", altered.Position, tt.at, err)
			}
		})
	}
}

func TestWhereNothingIsCopied(t *testing.T) {
	source := memory.New(time.Now)
	grow(t, source, 600)
	another := memory.NewAs(source.ID(), time.Now)
	grow(t, another, 400)
	beginning := func(n int64) []eventstore.Event {
		var events []eventstore.Event
		for l := range source.Leaves(t.Context(), 0, n) {
			events = append(events, l.Event)
		}
		return events
	}
	tests := []struct {
		name string
		from copying.Source
		to   func() *memory.Log
		want error
	}{
		{"a log of another id", source, func() *memory.Log { return memory.New(time.Now) }, copying.ErrOther},
		{"another history", source, func() *memory.Log { return another }, copying.ErrOther},
		{"a longer log", another, func() *memory.Log { return source }, copying.ErrOther},
		{"a log that has gone on by itself", source, func() *memory.Log {
			to := memory.NewAs(source.ID(), time.Now)
			to.Import(t.Context(), beginning(300))
			grow(t, to, 5)
			return to
		}, copying.ErrOther},
		{"a log whose earlier events are others", source, func() *memory.Log {
			to := memory.NewAs(source.ID(), time.Now)
			events := beginning(300)
			events[10].Data = []byte(`{}`)
			to.Import(t.Context(), events)
			return to
		}, copying.ErrOther},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			to := tt.to()
			before, _ := to.Head(t.Context())
			if _, err := copying.Copy(t.Context(), plan(tt.from, to)); !errors.Is(err, tt.want) {
				t.Errorf("got %v", err)
			}
			if after, _ := to.Head(t.Context()); after != before {
				t.Errorf("%d events were copied", after-before)
			}
		})
	}
	unsigned := memory.NewAs(source.ID(), time.Now)
	unsigned.Import(t.Context(), beginning(3))
	_, err := copying.Copy(t.Context(), plan(unsigned, memory.NewAs(source.ID(), time.Now)))
	if u := (*ledger.UnverifiableError)(nil); !errors.As(err, &u) {
		t.Errorf("a log that nobody signed: %v", err)
	}
}

// late is a target that numbers events after it has taken them.
type late struct {
	*memory.Log
	lag, limit int64
}

func (l *late) Size(ctx context.Context) (int64, error) {
	size, err := l.Log.Size(ctx)
	if l.lag = max(0, l.lag-100); err != nil {
		return 0, err
	}
	return min(max(0, size-l.lag), l.limit), nil
}

func TestATargetThatNumbersLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := memory.New(time.Now)
		grow(t, source, 1000)
		copied(t, plan(source, &late{Log: memory.NewAs(source.ID(), time.Now), lag: 900, limit: 1000}))
		began := time.Now()
		_, err := copying.Copy(t.Context(), plan(source, &late{Log: memory.NewAs(source.ID(), time.Now), limit: 700}))
		if took := time.Since(began); err == nil || took < time.Minute || took > 2*time.Minute {
			t.Errorf("one that stands still: %v after %v", err, took)
		}
	})
}
