package standin_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

// A client is the client as it comes, with short names for what the tests do.
type client struct {
	*esdb.Client
	t testing.TB
}

// connect makes a client that the test closes when it ends.
func connect(t testing.TB, url string) client {
	t.Helper()
	c := leaky(t, url)
	t.Cleanup(func() { c.Close() })
	return c
}

// leaky makes a client that nobody closes.
func leaky(t testing.TB, url string) client {
	t.Helper()
	config, err := esdb.ParseConnectionString(url)
	if err != nil {
		t.Fatal(err)
	}
	config.Logger = esdb.NoopLogging()
	c, err := esdb.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	return client{c, t}
}

// start starts a cluster and connects a client to it.
func start(t testing.TB, o standin.Options) (*standin.Cluster, client) {
	t.Helper()
	c := standin.New(t, o)
	return c, connect(t, c.URL())
}

// event makes an event with an id of its own.
func event(kind string) esdb.EventData {
	return esdb.EventData{
		EventID: uuid.New(), EventType: kind, ContentType: esdb.ContentTypeJson,
		Data: []byte(`{"a":1}`), Metadata: []byte(`{"m":1}`),
	}
}

func (c client) append(stream string, expected esdb.ExpectedRevision, events ...esdb.EventData) (*esdb.WriteResult, error) {
	return c.AppendToStream(context.Background(), stream, esdb.AppendToStreamOptions{ExpectedRevision: expected}, events...)
}

// must appends what has to succeed.
func (c client) must(stream string, expected esdb.ExpectedRevision, events ...esdb.EventData) *esdb.WriteResult {
	c.t.Helper()
	w, err := c.append(stream, expected, events...)
	if err != nil {
		c.t.Fatal(err)
	}
	return w
}

func (c client) read(stream string, o esdb.ReadStreamOptions, count uint64) ([]*esdb.RecordedEvent, error) {
	r, err := c.ReadStream(context.Background(), stream, o, count)
	return drained(r, err)
}

func (c client) readAll(o esdb.ReadAllOptions, count uint64) ([]*esdb.RecordedEvent, error) {
	r, err := c.ReadAll(context.Background(), o, count)
	return drained(r, err)
}

func drained(r *esdb.ReadStream, err error) (events []*esdb.RecordedEvent, _ error) {
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		e, err := r.Recv()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		events = append(events, e.OriginalEvent())
	}
}

// fine stands for no error at all.
const fine esdb.ErrorCode = -1

func code(err error) esdb.ErrorCode {
	if err == nil {
		return fine
	}
	if e, ok := errors.AsType[*esdb.Error](err); ok {
		return e.Code()
	}
	return -2
}

// refused fails the test unless an error has the code.
func refused(t testing.TB, err error, want esdb.ErrorCode) {
	t.Helper()
	if code(err) != want {
		t.Fatalf("code %d, want %d: %v", code(err), want, err)
	}
}

// soon waits for what no event announces.
func soon(t testing.TB, what string, true func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !true() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("never: " + what)
		}
	}
}

// kinds returns the types of events.
func kinds(events []*esdb.RecordedEvent) (k []string) {
	for _, e := range events {
		k = append(k, e.EventType)
	}
	return k
}

// ours drops the events of the server.
func ours(events []*esdb.RecordedEvent) []*esdb.RecordedEvent {
	return slices.DeleteFunc(events, func(e *esdb.RecordedEvent) bool { return strings.HasPrefix(e.EventType, "$") })
}

// cause returns what gRPC said.
func cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
