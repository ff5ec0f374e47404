package standin

import (
	"cmp"
	"slices"

	"github.com/google/uuid"
)

// What an append may expect of a stream besides a revision.
const (
	noStream     = -1
	anyRevision  = -2
	streamExists = -4
)

// A verdict is what becomes of an append.
type verdict int

const (
	accepted verdict = iota
	repeated         // the events are in the stream already: answered as the first time
	conflict
	gone // the stream is deleted
)

// decide follows the order in which a server checks a write: tombstone,
// existence, ids that it has seen, revision. The record is the last of a
// repeated append. The caller holds the lock.
func (s *store) decide(name string, expected int64, ids []uuid.UUID) (verdict, *record) {
	st := s.streams[name]
	current := st.last()
	if current == deleted {
		return gone, nil
	}
	switch {
	case expected == streamExists && s.softlyDeleted(name):
		return gone, nil
	case expected == streamExists && current < 0 && s.streams["$$"+name].last() < 0:
		return conflict, nil
	case expected == streamExists || expected == anyRevision:
		return s.remembered(name, ids)
	case expected < current:
		return s.compared(name, expected, ids)
	case expected > current:
		return conflict, nil
	}
	return accepted, nil
}

// remembered judges by the ids of late: an append that was first made long ago
// is taken for a new one.
func (s *store) remembered(name string, ids []uuid.UUID) (verdict, *record) {
	var last *record
	for i, id := range ids {
		r := s.recent.at[id]
		switch {
		case (r == nil || r.stream != name) && i == 0:
			return accepted, nil
		case r == nil || r.stream != name:
			return conflict, nil // only a part was there
		}
		last = r
	}
	if last == nil {
		return accepted, nil
	}
	return repeated, last
}

// compared judges by what the stream holds after the expected revision, of any
// age.
func (s *store) compared(name string, expected int64, ids []uuid.UUID) (verdict, *record) {
	var last *record
	for i, id := range ids {
		r := s.streams[name].at(expected + 1 + int64(i))
		switch {
		case r != nil && r.id == id:
			last = r
		case i == 0 && expected == noStream && s.softlyDeleted(name):
			return accepted, nil
		default:
			return conflict, nil
		}
	}
	if last == nil {
		return conflict, nil
	}
	return repeated, last
}

func (s *store) softlyDeleted(name string) bool {
	return s.truncation(name, everything).softlyDeleted()
}

// at returns the record of a revision, nil if there is none.
func (s *stream) at(revision int64) *record {
	i, found := slices.BinarySearchFunc(s.records, revision, func(r *record, n int64) int { return cmp.Compare(r.revision, n) })
	if !found {
		return nil
	}
	return s.records[i]
}
