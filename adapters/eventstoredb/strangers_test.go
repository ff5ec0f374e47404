package eventstoredb_test

import (
	"testing"

	"github.com/chirograph/chirograph/adapters/eventstoredb"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

// stranger is a client that is none of ours.
func stranger(t *testing.T, w *world) *esdb.Client {
	t.Helper()
	config, err := esdb.ParseConnectionString(w.URL())
	if err != nil {
		t.Fatal(err)
	}
	config.Logger = esdb.NoopLogging()
	c, err := esdb.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// Whoever else uses the server, in streams with a dash or without: the log
// neither halts nor numbers what they write.
func TestStrangersOnTheServerAreIgnored(t *testing.T) {
	w := newWorld(t, 1)
	log := w.open(t)
	fill(t, log, 3)
	c := stranger(t, w)
	for _, stream := range []string{"smoke-test", "test-1", "chirograph-1", "order", "chirograph.note"} {
		e := esdb.EventData{EventID: uuid.New(), EventType: "hello", ContentType: esdb.ContentTypeJson, Data: []byte("{}")}
		if _, err := c.AppendToStream(t.Context(), stream, esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}, e); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, log, 2)
	settle(t, log)
	for _, log := range []*eventstoredb.Log{log, w.open(t)} {
		if head, err := log.Head(t.Context()); head != 5 || err != nil || log.Halted() != nil {
			t.Errorf("head %d, %v, halted: %v", head, err, log.Halted())
		}
	}
	if size, err := log.Size(t.Context()); size != 5 || err != nil {
		t.Errorf("%d leaves, %v", size, err)
	}
	if n := len(ids(t, log, "smoke-test")); n != 0 {
		t.Errorf("%d events of a stranger are read", n)
	}
}

func TestAPrefixOfTheServerIsRefused(t *testing.T) {
	w := newWorld(t, 1)
	w.options.Prefix = "$log."
	if log, err := eventstoredb.Open(t.Context(), w.options); err == nil {
		log.Close()
		t.Error("it was opened")
	}
}
