//go:build linux

package projections

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"

	"github.com/google/uuid"
)

// An engine keeps a log and, elsewhere, tables.
type engine struct {
	name    string
	dialect Dialect
	log     func(b *testing.B) eventstore.Log
	tables  func(b *testing.B) *sql.DB
}

var engines = []engine{
	{"SQLite", SQLite, sqliteLog, func(b *testing.B) *sql.DB { return inFile(b) }},
	{"PostgreSQL", PostgreSQL, postgresLog, func(b *testing.B) *sql.DB { return openSchema(b, pgtest.New(b), "projections") }},
}

// BenchmarkRead measures how fast a log of main jobs is read, and decoded
// without keys, as projections do, and with them.
func BenchmarkRead(b *testing.B) {
	for _, on := range engines {
		b.Run(on.name, func(b *testing.B) {
			j := filled(b, on.log(b))
			b.Run("bytes", func(b *testing.B) {
				rate(b, *journeys*events, func() {
					for _, err := range j.Log.ReadAll(context.Background(), 0, eventstore.Filter{}) {
						must(b, err)
					}
				})
			})
			for name, j := range map[string]*eventstore.Journal{"keyless": withoutKeys(j), "keys": j} {
				b.Run(name, func(b *testing.B) {
					rate(b, *journeys*events, func() {
						for _, err := range j.ReadAll(context.Background(), 0, eventstore.Filter{}) {
							must(b, err)
						}
					})
				})
			}
		})
	}
}

// BenchmarkRebuild measures how fast projections are folded from a log of main
// jobs, each alone and all together; that of clients from a log of clients.
func BenchmarkRebuild(b *testing.B) {
	for _, on := range engines {
		b.Run(on.name, func(b *testing.B) {
			jobs, registrations := filled(b, on.log(b)), registered(b)
			for _, p := range All {
				j := jobs
				if p.Name == clientsProjection.Name {
					j = registrations
				}
				b.Run(p.Name, func(b *testing.B) { rebuild(b, on, j, p) })
			}
			b.Run("all", func(b *testing.B) {
				rate(b, *journeys*events, func() {
					set, err := open(context.Background(), Config{DB: on.tables(b), Dialect: on.dialect, Journal: jobs}, All)
					must(b, err)
					must(b, set.CatchUp(context.Background()))
				})
			})
		})
	}
}

func rebuild(b *testing.B, on engine, j *eventstore.Journal, p Projection) {
	set, err := open(context.Background(), Config{DB: on.tables(b), Dialect: on.dialect, Journal: j}, []Projection{p})
	must(b, err)
	head, err := j.Log.Head(context.Background())
	must(b, err)
	rate(b, int(head), func() { must(b, set.Rebuild(context.Background(), p.Name)) })
}

// registered is a log of clients, each of which is registered and suspended.
func registered(b *testing.B) *eventstore.Journal {
	b.Helper()
	log := memory.New(time.Now)
	j := &eventstore.Journal{Log: log, Codec: &eventstore.Codec{Registry: catalogue.Events, Keys: &memory.Keys{}, Log: log.ID()}}
	metadata := oauth.ClientMetadata{ClientName: "Budgetly", TokenEndpointAuthMethod: "private_key_jwt", RedirectURIs: []string{"https://budgetly.example/callback"}}
	for range *journeys {
		_, err := j.Commit(context.Background(), event.Meta{Issuer: "bank", Actor: event.ActorOperator}, eventstore.Draft{
			Stream: eventstore.Stream("client-" + uuid.NewString()), Expect: eventstore.Absent(),
			Events: []any{client.Registered{Issuer: "bank", Via: "operator", Metadata: metadata}, client.Suspended{Reason: "asked for it"}},
		})
		must(b, err)
	}
	return j
}

func must(b *testing.B, err error) {
	if err != nil {
		b.Helper()
		b.Fatal(err)
	}
}
