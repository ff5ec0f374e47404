package export

import (
	"context"
	"errors"
	"fmt"

	"github.com/chirograph/chirograph/adapters/watermill"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/IBM/sarama"
	wm "github.com/ThreeDotsLabs/watermill"
	wmkafka "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"
)

// Kafka is a topic. The key of a message is the event's stream, so the events
// of one stream are in one partition and in order.
type Kafka struct {
	Brokers []string
	Name    string // of the topic
	TLS     TLS
}

var _ Target = Kafka{}

// Topic implements [Target].
func (k Kafka) Topic(*message.Message) string { return k.Name }

// Open implements [Target].
func (k Kafka) Open() (message.Publisher, error) {
	settings, err := k.settings()
	if err != nil {
		return nil, err
	}
	return wmkafka.NewPublisher(wmkafka.PublisherConfig{
		Brokers: k.Brokers, Marshaler: marshaler, OverwriteSaramaConfig: settings,
	}, wm.NopLogger{})
}

var marshaler = wmkafka.NewWithPartitioningMarshaler(func(_ string, m *message.Message) (string, error) {
	return m.Metadata[watermill.HeaderStream], nil
})

// settings make a producer that repeats nothing unseen and changes no order:
// what is acknowledged is on every replica in sync.
func (k Kafka) settings() (*sarama.Config, error) {
	secured, err := k.TLS.config()
	if err != nil {
		return nil, fmt.Errorf("Kafka: %w", err)
	}
	c := sarama.NewConfig()
	c.ClientID = "chirograph"
	c.Version = sarama.V2_1_0_0
	c.Net.DialTimeout, c.Net.ReadTimeout, c.Net.WriteTimeout = publishTime, publishTime, publishTime
	c.Net.MaxOpenRequests = 1
	c.Net.TLS.Enable, c.Net.TLS.Config = secured != nil, secured
	c.Metadata.Retry.Max = 1
	c.Producer.Idempotent = true
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Return.Successes = true
	c.Producer.Timeout = publishTime
	c.Producer.MaxMessageBytes = 4 * eventstore.MaxEventBytes
	return c, c.Validate()
}

// Check implements [Target].
func (k Kafka) Check(context.Context) error {
	settings, err := k.settings()
	if err != nil {
		return err
	}
	c, err := sarama.NewClient(k.Brokers, settings)
	if err != nil {
		return fmt.Errorf("Kafka: %w", err)
	}
	_, err = c.Partitions(k.Name)
	if err = errors.Join(err, c.Close()); err != nil {
		return fmt.Errorf("Kafka: topic %s: %w", k.Name, err)
	}
	return nil
}
