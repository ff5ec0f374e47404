package main

import (
	"fmt"
	"time"
)

// clockError is how wrong the clock of a binary for tests is, as in "-60s". It
// is set when such a binary is linked and by nothing else: no setting of a
// server can move its time.
var clockError string

// clock returns the time, with the error that was linked in.
func clock() (func() time.Time, error) {
	if clockError == "" {
		return time.Now, nil
	}
	off, err := time.ParseDuration(clockError)
	if err != nil {
		return nil, fmt.Errorf("clock error %q: %w", clockError, err)
	}
	return func() time.Time { return time.Now().Add(off) }, nil
}
