package admission

import (
	"errors"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// ErrNotNext means that a log cannot take over events because they are not
// those that come next in it, and in their streams.
var ErrNotNext = errors.New("not the event that comes next")

// Continues demands that events of another log are the next ones of this,
// which has size events, the last of them recorded at last.
func Continues(v View, size int64, last time.Time, events []eventstore.Event) error {
	revisions := map[eventstore.Stream]eventstore.Revision{}
	for i, e := range events {
		have, known := revisions[e.Stream]
		if !known {
			var err error
			if have, err = v.Last(e.Stream); err != nil {
				return err
			}
		}
		leaf := size + int64(i)
		if e.Leaf != leaf || int64(e.Position) != leaf+1 || e.Revision != have+1 || e.Recorded.Before(last) {
			return fmt.Errorf("import at position %d: %w", leaf+1, ErrNotNext)
		}
		proposal := eventstore.Append{Stream: e.Stream, Expect: eventstore.After(have), Events: []eventstore.Proposed{e.Proposed}}
		if err := eventstore.Check(proposal); err != nil {
			return fmt.Errorf("import at position %d: %w: %w", leaf+1, ErrNotNext, err)
		}
		revisions[e.Stream], last = e.Revision, e.Recorded
	}
	return nil
}
