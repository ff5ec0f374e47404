package watermill

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/ThreeDotsLabs/watermill/message"
)

// Checkpoints keep how far a subscriber has got.
type Checkpoints interface {
	// Begin returns it. Who is not known, or further than the head that is
	// given, begins anew at the head, and that is durable.
	Begin(ctx context.Context, subscriber string, head eventstore.Position) (at eventstore.Position, anew bool, err error)
	// Save moves it forward, durably.
	Save(ctx context.Context, subscriber string, at eventstore.Position) error
}

// Source is what a [Subscriber] reads.
type Source struct {
	Name        string // of the subscriber: part of its checkpoints' names, so never changed
	Log         eventstore.Log
	Checkpoints Checkpoints
	Topics      func(topic string) eventstore.Filter

	// SaveEvery is the longest time after which an acknowledgement is
	// durable; 0 is a second. What was acknowledged since is told again after
	// a crash.
	SaveEvery time.Duration

	// Grace is how long Close waits for the message that is being handled.
	Grace time.Duration

	Anew   func(topic string, at eventstore.Position) // told when there was no checkpoint; may be nil
	Failed func(error)                                // told why a subscription was interrupted; may be nil
}

// A Subscriber is Watermill's [message.Subscriber] of the log. A topic is what
// a filter selects; the next event of a topic comes when the last one is
// acknowledged, and one that is refused comes again, so the order is the log's.
// Subscriptions that fail are begun again where they were. The checkpoint of a
// topic only moves over what was acknowledged: nothing is lost, and what came
// shortly before a crash is repeated. Nothing but its messages moves it, least
// of all when projections are built anew. Without a checkpoint it begins at the
// head: nobody is told a second time what was told before anybody kept track.
type Subscriber struct {
	from    Source
	ending  context.Context
	end     context.CancelFunc
	mu      sync.Mutex
	running sync.WaitGroup
}

var (
	_ message.Subscriber           = (*Subscriber)(nil)
	_ message.SubscribeInitializer = (*Subscriber)(nil)
)

// NewSubscriber returns a subscriber of a log. Close ends it.
func NewSubscriber(from Source) *Subscriber {
	if from.SaveEvery <= 0 {
		from.SaveEvery = time.Second
	}
	if from.Anew == nil {
		from.Anew = func(string, eventstore.Position) {}
	}
	if from.Failed == nil {
		from.Failed = func(error) {}
	}
	s := &Subscriber{from: from}
	s.ending, s.end = context.WithCancel(context.Background())
	return s
}

// Checkpoint is the name under which the checkpoint of a subscriber and topic
// is kept.
func Checkpoint(subscriber, topic string) string { return subscriber + "/" + topic }

// SubscribeInitialize has a topic begin no later than now.
func (s *Subscriber) SubscribeInitialize(topic string) error {
	_, err := s.begin(s.ending, topic)
	return err
}

func (s *Subscriber) begin(ctx context.Context, topic string) (eventstore.Position, error) {
	head, err := s.from.Log.Head(ctx)
	if err != nil {
		return 0, fmt.Errorf("watermill: subscribe to %s: %w", topic, err)
	}
	at, anew, err := s.from.Checkpoints.Begin(ctx, Checkpoint(s.from.Name, topic), head)
	if err != nil {
		return 0, fmt.Errorf("watermill: subscribe to %s: %w", topic, err)
	}
	if anew {
		s.from.Anew(topic, at)
	}
	return at, nil
}

// Subscribe implements [message.Subscriber]. The channel ends with ctx, with
// the subscriber, or with the log.
func (s *Subscriber) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	at, err := s.begin(ctx, topic)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending.Err() != nil {
		return nil, eventstore.ErrClosed
	}
	sub := &subscription{
		Source: s.from, filter: s.from.Topics(topic), out: make(chan *message.Message),
		progress: progress{name: Checkpoint(s.from.Name, topic), at: at, saved: at},
	}
	s.running.Go(func() { sub.run(ctx, s.ending) })
	return sub.out, nil
}

// Close ends all subscriptions, lets the messages that are being handled be
// acknowledged, and saves their checkpoints.
func (s *Subscriber) Close() error {
	s.mu.Lock()
	s.end()
	s.mu.Unlock()
	s.running.Wait()
	return nil
}
