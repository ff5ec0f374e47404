package projections

import (
	"context"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// waits lets others wait until a projection has reached a position.
type waits struct {
	hurry chan struct{} // a word that somebody waits, of which one is enough

	mu      sync.Mutex
	reached eventstore.Position
	moved   chan struct{} // closed when reached grows
	count   int           // of who waits
}

func newWaits(at eventstore.Position) waits {
	return waits{hurry: make(chan struct{}, 1), reached: at, moved: make(chan struct{})}
}

func (w *waits) at() eventstore.Position {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reached
}

func (w *waits) waiting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.count > 0
}

// is corrects the position to what the database says, even if that is less.
func (w *waits) is(p eventstore.Position) {
	w.mu.Lock()
	w.reached = min(w.reached, p)
	w.mu.Unlock()
	w.reach(p)
}

func (w *waits) reach(p eventstore.Position) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p > w.reached {
		w.reached = p
		close(w.moved)
		w.moved = make(chan struct{})
	}
}

// wait returns when p is reached, or the error of ctx.
func (w *waits) wait(ctx context.Context, p eventstore.Position) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count++
	defer func() { w.count-- }()
	for w.reached < p {
		moved := w.moved
		w.mu.Unlock()
		select {
		case w.hurry <- struct{}{}:
		default:
		}
		var err error
		select {
		case <-moved:
		case <-ctx.Done():
			err = ctx.Err()
		}
		w.mu.Lock()
		if err != nil {
			return err
		}
	}
	return nil
}

// rest returns after a long while, or a short one if somebody waits.
func (w *waits) rest(ctx context.Context, long, short time.Duration) {
	timer := time.NewTimer(long)
	defer timer.Stop()
	if w.waiting() {
		timer.Reset(short)
	}
	select {
	case <-timer.C:
	case <-w.hurry:
	case <-ctx.Done():
	}
}
