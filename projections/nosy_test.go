package projections

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore"
)

// nosyProjection looks for what is sealed and counts what it sees.
func nosyProjection(t *testing.T, seen *int) Projection {
	return Projection{
		Name: "nosy", Version: 1, Filter: eventstore.Filter{Categories: []string{"consent", "subject"}},
		Fold: each(func(_ context.Context, _ *Tx, e eventstore.Decoded) error {
			*seen++
			sealed := e.Metadata.Address + e.Metadata.UserAgent
			switch body := e.Body.(type) {
			case consent.Authorized:
				sealed += strings.Trim(fmt.Sprint(body.Details), "[]")
			case consent.Revoked:
				sealed += body.Reason
			case subject.Enrolled:
				sealed += body.Name
			default:
				t.Errorf("it sees %s", e.Type)
			}
			if sealed != "" {
				t.Errorf("it sees %q in %s", sealed, e.Type)
			}
			return nil
		}),
	}
}

// A projection that looks for what is sealed finds none of it, however it is
// folded, and sees no event that it did not select.
func TestProjectionsSeeNothingThatIsSealed(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	h.tell()
	seen := 0
	nosy := nosyProjection(t, &seen)
	set, err := open(ctx, Config{DB: inMemory(t), Dialect: dialect(), Journal: h.journal, Scratch: scratchIn(t)}, []Projection{nosy, auditProjection})
	if err != nil {
		t.Fatal(err)
	}
	ways := map[string]func() error{
		"catching up": func() error { return set.CatchUp(ctx) },
		"rebuilding":  func() error { return set.Rebuild(ctx, "nosy") },
		"as of": func() error {
			past, err := set.AsOf(ctx, h.head())
			if err != nil {
				return err
			}
			return past.Close()
		},
		"following": func() error {
			set.followers[0].waits = newWaits(0)
			for e, err := range h.log.ReadAll(ctx, 0, eventstore.Filter{}) {
				if err == nil {
					err = set.followers[0].fold(ctx, e.Position-1, []eventstore.Event{e}, e.Position)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	for _, name := range []string{"following", "catching up", "rebuilding", "as of"} {
		seen = 0
		if err := ways[name](); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := map[bool]int{true: 0, false: 5}[name == "catching up"]; seen != want {
			t.Errorf("%s: it saw %d events, want %d", name, seen, want)
		}
	}
}

// interrupted is a log in which something happens each time after it was read
// to its end.
type interrupted struct {
	eventstore.Log
	between func()
}

func (l *interrupted) ReadAll(ctx context.Context, after eventstore.Position, f eventstore.Filter) iter.Seq2[eventstore.Event, error] {
	return func(yield func(eventstore.Event, error) bool) {
		for e, err := range l.Log.ReadAll(ctx, after, f) {
			if !yield(e, err) {
				return
			}
		}
		l.between()
	}
}

func TestARebuildTakesInWhatTheOldTablesSawMeanwhile(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	h.tell()
	h.catchUp()
	f, err := h.set.follower("clients")
	if err != nil {
		t.Fatal(err)
	}
	arrivals := []string{"late", "later"} // the last one when all that is left is the switch
	f.journal.Log = &interrupted{h.log, func() {
		if len(arrivals) == 0 {
			return
		}
		id := arrivals[0]
		arrivals = arrivals[1:]
		h.register(id, "Late")
		if err := h.set.CatchUp(ctx); err != nil {
			t.Error(err)
		}
	}}
	if err := h.set.Rebuild(ctx, "clients"); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"late", "later"} {
		if _, found, err := h.set.Clients.Get(ctx, id); !found || err != nil {
			t.Errorf("%s, which came during the rebuild, is lost: %v", id, err)
		}
	}
}
