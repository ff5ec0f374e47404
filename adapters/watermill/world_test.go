package watermill

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
	"github.com/chirograph/chirograph/projections"

	"github.com/google/uuid"
)

const lifetime = 2 * time.Minute

// A world is deliveries over a log, for which every denied request is a ping to
// "https://<its id>.example".
type world struct {
	*Deliveries
	log  eventstore.Log
	kept *kept
	keys *memory.Keys

	mu       sync.Mutex
	receive  func(ctx context.Context, host string, n int) (delivery.Answer, string) // n counts from 1
	received map[string][]time.Time
	counted  map[string]int
	failures []error
	compose  func(id string) error
	schedule func(id string) error
	over     chan struct{} // closed before the end, so that nobody hangs
}

func newWorld(t *testing.T, receive func(ctx context.Context, host string, n int) (delivery.Answer, string)) *world {
	t.Helper()
	w := &world{
		log: memory.New(time.Now), kept: &kept{}, keys: &memory.Keys{}, receive: receive,
		received: map[string][]time.Time{}, counted: map[string]int{},
		compose: func(string) error { return nil }, schedule: func(string) error { return nil },
		over: make(chan struct{}),
	}
	journal := &eventstore.Journal{Log: w.log, Codec: &eventstore.Codec{Registry: catalogue.Events, Keys: w.keys, Log: w.log.ID()}}
	w.Deliveries = NewDeliveries(Config{
		Name: "deliveries", Journal: journal, Checkpoints: w.kept, Categories: []string{"backchannel"},
		Notices: notices{w}, Due: due{w}, Poster: poster{w}, Metrics: counts{w}, Meta: event.Meta{Actor: event.ActorSystem},
		Now: time.Now, Log: slog.New(slog.DiscardHandler), Failed: w.failed,
	})
	return w
}

// running runs deliveries until the test or the returned function ends them.
func (w *world) running(t *testing.T) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	synctest.Wait() // it has begun at the head
	once := sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(func() {
		select {
		case <-w.over:
		default:
			close(w.over)
		}
		synctest.Wait() // Watermill's router waits for its handlers under a lock, where no time passes
		once()
	})
	return once
}

// deny has a request denied, which obliges to a ping.
func (w *world) deny(t *testing.T, id string) {
	t.Helper()
	m := event.Meta{Actor: event.ActorCustomer, Client: "shop", Subject: "alice", Correlation: "backchannel-" + id}
	_, err := w.Journal.Commit(context.Background(), m, eventstore.Draft{
		Stream: eventstore.Stream("backchannel-" + id), Expect: eventstore.Unchecked(),
		Events: []any{backchannel.Denied{By: backchannel.Customer}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// hangs does not answer.
func (w *world) hangs(ctx context.Context) (delivery.Answer, string) {
	select {
	case <-ctx.Done():
	case <-w.over:
	}
	return delivery.Answer{Failure: "no answer in time"}, ""
}

// of returns the state of the delivery of a request, and its events as words.
func (w *world) of(t *testing.T, id string) (state delivery.State, told []string) {
	t.Helper()
	for e, err := range w.Journal.ReadAll(context.Background(), 0, eventstore.Filter{Categories: []string{"delivery"}}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Metadata.Correlation != "backchannel-"+id {
			continue
		}
		body := e.Body.(delivery.Event)
		state = state.Evolve(body)
		switch body := body.(type) {
		case delivery.Attempted:
			told = append(told, fmt.Sprintf("%d %s%s", body.Status, body.Failure, body.Answer))
		case delivery.Delivered:
			told = append(told, "delivered")
		case delivery.Parked:
			told = append(told, "parked: "+body.Reason)
		}
	}
	return state, told
}

func (w *world) times(id string) []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.received[id+".example"])
}

func (w *world) count(outcome string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counted[outcome]
}

func (w *world) failed(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = append(w.failures, err)
}

func (w *world) said() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.failures...)
}

type notices struct{ *world }

func (n notices) Schedule(ctx context.Context, e eventstore.Decoded) ([]string, error) {
	if err := n.schedule(e.Stream.ID()); err != nil {
		return nil, err
	}
	id := uuid.NewSHA1(e.ID, nil).String()
	now := time.Now()
	_, err := n.streams.Execute(ctx, e.Metadata, id, delivery.Schedule{Scheduled: delivery.Scheduled{
		Kind: delivery.Ping, Client: e.Metadata.Client, Backchannel: e.Stream.ID(), Receiver: "https://" + e.Stream.ID() + ".example/cb",
		Cause: e.ID.String(), Due: now, Until: now.Add(lifetime),
	}})
	if errors.Is(err, delivery.ErrExists) {
		return nil, nil
	}
	return []string{id}, err
}

func (n notices) Compose(_ context.Context, _ string, d delivery.State) (api.Message, error) {
	id := d.Scheduled().Backchannel
	return api.Message{URL: d.Scheduled().Receiver, Bearer: "notification-token-of-" + id, Body: []byte(`{"auth_req_id":"auth-req-id-of-` + id + `"}`)},
		n.compose(id)
}

type poster struct{ *world }

func (p poster) Post(ctx context.Context, m api.Message) (delivery.Answer, []byte) {
	host := origin(m.URL)[len("https://"):]
	p.mu.Lock()
	p.received[host] = append(p.received[host], time.Now())
	n := len(p.received[host])
	p.mu.Unlock()
	answer, said := p.receive(ctx, host, n)
	return answer, []byte(said)
}

type counts struct{ *world }

func (c counts) Delivery(_, outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counted[outcome]++
}

// due answers from the log itself.
type due struct{ *world }

func (d due) Due(ctx context.Context, now time.Time, limit int, after projections.Delivery) (all []projections.Delivery, err error) {
	states := map[string]delivery.State{}
	var order []string
	for e, err := range d.Journal.ReadAll(ctx, 0, eventstore.Filter{Categories: []string{"delivery"}}) {
		if err != nil {
			return nil, err
		}
		id := e.Stream.ID()
		if e.Revision == 0 {
			order = append(order, id)
		}
		states[id] = states[id].Evolve(e.Body.(delivery.Event))
	}
	passed := after.ID == ""
	for _, id := range order {
		s := states[id]
		if s.Pending() && !now.Before(s.Due()) && passed && len(all) < limit {
			all = append(all, projections.Delivery{ID: id, Receiver: s.Scheduled().Receiver, Until: s.Until(), Due: s.Due()})
		}
		passed = passed || id == after.ID
	}
	return all, nil
}
