package projections

import (
	"context"
	"testing"

	"github.com/chirograph/chirograph/eventstore"
)

// BenchmarkRead measures how fast a log of main jobs is read, and decoded
// without keys, as projections do, and with them.
func BenchmarkRead(b *testing.B) {
	j := filled(b, sqliteLog(b))
	all, ctx := eventstore.Filter{}, context.Background()
	b.Run("bytes", func(b *testing.B) {
		rate(b, *journeys*17, func() {
			for _, err := range j.Log.ReadAll(ctx, 0, all) {
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	for name, j := range map[string]*eventstore.Journal{"keyless": withoutKeys(j), "keys": j} {
		b.Run(name, func(b *testing.B) {
			rate(b, *journeys*17, func() {
				for _, err := range j.ReadAll(ctx, 0, all) {
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// BenchmarkRebuild measures how fast projections are folded from a log of main
// jobs, each alone and all together.
func BenchmarkRebuild(b *testing.B) {
	j := filled(b, sqliteLog(b))
	ctx := context.Background()
	for _, p := range All {
		b.Run(p.Name, func(b *testing.B) {
			set, err := open(ctx, Config{DB: inFile(b), Dialect: dialect(), Journal: j}, []Projection{p})
			if err != nil {
				b.Fatal(err)
			}
			rate(b, *journeys*17, func() {
				if err := set.Rebuild(ctx, p.Name); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
	b.Run("all", func(b *testing.B) {
		rate(b, *journeys*17, func() {
			set, err := open(ctx, Config{DB: inFile(b), Dialect: dialect(), Journal: j}, All)
			if err != nil {
				b.Fatal(err)
			}
			if err := set.CatchUp(ctx); err != nil {
				b.Fatal(err)
			}
		})
	})
}
