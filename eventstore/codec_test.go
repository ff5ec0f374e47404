package eventstore_test

import (
	"bytes"
	"context"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"

	"github.com/google/uuid"
)

// met is an event with personal fields. Its second version split the name.
type met struct {
	Place  string   `json:"place"`
	First  string   `json:"first,omitempty"`
	Last   string   `json:"last,omitempty"`
	Phones []string `json:"phones,omitempty"`
}

type metV1 struct {
	Place string `json:"place"`
	Name  string `json:"name,omitempty"`
}

// metOnce declares the event as it was at version 1.
var metOnce = []event.Declaration{event.Type[metV1]{
	Name: "test.met", Sealed: []string{"name"},
	Audit: func(metV1, event.Names) string { return "" },
}}

var metNow = []event.Declaration{event.Type[met]{
	Name:   "test.met",
	Sealed: []string{"first", "last", "phones"},
	Past: []event.Upcaster{event.Upcast(func(v1 metV1) met {
		first, last, _ := strings.Cut(v1.Name, " ")
		return met{Place: v1.Place, First: first, Last: last}
	})},
	Audit: func(met, event.Names) string { return "" },
}}

var (
	alice  = met{Place: "library", First: "Alice", Last: "Liddell", Phones: []string{"+44 1"}}
	meta   = event.Meta{Subject: "s-alice", Client: "budgetly", Address: "192.0.2.7", UserAgent: "Mozilla"}
	stream = eventstore.Stream("test-1")
)

func codec(keys eventstore.Keyring, types []event.Declaration) *eventstore.Codec {
	return &eventstore.Codec{Registry: event.NewRegistry(types), Keys: keys, Log: uuid.MustParse("a3bb189e-8bf9-4888-9912-ace4e6543002")}
}

func stored(t *testing.T, c *eventstore.Codec, e any, m event.Meta) eventstore.Event {
	t.Helper()
	p, err := c.Encode(t.Context(), stream, uuid.New(), e, m)
	if err != nil {
		t.Fatal(err)
	}
	return eventstore.Event{Proposed: p, Stream: stream}
}

func TestCodecRoundTrip(t *testing.T) {
	tests := []struct {
		name string
		body met
		meta event.Meta
	}{
		{"everything is there", alice, meta},
		{"nothing personal", met{Place: "library"}, event.Meta{Subject: "s-alice"}},
		{"nothing at all", met{}, event.Meta{}},
		{"a field that looks like a seal", met{Place: `"sealed":{"holder":`, First: `"sealed":{"holder":"x"}`}, meta},
		{"before a subject is known", alice, event.Meta{Client: "budgetly", Correlation: "authorization-7", Address: "192.0.2.7"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := codec(&memory.Keys{}, metNow)
			e := stored(t, c, tt.body, tt.meta)
			d, err := c.Decode(t.Context(), e)
			if err != nil || !reflect.DeepEqual(d.Body, tt.body) || d.Metadata != tt.meta || len(d.Erased) > 0 {
				t.Errorf("got %+v, %+v, erased %v, %v", d.Body, d.Metadata, d.Erased, err)
			}
			body, err := c.Body(t.Context(), e)
			if err != nil || !reflect.DeepEqual(body, tt.body) {
				t.Errorf("Body: got %+v, %v", body, err)
			}
			if e.Type != "test.met" || e.Version != 2 {
				t.Errorf("stored as %s version %d", e.Type, e.Version)
			}
		})
	}
}

func TestPersonalFieldsAreNotInTheLog(t *testing.T) {
	e := stored(t, codec(&memory.Keys{}, metNow), alice, meta)
	all := append(bytes.Clone(e.Data), e.Meta...)
	for _, secret := range []string{"Alice", "Liddell", "+44", "192.0.2.7", "Mozilla"} {
		if bytes.Contains(all, []byte(secret)) {
			t.Errorf("%q is in the log: %s", secret, all)
		}
	}
	for _, open := range []string{"library", "s-alice", "budgetly"} {
		if !bytes.Contains(all, []byte(open)) {
			t.Errorf("%q is not in the log: %s", open, all)
		}
	}
}

// noted is an event that carries the JSON of a stranger as it was sent.
type noted struct {
	Sent json.RawMessage `json:"sent"`
	Name string          `json:"name,omitempty"`
}

func TestAStrangersSealIsNone(t *testing.T) {
	c := codec(strictKeys{&memory.Keys{}}, []event.Declaration{event.Type[noted]{
		Name: "test.noted", Sealed: []string{"name"}, Audit: func(noted, event.Names) string { return "" },
	}})
	for _, sent := range []string{`{"sealed":{"holder":"x"}}`, `[{"sealed":{"holder":"subject:s-alice","fields":{"name":"AAAA"}}}]`} {
		for _, name := range []string{"", "Alice"} {
			want := noted{json.RawMessage(sent), name}
			got, err := c.Decode(t.Context(), stored(t, c, want, meta))
			if err != nil || !reflect.DeepEqual(got.Body, want) || got.Erased != nil {
				t.Errorf("%s, %q: got %s, %v", sent, name, got.Body, err)
			}
		}
	}
}

// strictKeys know holders by the names that they are asked for, as the keyring
// of an installation does.
type strictKeys struct{ *memory.Keys }

func (k strictKeys) Opener(ctx context.Context, holder string) (cipher.AEAD, error) {
	if !strings.Contains(holder, ":") {
		return nil, fmt.Errorf("%q is not the name of a holder", holder)
	}
	return k.Keys.Opener(ctx, holder)
}

func TestASealIsFreshEachTime(t *testing.T) {
	c := codec(&memory.Keys{}, metNow)
	id := uuid.New()
	first, err := c.Encode(t.Context(), stream, id, alice, meta)
	if err != nil {
		t.Fatal(err)
	}
	second, err := c.Encode(t.Context(), stream, id, alice, meta)
	if err != nil || bytes.Equal(first.Data, second.Data) {
		t.Errorf("the same ciphertext twice, %v", err)
	}
}

func TestWhoseKeySeals(t *testing.T) {
	tests := []struct {
		name       string
		meta       event.Meta
		body, addr string
	}{
		{"the subject's", event.Meta{Subject: "a", Correlation: "j-1", Client: "c", Address: "x"}, "subject:a", "subject:a"},
		{"the journey's, and the client's for its address", event.Meta{Correlation: "j-1", Client: "c", Address: "x"}, "journey:j-1", "client:c"},
		{"the client's", event.Meta{Client: "c", Address: "x"}, "client:c", "client:c"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := stored(t, codec(&memory.Keys{}, metNow), alice, tt.meta)
			if !bytes.Contains(e.Data, fmt.Appendf(nil, `"holder":%q`, tt.body)) || !bytes.Contains(e.Meta, fmt.Appendf(nil, `"holder":%q`, tt.addr)) {
				t.Errorf("stored %s, %s", e.Data, e.Meta)
			}
		})
	}
}

func TestASealOpensNowhereElse(t *testing.T) {
	swap := func(data []byte, a, b string) []byte {
		s := strings.NewReplacer(`"`+a+`":`, `"`+b+`":`, `"`+b+`":`, `"`+a+`":`).Replace(string(data))
		return []byte(s)
	}
	tests := []struct {
		name string
		move func(*eventstore.Event, *eventstore.Codec)
	}{
		{"in another stream", func(e *eventstore.Event, _ *eventstore.Codec) { e.Stream = "test-2" }},
		{"in another event", func(e *eventstore.Event, _ *eventstore.Codec) { e.ID = uuid.New() }},
		{"in another log", func(_ *eventstore.Event, c *eventstore.Codec) { c.Log = uuid.New() }},
		{"in another field", func(e *eventstore.Event, _ *eventstore.Codec) { e.Data = swap(e.Data, "first", "last") }},
		{"in another type", func(e *eventstore.Event, _ *eventstore.Codec) { e.Type = "test.other" }},
		{"as metadata", func(e *eventstore.Event, _ *eventstore.Codec) { e.Meta = e.Data }},
		{"under another holder's key", func(e *eventstore.Event, c *eventstore.Codec) {
			c.Keys.Sealer(context.Background(), "subject:s-ben")
			e.Data = bytes.Replace(e.Data, []byte("s-alice"), []byte("s-ben"), 1)
		}},
		{"with a bit changed", func(e *eventstore.Event, _ *eventstore.Codec) {
			at := bytes.Index(e.Data, []byte(`"first":"`)) + 30
			e.Data = bytes.Clone(e.Data)
			if e.Data[at]++; e.Data[at] == '{' || e.Data[at] == '[' {
				e.Data[at] = 'A'
			}
		}},
		{"cut short", func(e *eventstore.Event, _ *eventstore.Codec) {
			at := bytes.Index(e.Data, []byte(`"first":"`)) + 9
			e.Data = append(bytes.Clone(e.Data[:at+4]), e.Data[at+bytes.IndexByte(e.Data[at:], '"'):]...)
		}},
	}
	other := event.Type[struct{}]{Name: "test.other", Audit: func(struct{}, event.Names) string { return "" }}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := codec(&memory.Keys{}, append([]event.Declaration{other}, metNow...))
			e := stored(t, c, alice, meta)
			tt.move(&e, c)
			if d, err := c.Decode(t.Context(), e); err == nil {
				t.Errorf("opened as %+v, %+v", d.Body, d.Metadata)
			}
		})
	}
}

func TestErasure(t *testing.T) {
	keys := &memory.Keys{}
	c := codec(keys, metNow)
	e := stored(t, c, alice, meta)
	leaf := bytes.Clone(e.Data)
	keys.Destroy("subject:s-alice")

	d, err := c.Decode(t.Context(), e)
	slices.Sort(d.Erased)
	if err != nil || !reflect.DeepEqual(d.Body, met{Place: "library"}) || fmt.Sprint(d.Erased) != "[address first last phones user_agent]" {
		t.Errorf("got %+v, erased %v, %v", d.Body, d.Erased, err)
	}
	if d.Metadata != (event.Meta{Subject: "s-alice", Client: "budgetly"}) || !bytes.Equal(d.Data, leaf) {
		t.Errorf("got %+v", d.Metadata)
	}
	if body, err := c.Body(t.Context(), e); err != nil || !reflect.DeepEqual(body, met{Place: "library"}) {
		t.Errorf("Body: got %+v, %v", body, err)
	}
	if _, err := c.Encode(t.Context(), stream, uuid.New(), alice, meta); !errors.Is(err, eventstore.ErrErased) {
		t.Errorf("sealed again under a key that was destroyed: %v", err)
	}
	after := stored(t, c, met{Place: "archive"}, meta) // nothing personal but the address
	if d, err := c.Decode(t.Context(), after); err != nil || d.Metadata.Address != "" || d.Metadata.Subject != "s-alice" {
		t.Errorf("got %+v, %v", d.Metadata, err)
	}
}

func TestUnsealingPrecedesUpcasting(t *testing.T) {
	keys := &memory.Keys{}
	old := stored(t, codec(keys, metOnce), metV1{Place: "library", Name: "Alice Liddell"}, meta)
	if old.Version != 1 {
		t.Fatalf("stored as version %d", old.Version)
	}
	now := codec(keys, metNow)
	if d, err := now.Decode(t.Context(), old); err != nil || !reflect.DeepEqual(d.Body, met{Place: "library", First: "Alice", Last: "Liddell"}) {
		t.Errorf("got %+v, %v", d.Body, err)
	}
	keys.Destroy("subject:s-alice")
	if d, err := now.Decode(t.Context(), old); err != nil || !reflect.DeepEqual(d.Body, met{Place: "library"}) || !slices.Contains(d.Erased, "name") {
		t.Errorf("erased: got %+v, %v, %v", d.Body, d.Erased, err)
	}
}

// unreachable is a keyring that does not answer.
type unreachable struct{}

var errUnreachable = errors.New("keyring is away")

func (unreachable) Sealer(context.Context, string) (cipher.AEAD, error) { return nil, errUnreachable }
func (unreachable) Opener(context.Context, string) (cipher.AEAD, error) { return nil, errUnreachable }

func TestAKeyringThatDoesNotAnswerIsNoErasure(t *testing.T) {
	e := stored(t, codec(&memory.Keys{}, metNow), alice, meta)
	c := codec(unreachable{}, metNow)
	if d, err := c.Decode(t.Context(), e); !errors.Is(err, errUnreachable) {
		t.Errorf("decoded %+v, %v", d.Body, err)
	}
	if _, err := c.Encode(t.Context(), stream, uuid.New(), alice, meta); !errors.Is(err, errUnreachable) {
		t.Errorf("encoded: %v", err)
	}
	if _, err := c.Encode(t.Context(), stream, uuid.New(), met{}, meta); !errors.Is(err, errUnreachable) {
		t.Errorf("encoded without the metadata: %v", err)
	}
}

func TestDecodeRefusesWhatIsNoEvent(t *testing.T) {
	c := codec(&memory.Keys{}, metNow)
	for name, e := range map[string]eventstore.Event{
		"an undeclared type":        {Proposed: eventstore.Proposed{Type: "test.none", Version: 1, Data: []byte("{}"), Meta: []byte("{}")}},
		"a version from the future": {Proposed: eventstore.Proposed{Type: "test.met", Version: 9, Data: []byte("{}"), Meta: []byte("{}")}},
		"data that is no JSON":      {Proposed: eventstore.Proposed{Type: "test.met", Version: 2, Data: []byte("{"), Meta: []byte("{}")}},
		"metadata that is no JSON":  {Proposed: eventstore.Proposed{Type: "test.met", Version: 2, Data: []byte("{}"), Meta: []byte("x")}},
		"a broken seal":             {Proposed: eventstore.Proposed{Type: "test.met", Version: 2, Data: []byte(`{"sealed":{"holder":1}}`), Meta: []byte("{}")}},
	} {
		if d, err := c.Decode(t.Context(), e); err == nil {
			t.Errorf("%s was decoded as %+v", name, d.Body)
		}
	}
}

func FuzzDecode(f *testing.F) {
	keys := &memory.Keys{}
	c := codec(keys, metNow)
	p, err := c.Encode(f.Context(), stream, uuid.New(), alice, meta)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.Data, p.Meta)
	f.Add([]byte(`{"sealed":{"holder":"subject:x","fields":{"first":"AA"}}}`), []byte(`{}`))
	f.Add([]byte(`"sealed":{"holder":`), []byte(`null`))
	f.Fuzz(func(t *testing.T, data, meta []byte) {
		e := eventstore.Event{Proposed: p, Stream: stream, Recorded: time.Unix(0, 0)}
		e.Data, e.Meta = data, meta
		c.Decode(t.Context(), e) // an error or a value, never a panic
	})
}
