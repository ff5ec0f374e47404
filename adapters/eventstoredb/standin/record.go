package standin

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
)

// tick is the unit of the time that a server gives its events.
const tick = 100 * time.Nanosecond

const (
	asJSON  = "application/json"
	asBytes = "application/octet-stream"
)

// A proposal is an event on its way into the log.
type proposal struct {
	id         uuid.UUID
	kind       string // the event's type
	json       bool
	data, meta []byte
}

// size is what the limit of an append counts, of one event.
func (p proposal) size() int { return len(p.data) + len(p.meta) + 2*len(p.kind) }

// A record is an event in the log. Its content is kept in the form in which
// it is sent, so that a read copies nothing.
type record struct {
	stream   string
	kind     string
	revision int64
	position uint64 // commit and prepare alike: an event is its own commit record
	end      uint64 // where the next record begins
	id       uuid.UUID
	created  time.Time
	wire     encoded
}

func newRecord(stream string, revision int64, position uint64, created time.Time, p proposal) *record {
	const around = 90 // bytes that a server writes besides the strings
	r := &record{
		stream: stream, kind: p.kind, revision: revision, id: p.id, created: created,
		position: position,
		end:      position + around + uint64(len(stream)+len(p.kind)+len(p.data)+len(p.meta)),
	}
	content := asBytes
	if p.json {
		content = asJSON
	}
	r.wire = encode(&streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
		Event: &streams.ReadResp_ReadEvent_RecordedEvent{
			Id:               structured(p.id),
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(stream)},
			StreamRevision:   uint64(revision),
			PreparePosition:  position,
			CommitPosition:   position,
			Metadata: map[string]string{
				"type": p.kind, "content-type": content,
				"created": strconv.FormatInt(int64(time.Duration(created.UnixNano())/tick), 10),
			},
			CustomMetadata: p.meta,
			Data:           p.data,
		},
		Position: &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: position},
	}}})
	return r
}

// parseRecord undoes newRecord.
func parseRecord(wire []byte) (*record, []byte, error) {
	var m streams.ReadResp
	if err := proto.Unmarshal(wire, &m); err != nil {
		return nil, nil, err
	}
	e := m.GetEvent().GetEvent()
	ticks, err := strconv.ParseInt(e.GetMetadata()["created"], 10, 64)
	if err != nil {
		return nil, nil, fmt.Errorf("time of the event at %d: %w", e.GetCommitPosition(), err)
	}
	p := proposal{
		id: parseUUID(e.GetId()), kind: e.GetMetadata()["type"], json: e.GetMetadata()["content-type"] == asJSON,
		data: e.GetData(), meta: e.GetCustomMetadata(),
	}
	stream := string(e.GetStreamIdentifier().GetStreamName())
	return newRecord(stream, int64(e.GetStreamRevision()), e.GetCommitPosition(), time.Unix(0, ticks*int64(tick)), p), e.GetData(), nil
}

// withTextID is what a client gets that asked for ids as text.
func (r *record) withTextID() encoded {
	var m streams.ReadResp
	if err := proto.Unmarshal(r.wire, &m); err != nil {
		panic("standin: a record of ours: " + err.Error())
	}
	m.GetEvent().GetEvent().Id = &shared.UUID{Value: &shared.UUID_String_{String_: r.id.String()}}
	return encode(&m)
}

func structured(id uuid.UUID) *shared.UUID {
	return &shared.UUID{Value: &shared.UUID_Structured_{Structured: &shared.UUID_Structured{
		MostSignificantBits:  int64(binary.BigEndian.Uint64(id[:8])),
		LeastSignificantBits: int64(binary.BigEndian.Uint64(id[8:])),
	}}}
}

// parseUUID returns the nil UUID for what is none.
func parseUUID(u *shared.UUID) (id uuid.UUID) {
	if s := u.GetStructured(); s != nil {
		binary.BigEndian.PutUint64(id[:8], uint64(s.GetMostSignificantBits()))
		binary.BigEndian.PutUint64(id[8:], uint64(s.GetLeastSignificantBits()))
		return id
	}
	id, _ = uuid.Parse(u.GetString_())
	return id
}
