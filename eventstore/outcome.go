package eventstore

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// refused says what a refusal of appends means. They are written in order and
// none after the one that is refused, so the first that is not in the log under
// our ids tells: if it is the first of all, nothing happened.
func (j *Journal) refused(ctx context.Context, appends []Append, refusal error) ([]Receipt, error) {
	receipts := make([]Receipt, len(appends))
	written, missing := 0, 0
	for i, a := range appends {
		if len(a.Events) == 0 {
			receipts[i].Leaf = -1
			continue
		}
		receipt, found, err := j.written(ctx, a)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnknownOutcome, err)
		}
		if !found {
			missing++
			break
		}
		receipts[i] = receipt
		written++
	}
	switch {
	case written == 0:
		return nil, refusal
	case missing > 0:
		return nil, fmt.Errorf("%w: the first %d of %d appends are written, then: %v", ErrUnknownOutcome, written, len(appends), refusal)
	}
	return receipts, nil
}

// written reports whether every event of a is in the log under its id.
func (j *Journal) written(ctx context.Context, a Append) (r Receipt, found bool, err error) {
	want := map[uuid.UUID]bool{}
	for _, e := range a.Events {
		want[e.ID] = true
	}
	after, demanded := a.Expect.Revision()
	if !demanded {
		after = NoRevision
	}
	for e, err := range j.Log.ReadStream(ctx, a.Stream, after+1) {
		if err != nil {
			return r, false, err
		}
		if want[e.ID] {
			delete(want, e.ID)
			r = Receipt{e.Revision, e.Position, e.Leaf}
		}
		if len(want) == 0 || demanded && e.Revision >= after+Revision(len(a.Events)) {
			break
		}
	}
	return r, len(want) == 0, nil
}
