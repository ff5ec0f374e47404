package eventstoredb

import (
	"context"
	"fmt"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

// A subscription may fall silent without ending: a server that is shut down
// with care leaves it open. So now and then the end of all events is read, and
// a subscription that does not bring it is given up.

// A look is what the server said its last event is.
type look struct {
	end  uint64
	last uint64 // that the index had before
	err  error
}

func (f *feed) look(ctx context.Context) look {
	_, last, _ := f.index.head()
	end, err := f.end(ctx, last)
	f.tidy(ctx)
	return look{end, last, err}
}

// judge ends a subscription that brought nothing since the last look, at which
// it was behind already.
func (f *feed) judge(l look) error {
	if l.err != nil {
		return nil // reads are repeated by themselves
	}
	if l.end < l.last {
		return f.gone()
	}
	f.absent = 0
	_, last, _ := f.index.head()
	switch {
	case last >= l.end:
		f.behind = 0
	case f.behind > 0 && last < f.behind && f.came == f.at:
		return f.mute()
	default:
		f.behind, f.at = l.end, f.came
	}
	return nil
}

// overdue ends a subscription that does not bring an event for which somebody
// waits, unless it is young or something comes.
func (f *feed) overdue(place uint64) error {
	_, last, _ := f.index.head()
	switch {
	case last >= place || time.Since(f.started) < impatience:
		return nil
	case f.behind > 0 && f.came == f.at:
		return f.mute()
	}
	f.behind, f.at = place, f.came
	return nil
}

// maxTolerance is how long a subscription may take to bring something when
// those before it were given up.
const maxTolerance = time.Minute

// mute gives a subscription up that brings nothing. Each that follows gets
// twice the time, until one brings something: it may just be slow.
func (f *feed) mute() error {
	if time.Since(f.started) < f.tolerance {
		return nil
	}
	f.tolerance = min(max(2*f.tolerance, f.watch), maxTolerance)
	return errMute
}

// confirm demands that the last event of the index is still where it was,
// before a subscription goes on after it.
func (f *feed) confirm() error {
	_, last, _ := f.index.head()
	if last == 0 {
		return nil
	}
	p, err := f.readAll(f.ctx, esdb.ReadAllOptions{From: at(last)}, 1)
	switch v := classify(err); {
	case v == again || v == ambiguous:
		return err
	case v == fine && len(p.events) == 1 && p.events[0].Position.Commit == last && (p.events[0].EventID == f.lastID || f.lastID == uuid.Nil):
		f.absent = 0
		return nil
	}
	if halted := f.gone(); halted != nil {
		return halted
	}
	return fmt.Errorf("eventstoredb: the last event is not at place %d any more: %v", last, err)
}

// tidy drops what the index keeps of leaves that are in the table.
func (f *feed) tidy(ctx context.Context) {
	if !f.index.crowded() {
		return
	}
	if tail, found, err := f.table.Tail(ctx); err == nil && found {
		f.index.trim(tail.Leaf)
	}
}
