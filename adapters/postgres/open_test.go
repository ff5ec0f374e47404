package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/google/uuid"
)

func TestOpeningForReading(t *testing.T) {
	url := pgtest.New(t)
	if _, err := postgres.Open(t.Context(), postgres.Options{URL: url, ReadOnly: true}); !errors.Is(err, postgres.ErrNoLog) {
		t.Errorf("where there is no log: %v", err)
	}
	log := opened(t, postgres.Options{URL: url})
	must(t, log, add("test-a", eventstore.Absent(), 1, 10))
	reader := opened(t, postgres.Options{URL: url, ReadOnly: true})
	if n := len(all(t, reader)); n != 1 || reader.ID() != log.ID() {
		t.Errorf("reads %d events of %s", n, reader.ID())
	}
	if _, err := reader.Append(t.Context(), add("test-a", eventstore.At(0), 2, 10)); !errors.Is(err, postgres.ErrReadOnly) {
		t.Errorf("append: %v", err)
	}
	if err := reader.KeepCheckpoint(t.Context(), 1, 1, []byte("note")); err == nil {
		t.Error("a checkpoint was written")
	}
}

func TestTheIdOfALog(t *testing.T) {
	url, id := pgtest.New(t), uuid.New()
	if got := opened(t, postgres.Options{URL: url, ID: id}).ID(); got != id {
		t.Errorf("is %s, want %s", got, id)
	}
	if got := opened(t, postgres.Options{URL: url}).ID(); got != id {
		t.Errorf("is %s, want %s", got, id)
	}
	if _, err := postgres.Open(t.Context(), postgres.Options{URL: url, ID: uuid.New()}); err == nil {
		t.Error("another log was opened")
	}
	if got := opened(t, postgres.Options{URL: url, Schema: "other"}).ID(); got == id {
		t.Error("two schemas share a log")
	}
}

func TestANewerDataFormatIsRefused(t *testing.T) {
	url := pgtest.New(t)
	opened(t, postgres.Options{URL: url}).Close()
	execute(t, url, "UPDATE chirograph_log.meta SET value = '99' WHERE name = 'format'")
	for _, readOnly := range []bool{false, true} {
		_, err := postgres.Open(t.Context(), postgres.Options{URL: url, ReadOnly: readOnly})
		var format *postgres.FormatError
		if !errors.As(err, &format) || format.Have != 99 {
			t.Errorf("read-only %t: got %v", readOnly, err)
		}
	}
}

func TestAlteredEventsAreFound(t *testing.T) {
	const log = "chirograph_log."
	tests := []struct {
		name, change string
		tail, intact bool // which check finds it
	}{
		{"nothing", "SELECT 1", false, false},
		{"data", "UPDATE " + log + "event SET data = '{}' WHERE position = 7", true, false},
		{"a leaf hash", "UPDATE " + log + "event SET leaf = sha256('x') WHERE position = 7", true, false},
		{"a leaf hash of the wrong length", "UPDATE " + log + "event SET leaf = '' WHERE position = 7", true, false},
		{"an event is gone", "DELETE FROM " + log + "event WHERE position = 7", true, true},
		{"the last event is gone", "DELETE FROM " + log + "event WHERE position = 20", true, true},
		{"a stream has another name", "UPDATE " + log + "stream SET name = 'test-z' WHERE name = 'test-1'", true, false},
		{"a stream is gone", "DELETE FROM " + log + "stream WHERE name = 'test-1'", true, true},
		{"events of a stream changed places", `UPDATE ` + log + `event SET revision = revision + 100 WHERE position IN (2, 5)`, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := pgtest.New(t)
			l := opened(t, postgres.Options{URL: url})
			for n := range 20 {
				must(t, l, add(eventstore.Stream(fmt.Sprintf("test-%d", n%3)), eventstore.Unchecked(), n, 10))
			}
			execute(t, url, tt.change)
			var altered *ledger.AlteredError
			if err := l.Intact(t.Context()); errors.As(err, &altered) != tt.intact {
				t.Errorf("intact: %v", err)
			}
			if _, err := postgres.Open(t.Context(), postgres.Options{URL: url}); errors.As(err, &altered) != tt.tail {
				t.Errorf("open: %v", err)
			}
		})
	}
}

// An index that no longer leads to an event hides it from decisions.
func TestAnIndexThatMissesAnEventIsFound(t *testing.T) {
	const ready = "UPDATE pg_index SET indisready = %t WHERE indexrelid = 'chirograph_log.event_stream'::regclass"
	url := pgtest.Start(t, pgtest.Settings{}).New(t) // as its administrator
	l := opened(t, postgres.Options{URL: url})
	must(t, l, add("test-1", eventstore.Absent(), 1, 10))
	if err := l.Intact(t.Context()); err != nil {
		t.Error(err)
	}
	execute(t, url, fmt.Sprintf(ready, false))
	must(t, l, add("test-1", eventstore.At(0), 2, 10))
	execute(t, url, fmt.Sprintf(ready, true))
	var altered *ledger.AlteredError
	if err := l.Intact(t.Context()); !errors.As(err, &altered) {
		t.Errorf("got %v", err)
	}
}

func TestImportIsAllOrNothing(t *testing.T) {
	url := pgtest.New(t)
	l := opened(t, postgres.Options{URL: url})
	events := history(10)
	events[7].Revision = 9
	if err := l.Import(t.Context(), events); err == nil {
		t.Error("a revision that is not the next was taken")
	}
	if head, err := l.Head(t.Context()); head != 0 || err != nil {
		t.Errorf("head %d, %v", head, err)
	}
	events[7].Revision = 3
	if err := l.Import(t.Context(), history(10)); err != nil {
		t.Fatal(err)
	}
	for i, e := range all(t, l) {
		if want := time.Date(2026, 3, 20, 12, 0, 0, i, time.UTC); !e.Recorded.Equal(want) {
			t.Errorf("event %d recorded at %v", i, e.Recorded)
		}
	}
}

func TestExpiredKeysAreSwept(t *testing.T) {
	url := pgtest.New(t)
	at := time.Now()
	l := opened(t, postgres.Options{URL: url, Now: func() time.Time { return at }})
	for i := range 50 {
		a := add("test-a", eventstore.Unchecked(), i, 10)
		a.Once = []eventstore.Once{{Key: [32]byte{byte(i)}, Expires: at.Add(time.Second)}}
		must(t, l, a)
	}
	for n, tt := range []struct {
		name  string
		later time.Duration
		left  int
	}{
		{"another clock may be ten minutes behind", 10 * time.Minute, 51},
		{"two are forgotten for each that comes", 2 * time.Second, 50},
	} {
		at = at.Add(tt.later)
		a := add("test-a", eventstore.Unchecked(), n, 10)
		a.Once = []eventstore.Once{{Key: [32]byte{byte(100 + n)}, Expires: at.Add(time.Hour)}}
		must(t, l, a)
		var left int
		if query(t, url, "SELECT count(*) FROM chirograph_log.once", &left); left != tt.left {
			t.Errorf("%s: %d keys are left, want %d", tt.name, left, tt.left)
		}
	}
}

func TestOpeningEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := postgres.Open(ctx, postgres.Options{URL: pgtest.New(t)}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
