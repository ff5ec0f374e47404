package standin

import (
	"math"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
)

// place returns the index in the log at which a read of $all begins. A
// position must be one of a record, or the end.
func (v view) place(log []*record, o *streams.ReadReq_Options) (int, error) {
	backwards := o.GetReadDirection() == streams.ReadReq_Options_Backwards
	switch at := o.GetAll().GetAllOption().(type) {
	case *streams.ReadReq_Options_AllOptions_End:
		return len(log), nil
	case *streams.ReadReq_Options_AllOptions_Position:
		p := at.Position
		if p.GetCommitPosition() == math.MaxUint64 {
			return len(log), nil
		}
		if !v.valid(log, p.GetCommitPosition(), backwards) {
			return 0, badRead
		}
		i := search(log, p.GetCommitPosition())
		switch {
		case !backwards && i < len(log) && log[i].position == p.GetCommitPosition() && log[i].position < p.GetPreparePosition():
			i++ // the record is before the position as a pair
		case backwards && i > 0 && log[i-1].end == p.GetCommitPosition() && log[i-1].end > p.GetPreparePosition():
			i--
		}
		return i, nil
	}
	return 0, nil
}

// valid reports whether something can be read at a position. Forwards, all
// that lies behind the end is as good as the end.
func (v view) valid(log []*record, position uint64, backwards bool) bool {
	if position == 0 || len(log) == 0 {
		return true
	}
	last := log[len(log)-1]
	if position >= last.end {
		return !backwards || position == last.end
	}
	if i := search(log, position); i < len(log) && log[i].position == position {
		return true
	}
	v.store.mu.RLock()
	defer v.store.mu.RUnlock()
	return v.store.scavenged[position]
}
