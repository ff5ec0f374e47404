package projections

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/eventstore"
)

// A Diff is what changed in a stream between two positions.
type Diff struct {
	Stream  eventstore.Stream   `json:"stream"`
	From    eventstore.Position `json:"from"`
	To      eventstore.Position `json:"to"`
	Changes []Change            `json:"changes"`
	Events  []Entry             `json:"events,omitempty"` // that made the changes
}

// A Change is an operation of RFC 6902 on the state as JSON, with the value
// that was there before.
type Change struct {
	Op    string `json:"op"`   // "add", "remove" or "replace"
	Path  string `json:"path"` // RFC 6901
	Old   any    `json:"old,omitempty"`
	Value any    `json:"value,omitempty"`
}

// String says the change in words, as in "status: authorized -> revoked".
func (c Change) String() string {
	name := strings.NewReplacer("~1", "/", "~0", "~").Replace(strings.ReplaceAll(strings.TrimPrefix(c.Path, "/"), "/", "."))
	switch c.Op {
	case "add":
		return name + ": " + plain(c.Value) + " (new)"
	case "remove":
		return name + ": " + plain(c.Old) + " (gone)"
	}
	return name + ": " + plain(c.Old) + " -> " + plain(c.Value)
}

// plain writes a value as people do.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = plain(e)
		}
		return strings.Join(parts, ", ")
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// Words returns the changes as sentences.
func (d Diff) Words() []string {
	words := make([]string, len(d.Changes))
	for i, c := range d.Changes {
		words[i] = c.String()
	}
	return words
}

var pointer = strings.NewReplacer("~", "~0", "/", "~1") // RFC 6901, Section 3

// changes compares two JSON objects member by member. An array is one value.
func changes(at string, before, after map[string]any) []Change {
	all := []Change{}
	members := maps.Clone(before)
	if members == nil {
		members = map[string]any{}
	}
	maps.Copy(members, after)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		path := at + "/" + pointer.Replace(name)
		old, was := before[name]
		value, is := after[name]
		deepOld, okOld := old.(map[string]any)
		deepValue, okValue := value.(map[string]any)
		switch {
		case !was:
			all = append(all, Change{Op: "add", Path: path, Value: value})
		case !is:
			all = append(all, Change{Op: "remove", Path: path, Old: old})
		case okOld && okValue:
			all = append(all, changes(path, deepOld, deepValue)...)
		case !reflect.DeepEqual(old, value):
			all = append(all, Change{Op: "replace", Path: path, Old: old, Value: value})
		}
	}
	return all
}
