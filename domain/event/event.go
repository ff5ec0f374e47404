// Package event says what an event type is. One [Type] value gives a Go type
// its stored name, its schema version, its upcasters, its retention class, its
// sealed fields and its audit sentence; nothing else in the platform repeats
// any of them.
package event

import (
	"encoding/json"
	"fmt"
	"reflect"
)

// A Class decides how long the body of an event is kept.
type Class int

const (
	Evidence Class = iota // kept for the legal term
	Traffic               // the body may be archived; its leaf hash stays
)

func (c Class) String() string {
	if c == Traffic {
		return "traffic"
	}
	return "evidence"
}

// Names turns the identifiers in an event into what people call them. An
// implementation answers with the identifier itself when it knows no better.
// An empty id asks for the client or customer that the event's metadata names.
type Names interface {
	Client(id string) string
	Subject(id string) string
}

// A Type declares the event type T. Its schema version is len(Past)+1.
type Type[T any] struct {
	Name   string     // stored name, e.g. "consent.authorized"; never changed
	Past   []Upcaster // Past[0] lifts version 1 to 2, Past[1] lifts 2 to 3, ...
	Class  Class
	Sealed []string // JSON names of the fields that hold personal data
	// Audit says in one sentence what happened.
	Audit func(T, Names) string
}

// An Upcaster lifts stored data, already unsealed, by one schema version.
type Upcaster func(json.RawMessage) (json.RawMessage, error)

// Upcast makes an [Upcaster] from a function between two versions of a type.
func Upcast[From, To any](lift func(From) To) Upcaster {
	return func(old json.RawMessage) (json.RawMessage, error) {
		var from From
		if err := json.Unmarshal(old, &from); err != nil {
			return nil, err
		}
		return json.Marshal(lift(from))
	}
}

// Added is the [Upcaster] from a version to one that has more members, which
// old events have not.
func Added(old json.RawMessage) (json.RawMessage, error) { return old, nil }

// A Declaration is a [Type] of any T, so that a package can list its types.
type Declaration interface {
	name() string
	version() int
	class() Class
	sealed() []string
	goType() reflect.Type
	decode(version int, data json.RawMessage) (any, error)
	audit(any, Names) string
}

func (t Type[T]) name() string                { return t.Name }
func (t Type[T]) version() int                { return len(t.Past) + 1 }
func (t Type[T]) class() Class                { return t.Class }
func (t Type[T]) sealed() []string            { return t.Sealed }
func (t Type[T]) goType() reflect.Type        { return reflect.TypeFor[T]() }
func (t Type[T]) audit(e any, n Names) string { return t.Audit(e.(T), n) }

func (t Type[T]) decode(version int, data json.RawMessage) (any, error) {
	if version < 1 || version > t.version() {
		return nil, fmt.Errorf("event %s: no version %d", t.Name, version)
	}
	for _, lift := range t.Past[version-1:] {
		var err error
		if data, err = lift(data); err != nil {
			return nil, fmt.Errorf("event %s: upcast: %w", t.Name, err)
		}
	}
	var e T
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("event %s: %w", t.Name, err)
	}
	return e, nil
}
