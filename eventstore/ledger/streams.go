package ledger

import (
	"context"
	"fmt"
	"hash/maphash"

	"github.com/chirograph/chirograph/eventstore"
)

// streams follows the revisions of every stream. It remembers a 64-bit hash
// of each name, so that millions of streams fit into memory.
type streams struct {
	seed maphash.Seed
	next map[uint64]uint32
}

func newStreams() streams { return streams{maphash.MakeSeed(), map[uint64]uint32{}} }

func (s streams) count() int64 { return int64(len(s.next)) }

// follow demands that e is the next event of its stream.
func (s streams) follow(ctx context.Context, log Source, e eventstore.Event) error {
	key := maphash.String(s.seed, string(e.Stream))
	want := eventstore.Revision(s.next[key])
	if e.Revision != want && !preceded(ctx, log, e) {
		return &AlteredError{Position: e.Position, What: fmt.Sprintf("revision %d of %s where %d must be", e.Revision, e.Stream, want)}
	}
	s.next[key] = uint32(e.Revision) + 1
	return nil
}

// preceded settles the rare case that two streams share a hash: it asks the
// log whether e is at its revision, right after the one before it.
func preceded(ctx context.Context, log Source, e eventstore.Event) bool {
	reader, ok := log.(eventstore.Log)
	if !ok {
		return false
	}
	next := max(e.Revision-1, 0)
	for found, err := range reader.ReadStream(ctx, e.Stream, next) {
		if err != nil || found.Revision != next {
			return false
		}
		if next == e.Revision {
			return found.Position == e.Position
		}
		next++
	}
	return false
}
