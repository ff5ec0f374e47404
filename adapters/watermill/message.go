package watermill

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/uuid"
)

// A record is an event as a message carries it: as it is stored, so that what
// is sealed in the log stays sealed on its way.
type record struct {
	ID       uuid.UUID           `json:"id"`
	Type     string              `json:"type"`
	Version  int                 `json:"version"`
	Stream   eventstore.Stream   `json:"stream"`
	Revision eventstore.Revision `json:"revision"`
	Position eventstore.Position `json:"position"`
	Recorded time.Time           `json:"recorded"`
	Metadata json.RawMessage     `json:"metadata"`
	Data     json.RawMessage     `json:"data"`
}

// What the metadata of a message says, for those who do not read its payload.
const (
	HeaderType     = "type"
	HeaderVersion  = "version"
	HeaderStream   = "stream"
	HeaderPosition = "position"
	HeaderRecorded = "recorded" // RFC 3339
)

// A message's UUID is the event's id, which receivers know repetitions by.
func messageOf(e eventstore.Event) (*message.Message, error) {
	var payload bytes.Buffer
	encoder := json.NewEncoder(&payload)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(record{
		ID: e.ID, Type: e.Type, Version: e.Version, Stream: e.Stream, Revision: e.Revision,
		Position: e.Position, Recorded: e.Recorded, Metadata: stored(e.Meta), Data: stored(e.Data),
	})
	if err != nil {
		return nil, err
	}
	m := message.NewMessage(e.ID.String(), bytes.TrimSuffix(payload.Bytes(), []byte("\n")))
	m.Metadata = message.Metadata{
		HeaderType: e.Type, HeaderVersion: strconv.Itoa(e.Version), HeaderStream: string(e.Stream),
		HeaderPosition: strconv.FormatUint(uint64(e.Position), 10), HeaderRecorded: e.Recorded.UTC().Format(time.RFC3339Nano),
	}
	return m, nil
}

// stored is what the log holds, as a member of an object. What is not JSON,
// which only a stranger has written, is carried as text.
func stored(raw []byte) json.RawMessage {
	if json.Valid(raw) {
		return raw
	}
	text, _ := json.Marshal(raw) // bytes can always be marshalled
	return text
}

var errNoEvent = errors.New("watermill: the payload is not an event")

// Event returns the event that a payload carries. Its leaf is not known.
func Event(payload []byte) (eventstore.Event, error) {
	var r record
	if err := json.Unmarshal(payload, &r); err != nil {
		return eventstore.Event{}, fmt.Errorf("%w: %w", errNoEvent, err)
	}
	if r.ID == uuid.Nil || r.Type == "" || r.Stream.Category() == "" || len(r.Data) == 0 || len(r.Metadata) == 0 {
		return eventstore.Event{}, errNoEvent
	}
	return eventstore.Event{
		Proposed: eventstore.Proposed{ID: r.ID, Type: r.Type, Version: r.Version, Data: r.Data, Meta: r.Metadata},
		Stream:   r.Stream, Revision: r.Revision, Position: r.Position, Leaf: -1, Recorded: r.Recorded,
	}, nil
}
