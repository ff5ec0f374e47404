package ledger_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/google/uuid"
)

// vector is one line of testdata/records.jsonl. Lines may be added, never
// changed: the leaves of every log depend on them.
type vector struct {
	Name     string    `json:"name"`
	Log      uuid.UUID `json:"log"`
	Leaf     int64     `json:"leaf"`
	Stream   string    `json:"stream"`
	Revision int64     `json:"revision"`
	ID       uuid.UUID `json:"id"`
	Type     string    `json:"type"`
	Version  int       `json:"version"`
	Recorded int64     `json:"recorded_ns"`
	Meta     string    `json:"meta_hex"`
	Data     string    `json:"data_hex"`
	Record   string    `json:"record_hex"`
	Hash     string    `json:"leaf_hash_hex"`
}

func (v vector) event(t *testing.T) eventstore.Event {
	t.Helper()
	meta, err := hex.DecodeString(v.Meta)
	if err != nil {
		t.Fatal(err)
	}
	data, err := hex.DecodeString(v.Data)
	if err != nil {
		t.Fatal(err)
	}
	return eventstore.Event{
		Proposed: eventstore.Proposed{ID: v.ID, Type: v.Type, Version: v.Version, Data: data, Meta: meta},
		Stream:   eventstore.Stream(v.Stream),
		Revision: eventstore.Revision(v.Revision),
		Position: 77, // no part of the record
		Leaf:     v.Leaf,
		Recorded: time.Unix(0, v.Recorded).In(time.FixedZone("", 3600)),
	}
}

func TestRecord(t *testing.T) {
	file, err := os.ReadFile("testdata/records.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(file) {
		var v vector
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		t.Run(v.Name, func(t *testing.T) {
			record := ledger.Record(v.Log, v.event(t))
			if got := hex.EncodeToString(record); got != v.Record {
				t.Errorf("record\n got %s\nwant %s", got, v.Record)
			}
			hash := ledger.LeafHash(record)
			if own := sha256.Sum256(append([]byte{0}, record...)); hash != own || hex.EncodeToString(hash[:]) != v.Hash {
				t.Errorf("leaf hash %x, want %s", hash, v.Hash)
			}
			if cap(record) != len(record) {
				t.Errorf("room for %d bytes, needed %d", cap(record), len(record))
			}
		})
	}
}

func TestEveryFieldIsPartOfTheLeaf(t *testing.T) {
	id, other := uuid.New(), uuid.New()
	e := func(change func(*eventstore.Event)) eventstore.Event {
		e := eventstore.Event{
			Proposed: eventstore.Proposed{ID: id, Type: "a.b", Version: 1, Data: []byte("data"), Meta: []byte("meta")},
			Stream:   "s-1", Revision: 3, Leaf: 9, Recorded: time.Unix(5, 5),
		}
		change(&e)
		return e
	}
	seen := map[string]string{}
	for name, record := range map[string][]byte{
		"nothing":            ledger.Record(id, e(func(*eventstore.Event) {})),
		"log":                ledger.Record(other, e(func(*eventstore.Event) {})),
		"leaf":               ledger.Record(id, e(func(e *eventstore.Event) { e.Leaf++ })),
		"stream":             ledger.Record(id, e(func(e *eventstore.Event) { e.Stream = "s-2" })),
		"revision":           ledger.Record(id, e(func(e *eventstore.Event) { e.Revision++ })),
		"id":                 ledger.Record(id, e(func(e *eventstore.Event) { e.ID = other })),
		"type":               ledger.Record(id, e(func(e *eventstore.Event) { e.Type = "a.c" })),
		"version":            ledger.Record(id, e(func(e *eventstore.Event) { e.Version++ })),
		"time":               ledger.Record(id, e(func(e *eventstore.Event) { e.Recorded = e.Recorded.Add(1) })),
		"data":               ledger.Record(id, e(func(e *eventstore.Event) { e.Data = []byte("dat4") })),
		"metadata":           ledger.Record(id, e(func(e *eventstore.Event) { e.Meta = []byte("met4") })),
		"where a field ends": ledger.Record(id, e(func(e *eventstore.Event) { e.Meta, e.Data = []byte("metad"), []byte("ata") })),
	} {
		if before, there := seen[string(record)]; there {
			t.Errorf("a change of %s and of %s give one record", name, before)
		}
		seen[string(record)] = name
	}
}
