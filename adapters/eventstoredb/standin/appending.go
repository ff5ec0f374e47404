package standin

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/google/uuid"
)

// An outcome is what an append or a deletion is answered with.
type outcome struct {
	verdict  verdict
	current  int64 // last revision of the stream
	position uint64
	placed   bool // whether there is a position
}

// append commits all of the proposals or none. A caller who has gone is not
// heard any more.
func (s *store) append(ctx context.Context, name string, expected int64, proposals []proposal) (outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return outcome{}, err
	}
	ids := make([]uuid.UUID, len(proposals))
	for i, p := range proposals {
		ids[i] = p.id
	}
	current := s.streams[name].last()
	v, last := s.decide(name, expected, ids)
	if v == repeated {
		return outcome{repeated, last.revision, last.position, s.shown(last)}, nil
	}
	if v != accepted || len(proposals) == 0 {
		return outcome{verdict: v, current: current}, nil
	}
	b := &batch{store: s}
	for i, p := range proposals {
		last = b.add(name, current+1+int64(i), p)
	}
	written := b.records
	s.undelete(b, name, current+1)
	if err := s.commit(b); err != nil {
		return outcome{}, err
	}
	for _, r := range written {
		s.recent.add(r)
	}
	return outcome{accepted, last.revision, last.position, true}, s.stats(len(written))
}

// shown reports whether a reader of the stream would still get the record. The
// answer to a repeated append has a position only then.
func (s *store) shown(r *record) bool {
	return !s.truncation(r.stream, everything).hides(r, s.streams[r.stream].last(), s.now())
}

// undelete lets a softly deleted stream begin again at a revision: the events
// before it stay hidden. Metadata that is written to such a stream does the
// same.
func (s *store) undelete(b *batch, name string, from int64) {
	raw, of := []byte(nil), name
	if original, ok := strings.CutPrefix(name, "$$"); ok {
		of, from = original, s.streams[original].last()+1
		raw = b.content[len(b.content)-1]
	} else if st := s.streams[name]; st != nil {
		raw = st.rawMeta
	}
	if !s.softlyDeleted(of) {
		return
	}
	meta := map[string]any{}
	if json.Unmarshal(raw, &meta) != nil {
		return
	}
	meta["$tb"] = from
	data, err := json.Marshal(meta)
	if err != nil {
		return
	}
	last := s.streams["$$"+of].last()
	if name != of {
		last = b.records[len(b.records)-1].revision
	}
	b.add("$$"+of, last+1, proposal{id: uuid.New(), kind: "$metadata", json: true, data: data})
}
