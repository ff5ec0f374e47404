package projections

import (
	"context"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// Health is how a projection fares.
type Health struct {
	Name     string              `json:"name"`
	Version  int                 `json:"version"`
	Position eventstore.Position `json:"position"` // folded in up to here
	Head     eventstore.Position `json:"head"`     // of the log
	Failing  string              `json:"failing,omitempty"`
	Failures int                 `json:"failures,omitempty"` // in a row
	Since    time.Time           `json:"since,omitzero"`     // of the first of them
}

// Lag is how many positions of the log the projection has not yet seen.
func (h Health) Lag() uint64 { return behind(h.Head, h.Position) }

func behind(head, at eventstore.Position) uint64 {
	if head <= at {
		return 0
	}
	return uint64(head - at)
}

// health is what a follower remembers of its failures.
type health struct {
	mu       sync.Mutex
	err      error
	failures int
	since    time.Time
}

func (h *health) well() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.err, h.failures = nil, 0
}

// failed remembers a failure and returns how many came in a row.
func (h *health) failed(err error) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failures == 0 {
		h.since = time.Now().UTC()
	}
	h.err = err
	h.failures++
	return h.failures
}

func (h *health) fill(to *Health) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err != nil {
		to.Failing, to.Failures, to.Since = h.err.Error(), h.failures, h.since
	}
}

// Run keeps every projection in step with the log until ctx ends, or sees to
// it that another node does. One that fails is started again after a while,
// from its checkpoint; the others go on.
func (s *Set) Run(ctx context.Context) {
	var all sync.WaitGroup
	for _, f := range s.followers {
		all.Go(func() {
			if s.lead == nil {
				s.supervise(ctx, f)
			} else {
				s.stand(ctx, f)
			}
		})
	}
	all.Wait()
}

func (s *Set) supervise(ctx context.Context, f *follower) {
	for ctx.Err() == nil {
		err := f.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		failures := f.state.failed(err)
		pause := s.backoff(failures)
		s.log.ErrorContext(ctx, "projection failed", "projection", f.Name, "position", f.waits.at(),
			"failures", failures, "again_in", pause, "err", err)
		s.pause(ctx, pause)
	}
}

// backoff doubles from a quarter of a second to a minute.
func backoff(failures int) time.Duration {
	return min(250*time.Millisecond<<min(failures-1, 8), time.Minute)
}

// Health reports on every projection.
func (s *Set) Health(ctx context.Context) ([]Health, error) {
	head, err := s.journal.Log.Head(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Health, len(s.followers))
	for i, f := range s.followers {
		all[i] = Health{Name: f.Name, Version: f.Version, Position: f.waits.at(), Head: head}
		if s.lead != nil && !f.folds.Load() {
			if at, err := f.position(ctx); err == nil {
				f.waits.is(at)
				all[i].Position = at
			}
		}
		f.state.fill(&all[i])
	}
	return all, nil
}
