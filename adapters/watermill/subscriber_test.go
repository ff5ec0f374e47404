package watermill

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/uuid"
)

func write(t *testing.T, log eventstore.Log, stream eventstore.Stream, n int) {
	t.Helper()
	for range n {
		_, err := log.Append(context.Background(), eventstore.Append{Stream: stream, Expect: eventstore.Unchecked(), Events: []eventstore.Proposed{{
			ID: uuid.New(), Type: "thing.happened", Version: 1, Data: []byte(`{"a":"<&>"}`), Meta: []byte(`{}`),
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func things(string) eventstore.Filter { return eventstore.Filter{Categories: []string{"thing"}} }

// take receives a message, or fails if none comes.
func take(t *testing.T, messages <-chan *message.Message) *message.Message {
	t.Helper()
	select {
	case m, open := <-messages:
		if !open {
			t.Fatal("the channel is closed")
		}
		return m
	case <-time.After(time.Minute):
		t.Fatal("no message comes")
	}
	return nil
}

func revision(t *testing.T, m *message.Message) eventstore.Revision {
	t.Helper()
	e, err := Event(m.Payload)
	if err != nil {
		t.Fatal(err)
	}
	return e.Revision
}

func TestAMessageIsTheEventAsItIsStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := memory.New(time.Now)
		s := NewSubscriber(Source{Name: "s", Log: log, Checkpoints: &kept{}, Topics: things})
		defer s.Close()
		messages, err := s.Subscribe(t.Context(), "topic")
		if err != nil {
			t.Fatal(err)
		}
		write(t, log, "thing-1", 1)
		m := take(t, messages)
		m.Ack()
		var want eventstore.Event
		for e, err := range log.ReadStream(t.Context(), "thing-1", 0) {
			if err != nil {
				t.Fatal(err)
			}
			want = e
		}
		got, err := Event(m.Payload)
		if err != nil || m.UUID != want.ID.String() || got.ID != want.ID || got.Type != want.Type || got.Stream != want.Stream ||
			got.Position != want.Position || got.Revision != want.Revision || !got.Recorded.Equal(want.Recorded) ||
			!bytes.Equal(got.Data, want.Data) || !bytes.Equal(got.Meta, want.Meta) {
			t.Errorf("got %+v of %s, %v", got, m.Payload, err)
		}
		if m.Metadata.Get(HeaderType) != "thing.happened" || m.Metadata.Get(HeaderStream) != "thing-1" || m.Metadata.Get(HeaderPosition) != "1" {
			t.Errorf("its metadata is %v", m.Metadata)
		}
	})
}

func TestCheckpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, kept := memory.New(time.Now), &kept{}
		var began []eventstore.Position
		from := Source{Name: "s", Log: log, Checkpoints: kept, Topics: things, Anew: func(_ string, at eventstore.Position) { began = append(began, at) }}
		write(t, log, "thing-1", 3)
		s := NewSubscriber(from)
		messages, err := s.Subscribe(t.Context(), "topic")
		if err != nil {
			t.Fatal(err)
		}
		if len(began) != 1 || began[0] != 3 || kept.position("s/topic") != 3 {
			t.Fatalf("it began at %v, and %d is durable", began, kept.position("s/topic"))
		}
		write(t, log, "thing-1", 4)
		take(t, messages).Ack()
		take(t, messages).Ack()
		third := take(t, messages)
		time.Sleep(10 * time.Second)
		if at := kept.position("s/topic"); at != 5 {
			t.Errorf("with two of four acknowledged it is at %d", at)
		}
		third.Nack()
		if again := take(t, messages); revision(t, again) != 5 {
			t.Errorf("after a refusal comes revision %d", revision(t, again))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = NewSubscriber(from)
		defer s.Close()
		messages, err = s.Subscribe(t.Context(), "topic")
		if err != nil {
			t.Fatal(err)
		}
		if next := take(t, messages); revision(t, next) != 5 || len(began) != 1 {
			t.Errorf("opened again it goes on with revision %d, and began %v", revision(t, next), began)
		}
	})
}

func TestManyAcknowledgementsCostOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, kept := memory.New(time.Now), &kept{}
		s := NewSubscriber(Source{Name: "s", Log: log, Checkpoints: kept, Topics: things})
		messages, err := s.Subscribe(t.Context(), "topic")
		if err != nil {
			t.Fatal(err)
		}
		write(t, log, "thing-1", 500)
		write(t, log, "other-1", 500)
		for range 500 {
			take(t, messages).Ack()
		}
		time.Sleep(5 * time.Second)
		if kept.position("s/topic") != 1000 || kept.saves > 3 {
			t.Errorf("at %d after %d writes", kept.position("s/topic"), kept.saves)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestCloseLetsAMessageBeFinished(t *testing.T) {
	tests := []struct {
		name string
		end  func(*message.Message)
		want eventstore.Position
	}{
		{"it is acknowledged in time", func(m *message.Message) { time.Sleep(time.Second); m.Ack() }, 1},
		{"it is refused", func(m *message.Message) { time.Sleep(time.Second); m.Nack() }, 0},
		{"it takes too long", func(m *message.Message) { time.Sleep(time.Minute) }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log, kept := memory.New(time.Now), &kept{}
				s := NewSubscriber(Source{Name: "s", Log: log, Checkpoints: kept, Topics: things, Grace: 5 * time.Second})
				messages, err := s.Subscribe(t.Context(), "topic")
				if err != nil {
					t.Fatal(err)
				}
				write(t, log, "thing-1", 2)
				m := take(t, messages)
				go tt.end(m)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if m.Context().Err() == nil {
					t.Error("its context goes on")
				}
				if _, open := <-messages; open || kept.position("s/topic") != tt.want {
					t.Errorf("another message comes: %v; at %d", open, kept.position("s/topic"))
				}
				time.Sleep(time.Hour)
			})
		})
	}
}

// broken is a log whose subscriptions fail after some items.
type broken struct {
	eventstore.Log
	after int
}

var errBroken = errors.New("broken")

func (b broken) Subscribe(ctx context.Context, after eventstore.Position, f eventstore.Filter) iter.Seq2[eventstore.Item, error] {
	return func(yield func(eventstore.Item, error) bool) {
		n := 0
		for item, err := range b.Log.Subscribe(ctx, after, f) {
			if n++; n > b.after {
				yield(eventstore.Item{}, errBroken)
				return
			}
			if !yield(item, err) {
				return
			}
		}
	}
}

func TestASubscriptionThatBreaksGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, failures := memory.New(time.Now), 0
		s := NewSubscriber(Source{Name: "s", Log: broken{log, 2}, Checkpoints: &kept{}, Topics: things, Failed: func(err error) {
			if failures++; !errors.Is(err, errBroken) {
				t.Errorf("it is told of %v", err)
			}
		}})
		messages, err := s.Subscribe(t.Context(), "topic")
		if err != nil {
			t.Fatal(err)
		}
		write(t, log, "thing-1", 20)
		for i := range eventstore.Revision(20) {
			m := take(t, messages)
			if revision(t, m) != i {
				t.Fatalf("revision %d comes as number %d", revision(t, m), i)
			}
			m.Ack()
		}
		if err := s.Close(); err != nil || failures == 0 {
			t.Errorf("%d failures, %v", failures, err)
		}
	})
}

func TestTheEndOfALogEndsItsMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := memory.New(time.Now)
		s := NewSubscriber(Source{Name: "s", Log: log, Checkpoints: &kept{}, Topics: things})
		messages, err := s.Subscribe(t.Context(), "topic")
		if err != nil {
			t.Fatal(err)
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
		if _, open := <-messages; open {
			t.Error("a message comes")
		}
	})
}

func TestWhatIsNoEvent(t *testing.T) {
	for _, payload := range []string{
		``, `null`, `[]`, `{}`, `"text"`, `{"id":"not-a-uuid"}`, `{"id":"0198a1b2-0000-7000-8000-000000000000","type":"a","stream":"-1","data":{},"metadata":{}}`,
		`{"id":"00000000-0000-0000-0000-000000000000","type":"a","stream":"a-1","data":{},"metadata":{}}`,
		`{"id":"0198a1b2-0000-7000-8000-000000000000","type":"a","stream":"a-1"}`,
	} {
		if e, err := Event([]byte(payload)); !errors.Is(err, errNoEvent) {
			t.Errorf("%s is read as %+v, %v", payload, e, err)
		}
	}
}

func FuzzEvent(f *testing.F) {
	f.Add([]byte(`{"id":"0198a1b2-0000-7000-8000-000000000000","type":"a.b","version":1,"stream":"a-1","revision":0,"position":1,"recorded":"2026-03-01T12:00:00Z","metadata":{},"data":{"x":"\u003c"}}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		e, err := Event(payload)
		if err != nil {
			return
		}
		m, err := messageOf(e)
		if err != nil {
			return // a time that RFC 3339 cannot say
		}
		again, err := Event(m.Payload)
		if err != nil || again.ID != e.ID || again.Stream != e.Stream || again.Position != e.Position {
			t.Errorf("%s is %+v, and then %+v, %v", payload, e, again, err)
		}
	})
}
