package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/projections"

	"github.com/spf13/cobra"
)

// A thing is what a timeline is about, or a stream: consent/ID, as people
// write, consent-ID, as streams are named, or both words apart.
type thing struct{ kind, id string }

// thingAfter demands other arguments and then a thing, in any of its forms.
func thingAfter(others ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if n := len(args) - len(others); n == 1 || n == 2 {
			return nil
		}
		return exactly(append(others, "KIND/ID")...)(cmd, args)
	}
}

// readThing reads the last one or two arguments.
func readThing(args []string) (thing, error) {
	if len(args) == 2 {
		return thing{args[0], args[1]}, nil
	}
	text := args[0]
	at := strings.IndexByte(text, '/')
	if at < 0 {
		at = strings.IndexByte(text, '-')
	}
	if at <= 0 || at == len(text)-1 {
		return thing{}, usageError{fmt.Errorf("%q is not KIND/ID, such as client/budgetly", text)}
	}
	return thing{text[:at], text[at+1:]}, nil
}

// other words for the same: a timeline is of a customer, whose stream is that
// of a subject.
var (
	timelineWords = map[string]string{"subject": string(projections.OfCustomer), "key": string(projections.OfKey)}
	streamWords   = map[string]string{"customer": "subject", "key": "signingkey"}
)

// timeline names the kind as timelines do.
func (t thing) timeline() (thing, error) {
	t.kind = cmp.Or(timelineWords[t.kind], t.kind)
	if !slices.Contains(projections.Kinds, projections.Kind(t.kind)) {
		var known []string
		for _, k := range projections.Kinds {
			known = append(known, string(k))
		}
		return t, usageError{fmt.Errorf("there is no timeline of a %q, only of %s", t.kind, strings.Join(known, ", "))}
	}
	return t, nil
}

// stream is the name of the thing's stream.
func (t thing) stream() string { return cmp.Or(streamWords[t.kind], t.kind) + "-" + t.id }
