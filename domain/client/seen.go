package client

import (
	"maps"
	"slices"
)

// seen is a growing set of thumbprints, in parts of falling size. States share
// the parts, which are never changed: a state that knows one more costs little
// however many there are.
type seen []map[string]bool

func (s seen) has(thumbprint string) bool {
	return slices.ContainsFunc(s, func(part map[string]bool) bool { return part[thumbprint] })
}

// with joins parts that are no larger than what is added, so that there are few.
func (s seen) with(thumbprint string) seen {
	added := map[string]bool{thumbprint: true}
	for len(s) > 0 && len(s[len(s)-1]) <= len(added) {
		maps.Copy(added, s[len(s)-1])
		s = s[:len(s)-1]
	}
	return append(slices.Clip(s), added)
}
