package eventstoredb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

// An identity is the first event of a log, in a stream of its own: no event of
// the log is before it.
type identity struct {
	Log    uuid.UUID `json:"log"`
	Format int       `json:"format"`
}

const (
	identityType = "chirograph.log"
	dataFormat   = 1
)

var (
	errOtherLog = errors.New("the server has another log")
	errTooOld   = errors.New("the server does not tell the places of events in streams: it must be of version 22.6 or later")
)

// wanted is the id that a log must have: that of its table, if the table has
// one, and the one that the caller wants.
func wanted(o Options) (uuid.UUID, error) {
	t, named := o.Table.(interface{ ID() uuid.UUID })
	switch {
	case !named:
		return o.ID, nil
	case o.ID != uuid.Nil && o.ID != t.ID():
		return o.ID, fmt.Errorf("the table of leaves is that of log %s, not of %s", t.ID(), o.ID)
	}
	return t.ID(), nil
}

// identify finds out which log this is, and names it if the server has none.
// want is the id it must have, if that is not zero.
func (l *Log) identify(ctx context.Context, want uuid.UUID, tail ledger.Row, numbered bool) error {
	found, err := l.identified(ctx)
	if err != nil {
		return err
	}
	if !found {
		if numbered {
			return &ledger.RollbackError{Have: 0, Want: tail.Leaf + 1, Where: "the table of leaves"}
		}
		if err := l.found(ctx, want); err != nil {
			return err
		}
		if found, err = l.identified(ctx); err != nil || !found {
			return errors.Join(errors.New("the log was made, and is not there"), err)
		}
	}
	if want != uuid.Nil && l.id != want {
		return fmt.Errorf("%w: %s, not %s", errOtherLog, l.id, want)
	}
	return nil
}

// identified reads which log this is, if it has been named.
func (l *Log) identified(ctx context.Context) (bool, error) {
	p, err := l.readStream(ctx, l.identity(), esdb.ReadStreamOptions{}, 1)
	if err != nil || len(p.events) == 0 {
		return false, err
	}
	var i identity
	r := p.events[0]
	if err := json.Unmarshal(r.Data, &i); err != nil || r.EventNumber != 0 || r.EventType != identityType || i.Log == uuid.Nil {
		return false, &ledger.AlteredError{What: "the event that names the log", Err: err}
	}
	if i.Format != dataFormat {
		return false, fmt.Errorf("data format %d, this program has %d", i.Format, dataFormat)
	}
	if r.Position.Commit == 0 || int64(r.Position.Commit) < 0 {
		return false, errTooOld
	}
	l.id, l.origin = i.Log, r.Position.Commit
	return true, nil
}

// found names the log, unless somebody else does so first.
func (l *Log) found(ctx context.Context, id uuid.UUID) error {
	if id == uuid.Nil {
		id = uuid.New()
	}
	data, err := json.Marshal(identity{Log: id, Format: dataFormat})
	if err != nil {
		return err
	}
	event := esdb.EventData{EventID: uuid.New(), EventType: identityType, ContentType: esdb.ContentTypeJson, Data: data}
	_, err = l.put(ctx, batch{l.identity(), eventstore.NoRevision, []esdb.EventData{event}})
	if errors.Is(err, eventstore.ErrConflict) {
		return nil
	}
	return err
}
