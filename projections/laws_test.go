package projections

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
)

// Every law is checked for every projection, on the fixed story and on random
// histories. A failure names the seed.
func eachHistory(t *testing.T, law func(t *testing.T, h *house)) {
	t.Run("the story", func(t *testing.T) {
		h := newHouse(t)
		alice, _ := h.tell()
		h.erase(alice.customer)
		law(t, h)
	})
	t.Run("the call", func(t *testing.T) {
		h := newHouse(t)
		h.call()
		law(t, h)
	})
	for seed := range uint64(4) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			h := newHouse(t)
			randomHistory(h, seed, 160)
			law(t, h)
		})
	}
}

// events returns the log as projections see it.
func (h *house) events() []eventstore.Decoded {
	var all []eventstore.Decoded
	for e, err := range withoutKeys(h.journal).ReadAll(context.Background(), 0, eventstore.Filter{}) {
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func (h *house) deliver(events []eventstore.Decoded, mark eventstore.Position) {
	h.t.Helper()
	more := batch{after: events[0].Position - 1, events: events, mark: mark}
	for _, f := range h.set.followers {
		if _, err := h.set.db.apply(context.Background(), f.active(), more); err != nil {
			h.t.Fatal(err)
		}
	}
}

func TestApplyingTheHistoryTwiceChangesNothing(t *testing.T) {
	eachHistory(t, func(t *testing.T, h *house) {
		events := h.events()
		h.deliver(events, h.head())
		once := dump(t, h.set.followers)
		h.deliver(events, h.head())
		same(t, dump(t, h.set.followers), once)
	})
}

func TestALateRedeliveryChangesNothing(t *testing.T) {
	eachHistory(t, func(t *testing.T, h *house) {
		r := rand.New(rand.NewPCG(7, 7))
		events := h.events()
		for at := 0; at < len(events); {
			n := min(at+1+r.IntN(20), len(events))
			h.deliver(events[at:n], events[n-1].Position)
			late := r.IntN(n)
			h.deliver(events[late:min(late+5, n)], events[late].Position)
			at = n
		}
		broken := dump(t, h.set.followers)
		h.set = h.open(inMemory(t))
		h.catchUp()
		same(t, broken, dump(t, h.set.followers))
	})
}

func TestARebuildEqualsTheLiveTables(t *testing.T) {
	eachHistory(t, func(t *testing.T, h *house) {
		h.catchUp()
		live := dump(t, h.set.followers)
		for _, p := range All {
			if err := h.set.Rebuild(context.Background(), p.Name); err != nil {
				t.Fatal(err)
			}
		}
		for _, f := range h.set.followers {
			if generation := h.generation(f); generation != 2 {
				t.Errorf("%s still answers from generation %d", f.Name, generation)
			}
		}
		same(t, dump(t, h.set.followers), live)
	})
}

func (h *house) generation(f *follower) (n int) {
	h.t.Helper()
	if err := f.read(context.Background(), func(tx *Tx, _ eventstore.Position) error { n = tx.build.generation; return nil }); err != nil {
		h.t.Fatal(err)
	}
	return n
}

func TestAsOfEqualsAFold(t *testing.T) {
	ctx := context.Background()
	eachHistory(t, func(t *testing.T, h *house) {
		events := h.events()
		r := rand.New(rand.NewPCG(3, 3))
		stops := map[int]bool{1: true, len(events): true, r.IntN(len(events)) + 1: true, r.IntN(len(events)) + 1: true}
		var folds = map[int]string{}
		for i, e := range events {
			h.deliver(events[i:i+1], e.Position)
			if stops[i+1] {
				folds[i+1] = dump(t, h.set.followers)
			}
		}
		for n, fold := range folds {
			past, err := h.set.AsOf(ctx, events[n-1].Position)
			if err != nil {
				t.Fatal(err)
			}
			same(t, dump(t, []*follower{
				past.Consents.from, past.Clients.from, past.Accesses.from, past.Audit.from,
				past.Backchannels.from, past.Deliveries.from, past.Unanswered.from,
			}), fold)
			past.Close()
		}
	})
}

// The index can be asked as of a position it has passed, without a fold.
func TestASearchAsOfEqualsASearchInAFold(t *testing.T) {
	ctx := context.Background()
	eachHistory(t, func(t *testing.T, h *house) {
		h.catchUp()
		r := rand.New(rand.NewPCG(4, 4))
		for range 3 {
			at := eventstore.Position(r.IntN(int(h.head()))) + 1
			past, err := h.set.AsOf(ctx, at)
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range []Query{{}, {Consent: "c1"}, {Customer: "person1"}, {Client: "client2"}, {Result: Refused}, {Customer: "alice"}} {
				q.Limit, q.AsOf = MaxLimit, at
				live, err := h.set.Audit.Search(ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				q.AsOf = 0
				fold, err := past.Audit.Search(ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				same(t, belonging(live.Items), belonging(fold.Items))
			}
			past.Close()
		}
	})
}

// belonging writes what the index says of entries; what clients are called is
// a matter of when one asks.
func belonging(all []Entry) string {
	var b strings.Builder
	for _, e := range all {
		fmt.Fprintln(&b, e.Position, e.Type, e.Client != nil, e.Subject != nil && e.Subject.ID != "", e.Consent, e.Result)
	}
	return b.String()
}

func TestNothingPersonalReachesATable(t *testing.T) {
	eachHistory(t, func(t *testing.T, h *house) {
		h.catchUp()
		rows := dump(t, h.set.followers)
		if strings.Contains(rows, pii) {
			t.Fatal("a table holds what the log seals")
		}
		for _, name := range []string{"alice", "ben", "person1", "person2"} { // erasing more changes no row but those of the new event
			h.keys.Destroy("subject:" + name)
		}
		h.set = h.open(inMemory(t))
		h.catchUp()
		same(t, dump(t, h.set.followers), rows)
	})
}

func TestTheTablesVerify(t *testing.T) {
	eachHistory(t, func(t *testing.T, h *house) {
		h.catchUp()
		found, err := h.set.Verify(context.Background())
		if err != nil || len(found) > 0 {
			t.Fatalf("verify: %v, %v", found, err)
		}
	})
}

// Whose consent it is becomes known after the code was redeemed, from an event
// that does not name the consent; an access knows neither.
func TestWhatIsLearntDoesNotDependOnHowTheHistoryIsCut(t *testing.T) {
	h := newHouse(t)
	j := newJourney(1, "budgetly", "alice")
	h.record(j.stream(), event.Meta{Client: j.client}, authorization.CodeRedeemed{Token: j.token, Consent: j.consent})
	h.record(j.stream(), event.Meta{}, authorization.SubjectAuthenticated{Subject: j.customer})
	h.record("access-x", event.Meta{}, access.Recorded{Consent: j.consent, Result: 200})
	h.record("access-x", event.Meta{}, access.Recorded{Token: j.token, Result: 200})
	events := h.events()
	var want string
	for cuts := range 1 << (len(events) - 1) {
		h.set = h.open(inMemory(t))
		for at, i := 0, 0; i < len(events); i++ {
			if i == len(events)-1 || cuts&(1<<i) != 0 {
				h.deliver(events[at:i+1], events[i].Position)
				at = i + 1
			}
		}
		got := dump(t, h.set.followers)
		if want == "" {
			want = got
		}
		same(t, got, want)
	}
}
