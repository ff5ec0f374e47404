package eventstore

import (
	"fmt"

	"github.com/google/uuid"
)

// Limits that every engine enforces with [ErrTooLarge].
const (
	MaxEventBytes   = 256 << 10 // data and metadata of one event
	MaxAppendBytes  = 1 << 20   // of one call of Append
	MaxAppendEvents = 512       // likewise, events and replay keys each
	MaxStreamName   = 256
	MaxTypeName     = 128
)

// Check refuses what no engine takes, whatever its log holds: [ErrInvalid] for
// an append without an expectation or with a bad name, [ErrTooLarge] for one
// over the limits.
func Check(appends ...Append) error {
	if len(appends) == 0 {
		return fmt.Errorf("%w: nothing to append", ErrInvalid)
	}
	var size, events, keys int
	for _, a := range appends {
		if err := a.check(); err != nil {
			return err
		}
		size += a.Bytes()
		events += max(1, len(a.Events))
		keys += len(a.Once)
	}
	switch {
	case size > MaxAppendBytes:
		return fmt.Errorf("%w: %d bytes in one call", ErrTooLarge, size)
	case events > MaxAppendEvents || keys > MaxAppendEvents:
		return fmt.Errorf("%w: %d events and %d keys in one call", ErrTooLarge, events, keys)
	}
	return nil
}

// Bytes is the size of a against [MaxAppendBytes].
func (a Append) Bytes() int {
	n := len(a.Stream)
	for _, e := range a.Events {
		n += len(e.Type) + len(e.Data) + len(e.Meta)
	}
	return n
}

func (a Append) check() error {
	if err := a.Stream.check(); err != nil {
		return err
	}
	if !a.Expect.Valid() {
		return fmt.Errorf("%w: no expectation for %s", ErrInvalid, a.Stream)
	}
	for _, e := range a.Events {
		switch {
		case e.ID == uuid.Nil:
			return fmt.Errorf("%w: event without an id for %s", ErrInvalid, a.Stream)
		case e.Type == "" || len(e.Type) > MaxTypeName || e.Version < 1:
			return fmt.Errorf("%w: type %.40q version %d for %s", ErrInvalid, e.Type, e.Version, a.Stream)
		case len(e.Data)+len(e.Meta) > MaxEventBytes:
			return fmt.Errorf("%w: %s of %d bytes for %s", ErrTooLarge, e.Type, len(e.Data)+len(e.Meta), a.Stream)
		}
	}
	return nil
}

func (s Stream) check() error {
	if len(s) > MaxStreamName {
		return fmt.Errorf("%w: stream name of %d bytes", ErrTooLarge, len(s))
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return fmt.Errorf("%w: stream name %.40q", ErrInvalid, string(s))
		}
	}
	if s.Category() == "" || s.ID() == "" {
		return fmt.Errorf("%w: stream name %.40q", ErrInvalid, string(s))
	}
	return nil
}
