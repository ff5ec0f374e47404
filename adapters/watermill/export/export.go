// Package export publishes every event of the log to a broker, through
// Watermill's own publishers for NATS JetStream and Kafka.
//
//	log --Subscriber--> Run --Publisher--> subject "<prefix>.<category>", or topic
//	        |
//	    checkpoint
//
// A message is an event as it is stored: personal fields stay sealed. Its UUID
// is the event's id, by which a receiver knows what it has got twice; its
// position, which has no gaps, tells what is missing. It begins with the first
// event of the log, keeps the order of the log, and delivers at least once. A
// broker that does not answer holds up nothing but its export.
package export

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/chirograph/chirograph/adapters/watermill"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/ThreeDotsLabs/watermill/message"
)

const (
	everything  = "everything"     // the topic of the log
	publishTime = 5 * time.Second  // until the broker has acknowledged one message
	firstPause  = time.Second      // before a broker is looked for again
	lastPause   = 30 * time.Second // likewise, after many failures
)

// A Target is a broker and where in it messages go.
type Target interface {
	// Open connects. It may succeed before the broker can be reached; then
	// publishing fails until it can.
	Open() (message.Publisher, error)
	// Topic is what Watermill's publisher calls the destination of a message.
	Topic(m *message.Message) string
	// Check returns why nothing can be published now, or nil.
	Check(ctx context.Context) error
}

// Export is the way of the log to one target.
type Export struct {
	Name        string // of the subscriber: part of its checkpoint's name, so never changed
	Target      Target
	Log         eventstore.Log
	Checkpoints watermill.Checkpoints
	Failed      func(error) // told of what will be tried again

	at      atomic.Uint64
	running atomic.Bool
}

// Run publishes until ctx ends, and then saves how far it has got. It goes on
// after whatever fails.
func (e *Export) Run(ctx context.Context) {
	e.running.Store(true)
	defer e.running.Store(false)
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, lastPause) {
		if err := e.follow(ctx); err != nil && ctx.Err() == nil {
			e.Failed(fmt.Errorf("export %s: %w", e.Name, err))
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// follow publishes over one connection until ctx or the log ends.
func (e *Export) follow(ctx context.Context) error {
	from := watermill.NewSubscriber(watermill.Source{
		Name: e.Name, Log: e.Log, Checkpoints: fromTheStart{e.Checkpoints, e.reached}, Grace: publishTime, Failed: e.Failed,
		Topics: func(string) eventstore.Filter { return eventstore.Filter{} },
	})
	defer from.Close()
	if err := from.SubscribeInitialize(everything); err != nil {
		return err
	}
	to, err := e.Target.Open()
	if err != nil {
		return err
	}
	defer to.Close()
	events, err := from.Subscribe(context.WithoutCancel(ctx), everything) // what is being published is finished
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { from.Close() })()
	for m := range events {
		if err := to.Publish(e.Target.Topic(m), m); err != nil {
			e.Failed(fmt.Errorf("export %s: event %s: %w", e.Name, m.UUID, err))
			m.Nack()
			continue
		}
		if position, err := strconv.ParseUint(m.Metadata[watermill.HeaderPosition], 10, 64); err == nil {
			e.reached(eventstore.Position(position))
		}
		m.Ack()
	}
	return nil
}

func (e *Export) reached(at eventstore.Position) { e.at.Store(uint64(at)) }

// Behind is how many events the target has not got yet; 0 where nothing is
// exported because another node does it.
func (e *Export) Behind(ctx context.Context) (uint64, error) {
	if !e.Running() {
		return 0, nil
	}
	head, err := e.Log.Head(ctx)
	if at := e.at.Load(); err == nil && uint64(head) > at {
		return uint64(head) - at, nil
	}
	return 0, err
}

// Running reports whether this process exports.
func (e *Export) Running() bool { return e.running.Load() }

// fromTheStart has who is not known begin with the first event of the log.
type fromTheStart struct {
	watermill.Checkpoints
	began func(eventstore.Position)
}

// Begin implements [watermill.Checkpoints].
func (c fromTheStart) Begin(ctx context.Context, name string, head eventstore.Position) (eventstore.Position, bool, error) {
	if err := c.Save(ctx, name, 0); err != nil { // it never moves back
		return 0, false, err
	}
	at, anew, err := c.Checkpoints.Begin(ctx, name, head)
	if err == nil {
		c.began(at)
	}
	return at, anew, err
}
