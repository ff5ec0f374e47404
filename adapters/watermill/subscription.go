package watermill

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/ThreeDotsLabs/watermill/message"
)

// Pauses before something that failed is begun again.
const (
	minPause = 50 * time.Millisecond
	maxPause = 5 * time.Second
)

// A subscription is one topic's way through the log.
type subscription struct {
	Source
	filter   eventstore.Filter
	out      chan *message.Message
	progress progress
}

// run tells what comes until ctx or the subscriber ends. A message that is being
// handled then may be finished within the grace.
func (s *subscription) run(ctx, ending context.Context) {
	defer close(s.out)
	following, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(ending, stop)()
	living, die := context.WithCancel(context.WithoutCancel(ctx))
	defer die()
	var saving sync.WaitGroup
	saving.Go(func() { s.progress.keepSaving(following, s.Checkpoints, s.SaveEvery, s.Failed) })
	defer func() { stop(); saving.Wait(); s.progress.finish(ctx, s.Checkpoints, s.Failed) }()
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		began := time.Now()
		err := s.follow(following, living)
		if following.Err() != nil || errors.Is(err, eventstore.ErrClosed) {
			return
		}
		s.Failed(err)
		if time.Since(began) > maxPause {
			pause = minPause
		}
		if !waited(following, pause) {
			return
		}
	}
}

var errEnded = errors.New("watermill: the subscription ended")

// follow delivers from where the topic is until it fails.
func (s *subscription) follow(following, living context.Context) error {
	for item, err := range s.Log.Subscribe(following, s.progress.position(), s.filter) {
		if err != nil {
			return err
		}
		if item.Event != nil {
			if err := s.deliver(following, living, *item.Event); err != nil {
				return err
			}
		}
		s.progress.move(item.Mark)
	}
	return errEnded
}

// deliver hands an event out until it is acknowledged.
func (s *subscription) deliver(following, living context.Context, e eventstore.Event) error {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		m, err := messageOf(e)
		if err != nil {
			return err
		}
		handling, done := context.WithCancel(living)
		m.SetContext(handling)
		acked, err := s.hand(following, m)
		done()
		if acked || err != nil {
			return err
		}
		if !waited(following, pause) {
			return following.Err()
		}
	}
}

// hand hands a message out and returns what became of it.
func (s *subscription) hand(following context.Context, m *message.Message) (acked bool, err error) {
	select {
	case s.out <- m:
	case <-following.Done():
		return false, following.Err()
	}
	select {
	case <-m.Acked():
		return true, nil
	case <-m.Nacked():
		return false, nil
	case <-following.Done():
	}
	select { // it is being handled
	case <-m.Acked():
		return true, nil
	case <-m.Nacked():
	case <-time.After(s.Grace):
	}
	return false, following.Err()
}

// waited waits, and reports whether ctx still lasts.
func waited(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
