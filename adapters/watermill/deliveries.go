package watermill

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/projections"
)

// What deliveries need from elsewhere.
type (
	// Notices knows what an event obliges to tell, and how it is told.
	Notices interface {
		Schedule(ctx context.Context, e eventstore.Decoded) ([]string, error)
		Compose(ctx context.Context, id string, d delivery.State) (api.Message, error)
	}

	// Due lists deliveries of which an attempt is due, the longest due first,
	// those after one if that is not zero. Its answer may be a little old, and
	// then names some that are not due.
	Due interface {
		Due(ctx context.Context, now time.Time, limit int, after projections.Delivery) ([]projections.Delivery, error)
	}

	// A Poster sends a message by the rules of outbound requests and returns
	// what came of it and how the answer began, at most [MaxAnswer] bytes. It
	// gives up when ctx ends.
	Poster interface {
		Post(ctx context.Context, m api.Message) (a delivery.Answer, said []byte)
	}

	// Metrics counts what becomes of deliveries.
	Metrics interface {
		Delivery(kind, outcome string)
	}
)

// What an attempt or a delivery comes to, for [Metrics].
const (
	Delivered = "delivered"
	Failed    = "failed"    // it will be tried again
	Parked    = "parked"    // it will not
	Postponed = "postponed" // nothing was sent: the receiver's breaker is open
)

// MaxAnswer bounds what is read of a receiver's answer.
const MaxAnswer = 4 << 10

// The topics of [Deliveries].
const (
	TopicObliging = "obliging" // events that oblige to tell
	topicDue      = "due"      // deliveries of which an attempt is due
	topicPoison   = "poison"   // events that nobody can read
)

// Config is what [Deliveries] work with.
type Config struct {
	Name        string // of the subscriber, see [Source]
	Journal     *eventstore.Journal
	Checkpoints Checkpoints
	Categories  []string // of the streams whose events oblige
	Notices     Notices
	Due         Due
	Poster      Poster
	Metrics     Metrics
	Meta        event.Meta // of what the platform records by itself
	Now         func() time.Time
	Log         *slog.Logger
	Failed      func(error) // told of what will be tried again
}

// Deliveries tell others what the log says. One node at a time runs them.
type Deliveries struct {
	Config

	streams  eventstore.Streams[delivery.State, delivery.Command, delivery.Event]
	breakers *breakers
	queues   atomic.Pointer[queues] // of the router that runs, nil before
}

// NewDeliveries returns deliveries that [Deliveries.Run] runs.
func NewDeliveries(c Config) *Deliveries {
	d := &Deliveries{Config: c, breakers: newBreakers()}
	d.streams.Journal, d.streams.Kind = c.Journal, "delivery"
	return d
}

// BreakersOpen is to how many receivers nothing is sent at the moment, because
// they did not answer.
func (d *Deliveries) BreakersOpen() int { return d.breakers.open() }

// Backlog is how many deliveries this node knows to be due or is attempting. A
// queue that is full hides others.
func (d *Deliveries) Backlog() int {
	if q := d.queues.Load(); q != nil {
		return q.size()
	}
	return 0
}

// A notification is a delivery as its stream tells it, and the metadata of its
// schedule, which says whose it is.
type notification struct {
	id    string
	state delivery.State
	meta  event.Meta
}

func (d *Deliveries) load(ctx context.Context, id string) (n notification, err error) {
	n.id = id
	for e, err := range d.Journal.Read(ctx, d.streams.Stream(id)) {
		if err != nil {
			return n, err
		}
		if e.Revision == 0 {
			n.meta = e.Metadata
		}
		if body, ok := e.Body.(delivery.Event); ok {
			n.state = n.state.Evolve(body)
		}
	}
	return n, nil
}

// metaOf is the metadata of what is recorded of a delivery.
func (d *Deliveries) metaOf(n notification) event.Meta {
	m := d.Meta
	m.Issuer, m.Client, m.Subject, m.Correlation = n.meta.Issuer, n.meta.Client, n.meta.Subject, n.meta.Correlation
	return m
}
