package projections

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
)

// An Entry is one event as people read it.
type Entry struct {
	Position    eventstore.Position `json:"position"`
	Time        time.Time           `json:"time"` // when it was recorded
	Type        string              `json:"type"`
	Stream      eventstore.Stream   `json:"stream"`
	Revision    eventstore.Revision `json:"revision"`
	Event       string              `json:"event_id"`
	Sentence    string              `json:"sentence"`
	Actor       string              `json:"actor,omitempty"`
	Issuer      string              `json:"issuer,omitempty"`
	Client      *Named              `json:"client,omitempty"`
	Subject     *Named              `json:"subject,omitempty"`
	Consent     string              `json:"consent_id,omitempty"`
	Result      string              `json:"result,omitempty"` // of what can be refused
	Interaction string              `json:"x_fapi_interaction_id,omitempty"`
	Erased      []string            `json:"erased,omitempty"` // fields whose key was destroyed
	Body        any                 `json:"-"`                // the event itself, for telling it in other words
}

// Named is an identifier and what people call it.
type Named struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func entry(d eventstore.Decoded, s subjects, registry *event.Registry, n event.Names) Entry {
	e := Entry{
		Position: d.Position, Time: d.Recorded, Type: d.Type, Stream: d.Stream, Revision: d.Revision, Event: d.ID.String(),
		Sentence: registry.Audit(d.Body, told{n, cmp.Or(d.Metadata.Client, s.client), cmp.Or(d.Metadata.Subject, s.customer)}), Actor: d.Metadata.Actor, Issuer: d.Metadata.Issuer,
		Consent: s.consent, Result: s.result, Interaction: s.interaction, Erased: d.Erased, Body: d.Body,
	}
	if s.client != "" {
		e.Client = &Named{s.client, n.Client(s.client)}
	}
	if s.customer != "" {
		e.Subject = &Named{s.customer, n.Subject(s.customer)}
	}
	return e
}

// told names the client and customer of one event when a sentence does not
// say which.
type told struct {
	event.Names
	client, customer string
}

func (a told) Client(id string) string {
	if id = cmp.Or(id, a.client); id == "" {
		return "the client"
	}
	return a.Names.Client(id)
}

func (a told) Subject(id string) string {
	if id = cmp.Or(id, a.customer); id == "" {
		return "the customer"
	}
	return a.Names.Subject(id)
}

// near is how far apart two revisions may be to be read in one go.
const near = 128

// entries reads the events of hits from the log, in the order of the hits.
func (a *Audit) entries(ctx context.Context, hits []hit, n event.Names) ([]Entry, error) {
	decoded := make(map[eventstore.Position]eventstore.Decoded, len(hits))
	for _, h := range hits {
		decoded[h.position] = eventstore.Decoded{}
	}
	for _, run := range runs(hits) {
		if err := a.load(ctx, run, decoded); err != nil {
			return nil, err
		}
	}
	all := make([]Entry, len(hits))
	for i, h := range hits {
		d := decoded[h.position]
		if d.Position != h.position {
			return nil, fmt.Errorf("%w: %s has no event at position %d", ErrAltered, h.stream, h.position)
		}
		s := about(d)
		s.client, s.customer, s.consent, s.result = h.client, h.customer, h.consent, h.result
		all[i] = entry(d, s, a.journal.Codec.Registry, n)
	}
	return all, nil
}

// A run is a part of a stream that is read in one go.
type run struct {
	stream   eventstore.Stream
	from, to eventstore.Revision
}

func runs(hits []hit) []*run {
	var all []*run
	open := map[eventstore.Stream]*run{}
	for _, h := range hits {
		r := open[h.stream]
		if r == nil || h.revision < r.from-near || h.revision > r.to+near {
			r = &run{h.stream, h.revision, h.revision}
			open[h.stream] = r
			all = append(all, r)
		}
		r.from, r.to = min(r.from, h.revision), max(r.to, h.revision)
	}
	return all
}

// load decodes the events of a run that have a place in into.
func (a *Audit) load(ctx context.Context, r *run, into map[eventstore.Position]eventstore.Decoded) error {
	for e, err := range numbered(ctx, a.journal.Log, r.stream, r.from) {
		if err != nil {
			return err
		}
		if e.Revision > r.to {
			return nil
		}
		if _, wanted := into[e.Position]; !wanted {
			continue
		}
		if into[e.Position], err = a.journal.Codec.Decode(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
