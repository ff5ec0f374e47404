package watermill

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"hash/fnv"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"
	"github.com/google/uuid"
)

// Watermill's own tests of what every Pub/Sub must do. Those that are missing do
// not fit: TestReconnect restarts a broker, while here subscriptions that break
// have a test of their own; and TestNewSubscriberReceivesOldMessages is about a
// subscriber that begins at the first message, while this one begins at the head
// on purpose. Several subscribers of one name would each get everything, so
// tests that have some use one.
func TestWatermillsContract(t *testing.T) {
	log, kept := memory.New(time.Now), &kept{}
	pair := func(_ *testing.T, name string) (message.Publisher, message.Subscriber) {
		s := NewSubscriber(Source{
			Name: name, Log: log, Checkpoints: kept, SaveEvery: 10 * time.Millisecond,
			Topics: func(topic string) eventstore.Filter { return eventstore.Filter{Categories: []string{category(topic)}} },
		})
		return publisher{log}, &unwrapping{Subscriber: s, ended: make(chan struct{})}
	}
	one := func(t *testing.T) (message.Publisher, message.Subscriber) { return pair(t, "subscriber") }
	features := tests.Features{
		ConsumerGroups: true, GuaranteedOrder: true, Persistent: true, RequireSingleInstance: true, ForceShort: true,
	}
	for name, test := range map[string]func(*testing.T, tests.TestContext, tests.PubSubConstructor){
		"publish and subscribe":          tests.TestPublishSubscribe,
		"concurrent subscribers":         tests.TestConcurrentSubscribe,
		"of many topics":                 tests.TestConcurrentSubscribeMultipleTopics,
		"redelivery of what was refused": tests.TestResendOnError,
		"nothing before an answer":       tests.TestNoAck,
		"on after a close":               tests.TestContinueAfterSubscribeClose,
		"closes at once":                 tests.TestConcurrentClose,
		"on after errors":                tests.TestContinueAfterErrors,
		"order":                          tests.TestPublishSubscribeInOrder,
		"a publisher that is closed":     tests.TestPublisherClose,
		"topics":                         tests.TestTopic,
		"the context of a message":       tests.TestMessageCtx,
		"the context of a subscription":  tests.TestSubscribeCtx,
		"groups": func(t *testing.T, c tests.TestContext, _ tests.PubSubConstructor) {
			tests.TestConsumerGroups(t, c, pair)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, tests.TestContext{TestID: tests.NewTestID(), Features: features}, one)
		})
	}
}

// kept are checkpoints that outlive a subscriber.
type kept struct {
	mu    sync.Mutex
	at    map[string]eventstore.Position
	saves int
	fails error
}

func (k *kept) Begin(_ context.Context, name string, head eventstore.Position) (eventstore.Position, bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if at, known := k.at[name]; known && at <= head {
		return at, false, nil
	}
	if k.at == nil {
		k.at = map[string]eventstore.Position{}
	}
	k.at[name] = head
	return head, true, nil
}

func (k *kept) Save(_ context.Context, name string, at eventstore.Position) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fails == nil {
		k.at[name] = max(k.at[name], at)
		k.saves++
	}
	return k.fails
}

func (k *kept) position(name string) eventstore.Position {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.at[name]
}

// publisher makes an event of a message.
type publisher struct{ log *memory.Log }

func category(topic string) string {
	sum := fnv.New64a()
	sum.Write([]byte(topic))
	return "t" + strconv.FormatUint(sum.Sum64(), 36)
}

func (p publisher) Publish(topic string, messages ...*message.Message) error {
	for _, m := range messages {
		id, err := uuid.Parse(m.UUID)
		if err != nil {
			id = uuid.UUID(sum16(m.UUID))
		}
		data, _ := json.Marshal(wrapped{m.UUID, base64.StdEncoding.EncodeToString(m.Payload)})
		meta, _ := json.Marshal(m.Metadata)
		_, err = p.log.Append(context.Background(), eventstore.Append{
			Stream: eventstore.Stream(category(topic) + "-1"), Expect: eventstore.Unchecked(),
			Events: []eventstore.Proposed{{ID: id, Type: "message", Version: 1, Data: data, Meta: meta}},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func sum16(text string) [16]byte {
	sum := sha256.Sum256([]byte(text))
	return [16]byte(sum[:16])
}

func (publisher) Close() error { return nil }

type wrapped struct {
	UUID    string `json:"uuid"`
	Payload string `json:"payload"`
}

// unwrapping makes the message of the event again. Watermill's own decorator
// waits for ever for a reader who has gone.
type unwrapping struct {
	*Subscriber
	once  sync.Once
	ended chan struct{}
	going sync.WaitGroup
}

func (u *unwrapping) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	in, err := u.Subscriber.Subscribe(ctx, topic)
	if err != nil {
		return nil, err
	}
	out := make(chan *message.Message)
	u.going.Go(func() {
		defer close(out)
		for m := range in {
			unwrap(m)
			select {
			case out <- m:
			case <-u.ended:
			case <-ctx.Done():
			}
		}
	})
	return out, nil
}

func (u *unwrapping) Close() error {
	u.once.Do(func() { close(u.ended) })
	err := u.Subscriber.Close()
	u.going.Wait()
	return err
}

func unwrap(m *message.Message) {
	e, err := Event(m.Payload)
	var w wrapped
	if err != nil || json.Unmarshal(e.Data, &w) != nil || json.Unmarshal(e.Meta, &m.Metadata) != nil {
		m.Payload = []byte("not what was published: " + strings.ToValidUTF8(string(m.Payload), "?"))
		return
	}
	m.UUID = w.UUID
	m.Payload, _ = base64.StdEncoding.DecodeString(w.Payload)
}
