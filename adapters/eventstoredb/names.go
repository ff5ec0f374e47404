package eventstoredb

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// DefaultPrefix is that of the names of all streams of a log. It keeps apart
// what is the log's from what others write to the server, and is part of the
// category that the server's own tools show: "chirograph.consent".
const DefaultPrefix = "chirograph."

// names are the names of a log's streams in the server. A stream of the log
// has its own name after a prefix. Streams that only the adapter knows have no
// dash in theirs, so that no stream of a log can be called the same. Their
// events have no numbers and are no leaves, and those of streams without the
// prefix neither.
type names struct{ prefix string }

func (n names) of(s eventstore.Stream) string        { return n.prefix + string(s) }
func (n names) stream(name string) eventstore.Stream { return eventstore.Stream(name[len(n.prefix):]) }
func (n names) identity() string                     { return n.prefix + "identity" }
func (n names) bucket(shard int) string              { return n.prefix + "keys." + strconv.Itoa(shard) }

// ours reports whether an event is one of the log's.
func (n names) ours(r *esdb.RecordedEvent) bool {
	name, found := strings.CutPrefix(r.StreamID, n.prefix)
	return found && strings.IndexByte(name, '-') > 0 && name[0] != '$'
}

// filter lets the server leave out what is not the log's.
func (n names) filter() *esdb.SubscriptionFilter {
	return &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Regex: "^" + regexp.QuoteMeta(n.prefix) + "[^$-][^-]*-"}
}

// check refuses names that this engine cannot take: those that begin like the
// server's own.
func (n names) check(appends []eventstore.Append) error {
	for _, a := range appends {
		if strings.HasPrefix(string(a.Stream), "$") {
			return fmt.Errorf("%w: stream %.40q begins like one of the server", eventstore.ErrInvalid, string(a.Stream))
		}
		for _, e := range a.Events {
			if strings.HasPrefix(e.Type, "$") {
				return fmt.Errorf("%w: type %.40q begins like one of the server", eventstore.ErrInvalid, e.Type)
			}
		}
	}
	return nil
}

// possible reports whether a log can have a stream of this name.
func possible(s eventstore.Stream) bool {
	return s.Category() != "" && s.ID() != "" && s[0] != '$' && len(s) <= eventstore.MaxStreamName
}
