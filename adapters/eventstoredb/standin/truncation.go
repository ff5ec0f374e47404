package standin

import (
	"encoding/json"
	"sort"
	"strings"
	"time"
)

// A truncation is what the metadata of a stream hides of it.
type truncation struct {
	position uint64 // of the metadata

	MaxCount *int64 `json:"$maxCount"`
	MaxAge   *int64 `json:"$maxAge"` // seconds
	Before   *int64 `json:"$tb"`
}

// parseTruncation takes what is no JSON for metadata that hides nothing.
func parseTruncation(position uint64, data []byte) truncation {
	var t truncation
	if json.Unmarshal(data, &t) != nil {
		t = truncation{}
	}
	t.position = position
	return t
}

// softlyDeleted reports whether the stream is gone until the next append.
func (t truncation) softlyDeleted() bool { return t.Before != nil && *t.Before == deleted }

// hides reports whether a record of a stream with the given last revision is
// not to be read.
func (t truncation) hides(r *record, last int64, now time.Time) bool {
	switch {
	case t.Before != nil && r.revision < *t.Before,
		t.MaxCount != nil && r.revision <= last-*t.MaxCount,
		t.MaxAge != nil && r.created.Before(now.Add(-time.Duration(*t.MaxAge)*time.Second)):
		return true
	}
	return false
}

var one int64 = 1

// truncation returns what applies to a stream for those who see no further
// than the horizon. Of metadata only the last event is shown. The caller holds
// the lock.
func (s *store) truncation(name string, horizon uint64) truncation {
	if strings.HasPrefix(name, "$$") {
		return truncation{MaxCount: &one}
	}
	st := s.streams[name]
	if st == nil {
		return truncation{}
	}
	for i := len(st.truncations) - 1; i >= 0; i-- {
		if st.truncations[i].position < horizon {
			return st.truncations[i]
		}
	}
	return truncation{}
}

// A state is what a reader meets at a stream's name.
type state int

const (
	readable state = iota
	absent
	tombstoned
)

// stream returns what can be read of a stream, and its last revision.
func (v view) stream(name string) (visible []*record, last int64, is state) {
	v.store.mu.RLock()
	defer v.store.mu.RUnlock()
	var all []*record
	if st := v.store.streams[name]; st != nil {
		all = st.records[:search(st.records, v.horizon)]
	}
	t := v.store.truncation(name, v.horizon)
	if len(all) == 0 || t.softlyDeleted() {
		return nil, -1, absent
	}
	last = all[len(all)-1].revision
	if last == deleted {
		return nil, last, tombstoned
	}
	return t.visible(all, last, v.store.now()), last, readable
}

// visible returns the records that are not hidden.
func (t truncation) visible(all []*record, last int64, now time.Time) []*record {
	if t.MaxAge == nil { // what is hidden is a beginning
		n := sort.Search(len(all), func(i int) bool { return !t.hides(all[i], last, now) })
		return all[n:len(all):len(all)]
	}
	var visible []*record // a clock may have been set back
	for _, r := range all {
		if !t.hides(r, last, now) {
			visible = append(visible, r)
		}
	}
	return visible
}
