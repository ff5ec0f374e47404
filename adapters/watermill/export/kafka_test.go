package export_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/chirograph/chirograph/adapters/watermill"
	"github.com/chirograph/chirograph/adapters/watermill/export"

	"github.com/IBM/sarama"
)

const theTopic = "bank.events"

// newBroker starts a broker that speaks Kafka's protocol and keeps requests; it
// is sarama's and no Kafka.
func newBroker(t *testing.T) *sarama.MockBroker {
	b := sarama.NewMockBroker(t, 1)
	handle(t, b, sarama.ErrNoError)
	return b
}

// handle has the broker answer each message in a certain way.
func handle(t *testing.T, b *sarama.MockBroker, answer sarama.KError) {
	metadata := sarama.NewMockMetadataResponse(t).SetBroker(b.Addr(), b.BrokerID())
	produced := sarama.NewMockProduceResponse(t)
	for partition := range int32(4) {
		metadata.SetLeader(theTopic, partition, b.BrokerID())
		produced.SetError(theTopic, partition, answer)
	}
	b.SetHandlerByMap(map[string]sarama.MockResponse{
		"ApiVersionsRequest":    sarama.NewMockApiVersionsResponse(t),
		"MetadataRequest":       metadata,
		"InitProducerIDRequest": sarama.NewMockInitProducerIDResponse(t).SetProducerID(1).SetProducerEpoch(1),
		"ProduceRequest":        produced,
	})
}

// A produced message and where it went.
type produced struct {
	partition  int64
	key, value string
	headers    map[string]string
}

// history are the messages that a broker was sent, in order. The request keeps
// them to itself, so they are read by reflection.
func history(b *sarama.MockBroker) (all []produced) {
	for _, r := range b.History() {
		request, ok := r.Request.(*sarama.ProduceRequest)
		if !ok {
			continue
		}
		topics := reflect.ValueOf(request).Elem().FieldByName("records").MapRange()
		for topics.Next() {
			for partitions := topics.Value().MapRange(); partitions.Next(); {
				records := partitions.Value().FieldByName("RecordBatch").Elem().FieldByName("Records")
				for i := range records.Len() {
					record := records.Index(i).Elem()
					p := produced{
						partition: partitions.Key().Int(), headers: map[string]string{},
						key: string(record.FieldByName("Key").Bytes()), value: string(record.FieldByName("Value").Bytes()),
					}
					for h := range record.FieldByName("Headers").Len() {
						header := record.FieldByName("Headers").Index(h).Elem()
						p.headers[string(header.FieldByName("Key").Bytes())] = string(header.FieldByName("Value").Bytes())
					}
					all = append(all, p)
				}
			}
		}
	}
	return all
}

// The events of one stream are in one partition, and each is sent as stored.
func TestKafkaIsSentTheWholeLog(t *testing.T) {
	b := newBroker(t)
	defer b.Close()
	d := newDesk(t, export.Kafka{Brokers: []string{b.Addr()}, Name: theTopic})
	d.write(30)
	end := d.running()
	d.caughtUp()
	end()
	got, want := history(b), d.written()
	if len(got) != len(want) {
		t.Fatalf("%d messages of %d events", len(got), len(want))
	}
	partition := map[string]int64{}
	for i, m := range got {
		e, err := watermill.Event([]byte(m.value))
		if err != nil {
			t.Fatal(err)
		}
		w := want[i]
		if e.ID != w.ID || e.Position != w.Position || string(e.Data) != string(w.Data) || m.key != string(w.Stream) || m.headers["_watermill_message_uuid"] != w.ID.String() {
			t.Errorf("message %d is %+v, want %s", i, m, w.ID)
		}
		if p, known := partition[m.key]; known && p != m.partition {
			t.Errorf("%s is in partitions %d and %d", m.key, p, m.partition)
		}
		partition[m.key] = m.partition
	}
}

// What a broker refuses is sent until it takes it, and nothing goes before.
func TestKafkaRefuses(t *testing.T) {
	b := newBroker(t)
	defer b.Close()
	handle(t, b, sarama.ErrInvalidRequiredAcks)
	d := newDesk(t, export.Kafka{Brokers: []string{b.Addr()}, Name: theTopic})
	d.write(6)
	end := d.running()
	defer end()
	d.until("it is refused several times", func() bool { return d.failures() > 2 })
	if behind, _ := d.export.Behind(t.Context()); behind != 6 {
		t.Errorf("%d events behind", behind)
	}
	handle(t, b, sarama.ErrNoError)
	d.caughtUp()
	var order []string
	for _, m := range history(b) {
		if e, err := watermill.Event([]byte(m.value)); err != nil {
			t.Fatal(err)
		} else if !slices.Contains(order, e.ID.String()) {
			order = append(order, e.ID.String())
		}
	}
	for i, e := range d.written() {
		if order[i] != e.ID.String() {
			t.Errorf("event %d is not the next that was sent", i)
		}
	}
}

// A broker that is not there holds up its export alone.
func TestKafkaIsNotThere(t *testing.T) {
	b := newBroker(t)
	gone := export.Kafka{Brokers: []string{b.Addr()}, Name: theTopic}
	if err := gone.Check(t.Context()); err != nil {
		t.Errorf("it is there: %v", err)
	}
	b.Close()
	if err := gone.Check(t.Context()); err == nil {
		t.Error("it is not there")
	}
	d := newDesk(t, gone)
	d.write(4)
	end := d.running()
	d.until("it is told that nothing can be exported", func() bool { return d.failures() > 0 })
	if behind, err := d.export.Behind(t.Context()); behind != 4 || err != nil {
		t.Errorf("%d events behind, %v", behind, err)
	}
	end()
}
