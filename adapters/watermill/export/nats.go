package export

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chirograph/chirograph/adapters/watermill"
	"github.com/chirograph/chirograph/eventstore"

	wm "github.com/ThreeDotsLabs/watermill"
	wmnats "github.com/ThreeDotsLabs/watermill-nats/v2/pkg/nats"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats.go"
)

// NATS is a stream of NATS JetStream. If there is none of that name it is made,
// with all subjects below Subject; one that is there is left as it is.
type NATS struct {
	URL         string // may name several servers, separated by commas
	Stream      string
	Subject     string // messages go to "<Subject>.<category of the event's stream>"
	Credentials string // file; "" for none
	TLS         TLS
}

// window is how long the stream that is made knows a message that it has got
// already by its Nats-Msg-Id.
const window = 10 * time.Minute

var _ Target = NATS{}

// Topic implements [Target].
func (n NATS) Topic(m *message.Message) string {
	return n.Subject + "." + token(eventstore.Stream(m.Metadata[watermill.HeaderStream]).Category())
}

// token is a part of a subject, in which a stranger's stream cannot be another.
func token(category string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, category)
	if clean == "" {
		return "_"
	}
	return clean
}

// Open implements [Target]. The connection looks for the servers for ever.
func (n NATS) Open() (message.Publisher, error) {
	// What cannot be sent now fails, instead of being sent some time later.
	c, err := n.connect(nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectBufSize(-1))
	if err != nil {
		return nil, err
	}
	js, err := c.JetStream(nats.MaxWait(publishTime))
	if err != nil {
		c.Close()
		return nil, err
	}
	to, err := wmnats.NewPublisherWithNatsConn(c, wmnats.PublisherPublishConfig{
		Marshaler: &wmnats.NATSMarshaler{}, SubjectCalculator: wmnats.DefaultSubjectCalculator,
		JetStream: wmnats.JetStreamConfig{
			TrackMsgId:     true,
			ConnectOptions: []nats.JSOpt{nats.MaxWait(publishTime)},
			PublishOptions: []nats.PubOpt{nats.ExpectStream(n.Stream)},
		},
	}, wm.NopLogger{})
	if err != nil {
		c.Close()
		return nil, err
	}
	return &stream{Publisher: to, config: n, js: js}, nil
}

func (n NATS) connect(more ...nats.Option) (*nats.Conn, error) {
	options := append([]nats.Option{nats.Name("chirograph"), nats.Timeout(publishTime), nats.NoEcho()}, more...)
	if n.Credentials != "" {
		options = append(options, nats.UserCredentials(n.Credentials))
	}
	settings, err := n.TLS.config()
	if err != nil {
		return nil, fmt.Errorf("NATS: %w", err)
	}
	if settings != nil {
		options = append(options, nats.Secure(settings))
	}
	c, err := nats.Connect(n.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("NATS: %w", err)
	}
	return c, nil
}

// Check implements [Target].
func (n NATS) Check(ctx context.Context) error {
	c, err := n.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	js, err := c.JetStream()
	if err != nil {
		return fmt.Errorf("NATS: %w", err)
	}
	_, err = js.StreamInfo(n.Stream, nats.Context(ctx))
	if err != nil && !errors.Is(err, nats.ErrStreamNotFound) { // it will be made
		return fmt.Errorf("NATS: stream %s: %w", n.Stream, err)
	}
	return nil
}

// A stream is made when it is first needed, if it has to be.
type stream struct {
	message.Publisher
	config NATS
	js     nats.JetStreamContext
	there  bool
}

// Publish implements [message.Publisher].
func (s *stream) Publish(topic string, messages ...*message.Message) error {
	if err := s.begin(); err != nil {
		return fmt.Errorf("NATS: stream %s: %w", s.config.Stream, err)
	}
	err := s.Publisher.Publish(topic, messages...)
	s.there = err == nil
	return err
}

func (s *stream) begin() error {
	if s.there {
		return nil
	}
	_, err := s.js.StreamInfo(s.config.Stream)
	if errors.Is(err, nats.ErrStreamNotFound) {
		_, err = s.js.AddStream(&nats.StreamConfig{
			Name: s.config.Stream, Subjects: []string{s.config.Subject + ".>"}, Storage: nats.FileStorage, Duplicates: window,
		})
	}
	s.there = err == nil
	return err
}
