package eventstoredb

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// An event is stored under its own id and type, its data as it is. What the
// server has no field for is framed around the metadata, which is kept byte
// for byte:
//
//	{"chirograph":{"version":1,"recorded":1774008000000000000},"meta":{…}}
//
// The frame is read by position and never as JSON, so that there is one way
// only to write it.
const (
	frameVersion  = `{"chirograph":{"version":`
	frameRecorded = `,"recorded":`
	frameMeta     = `},"meta":`
	frameEnd      = `}`
)

var errFrame = errors.New("metadata is not in the form that this program writes")

func frame(version int, recorded time.Time, meta []byte) []byte {
	b := make([]byte, 0, 80+len(meta))
	b = strconv.AppendInt(append(b, frameVersion...), int64(version), 10)
	b = strconv.AppendInt(append(b, frameRecorded...), recorded.UnixNano(), 10)
	b = append(b, frameMeta...)
	b = append(b, meta...)
	return append(b, frameEnd...)
}

func parseFrame(b []byte) (version int, recorded time.Time, meta []byte, err error) {
	v, rest, err := decimal(b, frameVersion)
	if err != nil {
		return 0, recorded, nil, err
	}
	ns, rest, err := decimal(rest, frameRecorded)
	if err != nil {
		return 0, recorded, nil, err
	}
	rest, begins := bytes.CutPrefix(rest, []byte(frameMeta))
	meta, ends := bytes.CutSuffix(rest, []byte(frameEnd))
	if !begins || !ends || v < 1 || v > 1<<31-1 {
		return 0, recorded, nil, errFrame
	}
	return int(v), time.Unix(0, ns).UTC(), meta, nil
}

// decimal reads a number after a prefix, written in the one way there is.
func decimal(b []byte, prefix string) (n int64, rest []byte, err error) {
	b, found := bytes.CutPrefix(b, []byte(prefix))
	end := bytes.IndexAny(b, ",}")
	if !found || end < 0 {
		return 0, nil, errFrame
	}
	n, err = strconv.ParseInt(string(b[:end]), 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != string(b[:end]) {
		return 0, nil, errFrame
	}
	return n, b[end:], nil
}

// proposed returns p as the client sends it.
func proposed(p eventstore.Proposed, recorded time.Time) esdb.EventData {
	return esdb.EventData{
		EventID:     p.ID,
		EventType:   p.Type,
		ContentType: contentType(p.Data),
		Data:        p.Data,
		Metadata:    frame(p.Version, recorded, p.Meta),
	}
}

// contentType tells the server's own tools what they may show as JSON.
func contentType(data []byte) esdb.ContentType {
	if bytes.HasPrefix(data, []byte("{")) {
		return esdb.ContentTypeJson
	}
	return esdb.ContentTypeBinary
}

// size is what the server counts against its limit for one append.
func size(events []esdb.EventData) (n int) {
	for _, e := range events {
		n += len(e.Data) + len(e.Metadata) + 2*len(e.EventType)
	}
	return n
}

// event returns a stored event without numbers, its time that of its writer.
// [ledger.AlteredError] if it was not written by this program.
func (n names) event(r *esdb.RecordedEvent) (eventstore.Event, error) {
	version, recorded, meta, err := parseFrame(r.UserMetadata)
	if err != nil {
		return eventstore.Event{}, &ledger.AlteredError{What: fmt.Sprintf("event %d of %.300s at place %d", r.EventNumber, r.StreamID, r.Position.Commit), Err: err}
	}
	return eventstore.Event{
		Proposed: eventstore.Proposed{ID: r.EventID, Type: r.EventType, Version: version, Data: r.Data, Meta: meta},
		Stream:   n.stream(r.StreamID),
		Revision: eventstore.Revision(r.EventNumber),
		Position: eventstore.Unnumbered,
		Leaf:     -1,
		Recorded: recorded,
	}, nil
}
