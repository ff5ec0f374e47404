package projections

import (
	"context"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// How often who does not fold looks how far the tables have come: seldom, and
// more often while somebody waits for that.
const (
	glance = time.Second
	stare  = 20 * time.Millisecond
)

// office is what a node is elected for: every version of a projection has
// tables, and nodes, of its own.
func (p Projection) office() string { return fmt.Sprintf("projection-%s-v%d", p.Name, p.Version) }

// stand folds while this node is elected, and otherwise looks how far the one
// that is has come.
func (s *Set) stand(ctx context.Context, f *follower) {
	for ctx.Err() == nil {
		rest := s.watch(ctx, f)
		s.lead(ctx, f.office(), func(elected context.Context) {
			rest()
			f.folds.Store(true)
			tidy, stop := context.WithCancel(elected)
			tidied := make(chan struct{})
			go func() { defer close(tidied); s.retire(tidy, f) }()
			s.supervise(elected, f)
			stop()
			<-tidied
			f.folds.Store(false)
			rest = s.watch(ctx, f)
		})
		rest()
		s.pause(ctx, glance)
	}
}

// watch follows the checkpoint in the database until stopped.
func (s *Set) watch(ctx context.Context, f *follower) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			s.look(ctx, f)
			f.waits.rest(ctx, glance, stare)
		}
	}()
	return func() { cancel(); <-ended }
}

func (s *Set) look(ctx context.Context, f *follower) {
	at, err := f.position(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		if f.state.failed(err) == 1 {
			s.log.ErrorContext(ctx, "projection cannot be read", "projection", f.Name, "err", err)
		}
	default:
		f.state.well()
		f.waits.is(at)
	}
}

// How long a build must stand still before it counts as left behind, and how
// often one looks.
const (
	abandoned = 15 * time.Minute
	round     = time.Minute
)

// retire drops what is left over of a projection in a shared database, while
// this node folds it. It knows nothing of other nodes, so it drops only what
// stands still although it had something to do.
func (s *Set) retire(ctx context.Context, f *follower) {
	seen := standing{}
	for s.pause(ctx, round) {
		head, err := s.journal.Log.Head(ctx)
		if err != nil {
			continue
		}
		var all []known
		if err := f.db.read(ctx, f.active(), func(tx *Tx) (err error) {
			all, err = tx.known(ctx)
			return err
		}); err != nil {
			continue
		}
		for _, old := range seen.still(leftOver(all, f.Version), head, time.Now()) {
			if err := f.db.drop(ctx, old.build); err == nil {
				s.log.InfoContext(ctx, "tables dropped", "projection", f.Name, "version", old.Version, "generation", old.generation)
			}
		}
	}
}

// standing remembers since when builds have been where they are.
type standing map[[2]int]stood

type stood struct {
	at    eventstore.Position
	since time.Time
}

// still returns the builds that have stood still for long enough. An active
// one whose log has ended stands still too, but is not left behind.
func (seen standing) still(all []known, head eventstore.Position, now time.Time) (left []known) {
	for _, k := range all {
		id := [2]int{k.Version, k.generation}
		before, known := seen[id]
		if !known || before.at != k.position || k.active && k.position >= head {
			seen[id] = stood{k.position, now}
			continue
		}
		if now.Sub(before.since) >= abandoned {
			left = append(left, k)
		}
	}
	return left
}

// pause reports whether a while went by before ctx ended.
func (s *Set) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
