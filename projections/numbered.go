package projections

import (
	"context"
	"iter"

	"github.com/chirograph/chirograph/eventstore"
)

// numbered yields the events of a stream from a revision on that have a
// position. On a node that has not numbered them all yet it waits until it has
// numbered what was acknowledged before the call; what came later is not there.
func numbered(ctx context.Context, log eventstore.Log, s eventstore.Stream, from eventstore.Revision) iter.Seq2[eventstore.Event, error] {
	return func(yield func(eventstore.Event, error) bool) {
		for waited := false; ; waited = true {
			behind := false
			for e, err := range log.ReadStream(ctx, s, from) {
				if err == nil && e.Position >= eventstore.Unnumbered {
					behind = true
					break
				}
				if !yield(e, err) || err != nil {
					return
				}
				from = e.Revision + 1
			}
			if !behind || waited {
				return
			}
			if _, err := log.Head(ctx); err != nil {
				yield(eventstore.Event{}, err)
				return
			}
		}
	}
}
