package standin

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// delete deletes a stream, softly or for ever.
func (s *store) delete(ctx context.Context, name string, expected int64, forEver bool) (outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return outcome{}, err
	}
	id := uuid.New()
	current, meta := s.streams[name].last(), s.streams["$$"+name].last()
	v, _ := s.decide(name, expected, []uuid.UUID{id})
	if v == accepted && !forEver && current < 0 && meta < 0 {
		v = conflict
	}
	if v != accepted {
		return outcome{verdict: v, current: current}, nil
	}
	b := &batch{store: s}
	if forEver {
		b.add(name, deleted, proposal{id: id, kind: "$streamDeleted"})
	} else {
		b.add("$$"+name, meta+1, proposal{id: id, kind: "$metadata", json: true, data: fmt.Appendf(nil, `{"$tb":%d}`, int64(deleted))})
	}
	if err := s.commit(b); err != nil {
		return outcome{}, err
	}
	return outcome{accepted, current, b.records[0].position, true}, nil
}

// scavenge removes what truncation hides and what tombstones cover, except the
// last event of a stream, and returns how many events went. Positions stay
// what they were.
func (s *store) scavenge() (removed int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.scavenged == nil {
		s.scavenged = map[uint64]bool{}
	}
	var kept []*record
	for _, st := range s.streams {
		st.records = nil
	}
	last := map[string]int64{}
	for _, r := range s.log {
		last[r.stream] = r.revision
	}
	for _, r := range s.log {
		hidden := last[r.stream] == deleted || s.truncation(r.stream, everything).hides(r, last[r.stream], now)
		if hidden && r.revision != last[r.stream] {
			s.scavenged[r.position] = true
			removed++
			continue
		}
		kept = append(kept, r)
		st := s.stream(r.stream)
		st.records = append(st.records, r)
	}
	s.log = kept
	return removed
}
