package standin

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// faults are what was injected into a node.
type faults struct {
	mu   sync.Mutex
	list atomic.Pointer[[]*Fault]
}

// inject adds a fault behind the others.
func (fs *faults) inject(f Fault) (heal func()) {
	fs.set(func(list []*Fault) []*Fault { return append(slices.Clone(list), &f) })
	return func() {
		fs.set(func(list []*Fault) []*Fault {
			return slices.DeleteFunc(slices.Clone(list), func(other *Fault) bool { return other == &f })
		})
	}
}

func (fs *faults) set(change func([]*Fault) []*Fault) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	var list []*Fault
	if old := fs.list.Load(); old != nil {
		list = *old
	}
	list = change(list)
	fs.list.Store(&list)
}

// hit lets the faults strike, in order, until one ends the call.
func (n *Node) hit(ctx context.Context, at Point, stream string, message int) error {
	list := n.faults.list.Load()
	if list == nil {
		return nil
	}
	for _, f := range *list {
		if err := n.suffer(ctx, (*f)(at, stream, message)); err != nil {
			return err
		}
	}
	return nil
}
