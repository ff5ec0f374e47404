package eventstoredb

import (
	"encoding/json"
	"fmt"

	"github.com/chirograph/chirograph/eventstore/ledger"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// An entry of a bucket says who took which keys, or gave them back. Until is
// when the last key of this entry and all before it expires.
type entry struct {
	Owner []byte     `json:"owner"`
	Keys  []entryKey `json:"keys"`
	Until int64      `json:"until"`
}

type entryKey struct {
	Key     []byte `json:"key"`
	Expires int64  `json:"expires"`
}

const (
	entryTaken    = "chirograph.keys-taken"
	entryReleased = "chirograph.keys-released"
)

func parseEntry(r *esdb.RecordedEvent) (e entry, err error) {
	err = json.Unmarshal(r.Data, &e)
	wrong := err != nil || r.EventType != entryTaken && r.EventType != entryReleased || len(e.Owner) != len(owner{}) && len(e.Keys) > 0
	for _, k := range e.Keys {
		wrong = wrong || len(k.Key) != 32
	}
	if len(e.Keys) == 0 {
		e.Owner = make([]byte, len(owner{}))
	}
	if wrong {
		return e, &ledger.AlteredError{What: fmt.Sprintf("entry %d of %.300s", r.EventNumber, r.StreamID), Err: err}
	}
	return e, nil
}
