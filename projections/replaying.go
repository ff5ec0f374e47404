package projections

import (
	"context"
	"slices"

	"github.com/chirograph/chirograph/eventstore"
)

// replayed is how many events of the past one transaction folds in.
const replayed = 2048

// replay folds the events after a position, up to another, into builds. It
// tells how far each has come after each step, and returns the position
// reached, which is the later of the two.
func (d *database) replay(ctx context.Context, keyless *eventstore.Journal, into []build, after, upTo eventstore.Position,
	reached func(of int, p eventstore.Position),
) (eventstore.Position, error) {
	if upTo <= after {
		return after, nil
	}
	more := batch{after: after}
	flush := func(mark eventstore.Position) error {
		more.mark = mark
		for i, b := range into {
			p, err := d.apply(ctx, b, more)
			if err != nil {
				return err
			}
			reached(i, p)
		}
		more = batch{after: mark, events: more.events[:0]}
		return nil
	}
	for events, err := range ahead(ctx, keyless, after, upTo, union(into)) {
		if err != nil {
			return 0, err
		}
		if more.events = append(more.events, events...); len(more.events) >= replayed {
			if err := flush(more.events[len(more.events)-1].Position); err != nil {
				return 0, err
			}
		}
	}
	return upTo, flush(upTo)
}

// union selects what any of the builds selects.
func union(all []build) eventstore.Filter {
	var f eventstore.Filter
	for _, b := range all {
		if len(b.Filter.Categories) == 0 || len(b.Filter.Types) > 0 {
			return eventstore.Filter{}
		}
		f.Categories = append(f.Categories, b.Filter.Categories...)
	}
	slices.Sort(f.Categories)
	f.Categories = slices.Compact(f.Categories)
	return f
}
