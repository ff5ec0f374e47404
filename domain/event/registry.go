package event

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// A Registry translates between Go values and stored events.
type Registry struct {
	byName map[string]declared
	byType map[reflect.Type]declared
}

type declared struct {
	Declaration
	sealedAt []sealedField
}

type sealedField struct {
	name  string
	index []int
}

// NewRegistry joins the lists of every aggregate. It panics if a name or a Go
// type is declared twice, or if a sealed field would be written when empty:
// those are bugs that must not reach a running server.
func NewRegistry(lists ...[]Declaration) *Registry {
	r := &Registry{map[string]declared{}, map[reflect.Type]declared{}}
	for _, d := range slices.Concat(lists...) {
		_, named := r.byName[d.name()]
		_, typed := r.byType[d.goType()]
		if named || typed {
			panic("event: declared twice: " + d.name())
		}
		full := declared{d, sealedFields(d)}
		r.byName[d.name()], r.byType[d.goType()] = full, full
	}
	return r
}

func sealedFields(d Declaration) []sealedField {
	var found []sealedField
	fields := reflect.VisibleFields(d.goType())
	for _, want := range d.sealed() {
		i := slices.IndexFunc(fields, func(f reflect.StructField) bool {
			tag := f.Tag.Get("json")
			// omitempty writes a struct even when it is zero
			return tag == want+",omitzero" || tag == want+",omitempty" && f.Type.Kind() != reflect.Struct
		})
		if i < 0 {
			panic("event: " + d.name() + " has no field tagged " + want + ",omitempty to seal")
		}
		found = append(found, sealedField{want, fields[i].Index})
	}
	return found
}

// A Stored event is what an event store keeps, before sealing: Data has every
// field but those of Sealed.
type Stored struct {
	Name    string
	Version int
	Data    json.RawMessage
	Sealed  []Field
}

// A Field is the JSON of one field that must be sealed.
type Field struct {
	Name  string
	Value json.RawMessage
}

// Encode returns e as it is stored, its sealed fields apart. Empty ones are
// left out.
func (r *Registry) Encode(e any) (Stored, error) {
	d, ok := r.byType[reflect.TypeOf(e)]
	if !ok {
		return Stored{}, fmt.Errorf("event: %T is not declared", e)
	}
	s := Stored{Name: d.name(), Version: d.version()}
	if len(d.sealedAt) > 0 {
		open := reflect.New(d.goType()).Elem()
		open.Set(reflect.ValueOf(e))
		for _, f := range d.sealedAt {
			field := open.FieldByIndex(f.index)
			if field.IsZero() {
				continue
			}
			value, err := json.Marshal(field.Interface())
			if err != nil {
				return Stored{}, fmt.Errorf("event %s: %s: %w", d.name(), f.name, err)
			}
			s.Sealed = append(s.Sealed, Field{f.name, value})
			field.SetZero()
		}
		e = open.Interface()
	}
	var err error
	s.Data, err = json.Marshal(e)
	return s, err
}

// Decode returns the event that was stored, lifted to today's version. Its
// sealed fields must already be back in data.
func (r *Registry) Decode(name string, version int, data json.RawMessage) (any, error) {
	d, ok := r.byName[name]
	if !ok {
		return nil, fmt.Errorf("event: %q is not declared", name)
	}
	return d.decode(version, data)
}

// Audit returns the audit sentence of a declared event.
func (r *Registry) Audit(e any, n Names) string {
	return r.byType[reflect.TypeOf(e)].audit(e, n)
}

// NameOf returns the stored name of a declared event.
func (r *Registry) NameOf(e any) string { return r.byType[reflect.TypeOf(e)].name() }

// A Row describes one declared type for documents and tests.
type Row struct {
	Name    string
	Version int
	Class   Class
	Sealed  []string
	Type    reflect.Type
}

// Rows returns every declared type, ordered by name.
func (r *Registry) Rows() []Row {
	var rows []Row
	for _, d := range r.byName {
		rows = append(rows, Row{d.name(), d.version(), d.class(), d.sealed(), d.goType()})
	}
	slices.SortFunc(rows, func(a, b Row) int { return strings.Compare(a.Name, b.Name) })
	return rows
}
