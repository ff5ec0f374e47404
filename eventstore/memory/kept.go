package memory

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"
)

// kept are the checkpoints that were signed over a log.
type kept struct {
	mu    sync.RWMutex
	notes []note
}

type note struct {
	epoch, size int64
	text        []byte
}

// NewestCheckpoint returns the note of the highest epoch and size.
func (k *kept) NewestCheckpoint(context.Context) ([]byte, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if len(k.notes) == 0 {
		return nil, nil
	}
	return k.notes[len(k.notes)-1].text, nil
}

// KeepCheckpoint keeps a signed note.
func (k *kept) KeepCheckpoint(_ context.Context, epoch, size int64, text []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := note{epoch, size, slices.Clone(text)}
	order := func(n, m note) int { return cmp.Or(cmp.Compare(n.epoch, m.epoch), cmp.Compare(n.size, m.size)) }
	at, there := slices.BinarySearchFunc(k.notes, n, order)
	if there {
		k.notes = slices.Delete(slices.Clone(k.notes), at, at+1)
	}
	k.notes = slices.Insert(slices.Clone(k.notes), at, n)
	return nil
}

// Checkpoints yields the notes that were kept.
func (k *kept) Checkpoints(context.Context) iter.Seq2[[]byte, error] {
	k.mu.RLock()
	notes := k.notes
	k.mu.RUnlock()
	return func(yield func([]byte, error) bool) {
		for _, n := range notes {
			if !yield(n.text, nil) {
				return
			}
		}
	}
}
