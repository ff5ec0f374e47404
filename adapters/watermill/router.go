package watermill

import (
	"context"
	"errors"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
)

const (
	handleTime = 15 * time.Second // one try of a handler
	drainTime  = 10 * time.Second // what is being handled at the end
	ourRetries = 3                // of what failed on our side, within a second or two
)

// Run schedules and sends until ctx ends, and then until what is being handled
// has ended and the checkpoint is saved. It goes on after whatever fails.
func (d *Deliveries) Run(ctx context.Context) {
	for pause := minPause; ctx.Err() == nil; pause = min(2*pause, maxPause) {
		began := time.Now()
		if err := d.route(ctx); err != nil {
			d.Failed(err)
		}
		if time.Since(began) > maxPause {
			pause = minPause
		}
		waited(ctx, pause)
	}
}

// route runs one router to its end.
func (d *Deliveries) route(ctx context.Context) error {
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: drainTime}, quietly(d.Log))
	if err != nil {
		return err
	}
	poison, err := middleware.PoisonQueueWithFilter(unreadable{d}, topicPoison, func(err error) bool { return !passing(err) })
	if err != nil {
		return err
	}
	release := newRelease(d)
	d.queues.Store(release.queues)
	defer d.queues.Store(nil)
	obliging := NewSubscriber(Source{
		Name: d.Name, Log: d.Journal.Log, Checkpoints: d.Checkpoints, Grace: drainTime, Failed: d.Failed,
		Topics: func(string) eventstore.Filter { return eventstore.Filter{Categories: d.Categories} },
	})
	retry := middleware.Retry{
		MaxRetries: ourRetries, InitialInterval: 100 * time.Millisecond, MaxInterval: time.Second, Multiplier: 2, RandomizationFactor: 0.5,
		ResetContextOnRetry: true, ShouldRetry: func(p middleware.RetryParams) bool { return again(p.Err) },
	}
	each := []message.HandlerMiddleware{retry.Middleware, middleware.Timeout(handleTime), middleware.Recoverer}
	router.AddMiddleware(d.telling)
	schedule := router.AddConsumerHandler("schedule", TopicObliging, obliging, d.scheduling(release))
	schedule.AddMiddleware(poison)
	schedule.AddMiddleware(each...)
	router.AddConsumerHandler("send", topicDue, release, d.send).AddMiddleware(each...)

	// The router gets no context that ends: what is being handled is finished.
	defer context.AfterFunc(ctx, func() { d.tell(router.Close()) })()
	err = router.Run(context.WithoutCancel(ctx))
	return errors.Join(err, obliging.Close(), release.Close())
}

// telling reports what a handler failed with for good or for now.
func (d *Deliveries) telling(h message.HandlerFunc) message.HandlerFunc {
	return func(m *message.Message) ([]*message.Message, error) {
		produced, err := h(m)
		d.tell(err)
		return produced, err
	}
}

func (d *Deliveries) tell(err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		d.Failed(err)
	}
}

// again reports whether a handler may be tried again at once.
func again(err error) bool {
	return passing(err) && !errors.Is(err, errUnrecorded) && !errors.Is(err, context.Canceled)
}
