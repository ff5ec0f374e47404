package projections

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
)

// BenchmarkFold measures what one token of client_credentials costs all
// projections, decoding included, in transactions of several sizes.
func BenchmarkFold(b *testing.B) {
	for _, size := range []int{1, 16, batchEvents} {
		b.Run(fmt.Sprintf("%d a transaction", size), func(b *testing.B) {
			h := newHouse(b)
			h.set = h.open(inFile(b))
			for n := range b.N {
				h.record(fmt.Sprintf("token-%032d", n), event.Meta{Client: "budgetly"}, token.Issued{
					Client: "budgetly", Audience: []string{"https://api.bank.example"}, Expires: h.now.Add(5 * time.Minute), Key: "k1",
				})
			}
			b.ResetTimer()
			for _, f := range h.set.followers {
				fold(b, f, size)
			}
		})
	}
}

func fold(b *testing.B, f *follower, size int) {
	var more []eventstore.Event
	after := eventstore.Position(0)
	flush := func(mark eventstore.Position) {
		if err := f.fold(context.Background(), after, more, mark); err != nil {
			b.Fatal(err)
		}
		after, more = mark, more[:0]
	}
	for e, err := range f.journal.Log.ReadAll(context.Background(), 0, f.Filter) {
		if err != nil {
			b.Fatal(err)
		}
		if more = append(more, e); len(more) == size {
			flush(e.Position)
		}
	}
	flush(after)
}

// BenchmarkSearch asks an index of a hundred thousand events.
func BenchmarkSearch(b *testing.B) {
	h := newHouse(b)
	h.set = h.open(inFile(b))
	alice, _ := h.tell()
	for n := range 100_000 {
		h.issue(newJourney(2, "payzip", "ben"), fmt.Sprintf("x%d", n), "")
	}
	h.issue(alice, "last", "")
	h.catchUp()
	for name, q := range map[string]Query{
		"the newest":                    {},
		"one consent":                   {Consent: alice.consent},
		"a rare type of a large client": {Client: "payzip", Type: "client.registered"},
		"what was refused in a range":   {Result: Refused, From: begin, To: h.now},
		"the newest of a large client":  {Client: "payzip", Type: "token.issued"},
		"two large ones that exclude":   {Client: "budgetly", Customer: "ben"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				h.search(q)
			}
		})
	}
}
