package conformance

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// tweaks are what "with" changes in the next request: a name and its values.
type tweaks map[string][]word

// tweakable are the names without those of claims and headers.
var tweakable = []string{
	"assertion", "dpop", "request", "certificate", "at", "method", "media", "query", "body", "scheme", "accept", "client_assertion_type",
}

func (w tweaks) add(name string, value word) error {
	prefix, rest, dotted := strings.Cut(name, ".")
	signed := slices.Contains([]string{"assertion", "dpop", "request"}, prefix)
	if !slices.Contains(tweakable, name) && !(dotted && rest != "" && (signed || prefix == "header" || prefix == "outside")) {
		return fmt.Errorf("with %s changes nothing", name)
	}
	w[name] = append(w[name], value)
	return nil
}

func (w tweaks) get(name string) string {
	if values := w[name]; len(values) > 0 {
		return values[len(values)-1].text
	}
	return ""
}

// of returns the tweaks below a prefix, without it.
func (w tweaks) of(prefix string) tweaks {
	below := tweaks{}
	for name, values := range w {
		if rest, is := strings.CutPrefix(name, prefix+"."); is {
			below[rest] = values
		}
	}
	return below
}

// dates are claims whose tweaks are offsets from now.
var dates = []string{"iat", "nbf", "exp"}

// apply changes claims: "none" leaves one out, dates are offsets from now, and
// anything else is the value, a number or an array if it reads as one.
func (w tweaks) apply(claims map[string]any, now time.Time, except ...string) error {
	for name, values := range w {
		value := values[len(values)-1]
		switch {
		case slices.Contains(except, name):
		case value.text == "none" && !value.quoted:
			delete(claims, name)
		case slices.Contains(dates, name) && !value.quoted:
			offset, err := time.ParseDuration(value.text)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			claims[name] = now.Add(offset).Unix()
		default:
			claims[name] = literal(value)
		}
	}
	return nil
}

func literal(w word) any {
	if n, err := strconv.ParseInt(w.text, 10, 64); err == nil && !w.quoted {
		return n
	}
	if inner, is := strings.CutPrefix(w.text, "["); is {
		return strings.Split(strings.TrimSuffix(inner, "]"), ",")
	}
	return w.text
}
