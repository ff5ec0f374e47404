package projections

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// A Moment is a point in the history: a position, or an instant, which stands
// for the last position recorded at or before it. The zero Moment is now.
type Moment struct {
	Position eventstore.Position
	Time     time.Time
}

// layouts of an instant, from the most exact on. Without a zone it is UTC.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly,
}

// maxMoment is the length of the longest moment.
const maxMoment = 40

// ParseMoment reads a position ("1234"), an instant of RFC 3339, of which
// seconds, zone and time of day may be left out, or "now".
func ParseMoment(text string) (Moment, error) {
	bad := fmt.Errorf("%.40q is neither a position nor a time such as 2026-03-04T10:00Z", text)
	if len(text) > maxMoment {
		return Moment{}, bad
	}
	if text == "now" {
		return Moment{}, nil
	}
	if strings.Trim(text, "0123456789") == "" {
		p, err := strconv.ParseUint(text, 10, 62)
		if err != nil || p == 0 {
			return Moment{}, bad
		}
		return Moment{Position: eventstore.Position(p)}, nil
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 1 {
			return Moment{Time: t.UTC()}, nil
		}
	}
	return Moment{}, bad
}

// String is what [ParseMoment] reads.
func (m Moment) String() string {
	switch {
	case m.Position != 0:
		return strconv.FormatUint(uint64(m.Position), 10)
	case !m.Time.IsZero():
		return m.Time.UTC().Format(time.RFC3339Nano)
	}
	return "now"
}

// Resolve returns the position of a moment, which is never beyond the head.
func (m Moment) Resolve(ctx context.Context, log eventstore.Log) (eventstore.Position, error) {
	head, err := log.Head(ctx)
	if err != nil {
		return 0, err
	}
	switch {
	case m.Position != 0:
		return min(m.Position, head), nil
	case m.Time.IsZero():
		return head, nil
	}
	return lastWhere(head, func(after eventstore.Position) (eventstore.Position, bool, error) {
		for e, err := range log.ReadAll(ctx, after, eventstore.Filter{}) {
			return e.Position, err == nil && !e.Recorded.After(m.Time), err
		}
		return 0, false, nil
	})
}

// lastWhere returns the last position, up to head, at which something holds
// that holds up to some point and never after it; 0 if it never does. Probe
// looks at the first event after a position.
func lastWhere(head eventstore.Position, probe func(after eventstore.Position) (eventstore.Position, bool, error)) (eventstore.Position, error) {
	low, high := eventstore.Position(0), head // it holds at low; not after high
	for low < high {
		middle := low + (high-low)/2
		found, holds, err := probe(middle)
		switch {
		case err != nil:
			return 0, err
		case holds && found <= high:
			low = found
		default:
			high = middle
		}
	}
	return low, nil
}
