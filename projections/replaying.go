package projections

import (
	"context"
	"slices"

	"github.com/chirograph/chirograph/eventstore"
)

// replay folds the events after a position, up to another, into builds. It
// returns the position reached, which is the later of the two.
func (d *database) replay(ctx context.Context, keyless *eventstore.Journal, into []build, after, upTo eventstore.Position) (eventstore.Position, error) {
	if upTo <= after {
		return after, nil
	}
	batch := make([]eventstore.Decoded, 0, batchEvents)
	flush := func(mark eventstore.Position) error {
		for _, b := range into {
			if _, err := d.apply(ctx, b, batch, mark); err != nil {
				return err
			}
		}
		batch = batch[:0]
		return nil
	}
	for e, err := range keyless.ReadAll(ctx, after, union(into)) {
		if err != nil {
			return 0, err
		}
		if e.Position > upTo {
			break
		}
		if batch = append(batch, e); len(batch) == batchEvents {
			if err := flush(e.Position); err != nil {
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
