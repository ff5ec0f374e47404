package projections

import (
	"math"
	"time"
)

// The instants that a table can hold, in nanoseconds of Unix time.
var (
	firstInstant = time.Unix(0, math.MinInt64)
	lastInstant  = time.Unix(0, math.MaxInt64)
)

// nanos is how an instant is kept in a table; 0 is none. What is later than
// the year 2262 is kept as that.
func nanos(t time.Time) int64 {
	switch {
	case t.IsZero():
		return 0
	case t.After(lastInstant):
		return math.MaxInt64
	case t.Before(firstInstant):
		return math.MinInt64
	}
	return t.UnixNano()
}

func instant(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
