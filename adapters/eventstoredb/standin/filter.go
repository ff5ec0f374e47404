package standin

import (
	"regexp"
	"slices"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
)

// filter returns what a filter of $all lets through: names of streams or types
// of events, by prefixes or by a regular expression. No filter lets everything
// through.
func filter(f *streams.ReadReq_Options_FilterOptions) (func(*record) bool, error) {
	if f == nil {
		return func(*record) bool { return true }, nil
	}
	e, text := f.GetStreamIdentifier(), func(r *record) string { return r.stream }
	switch f.GetFilter().(type) {
	case *streams.ReadReq_Options_FilterOptions_EventType:
		e, text = f.GetEventType(), func(r *record) string { return r.kind }
	case nil:
		return nil, Refuse(codes.InvalidArgument, "'None' is not a valid FilterOptions")
	}
	if e.GetRegex() == "" {
		return func(r *record) bool {
			return slices.ContainsFunc(e.GetPrefix(), func(p string) bool { return strings.HasPrefix(text(r), p) })
		}, nil
	}
	x, err := regexp.Compile(e.GetRegex())
	if err != nil {
		return nil, thrown
	}
	return func(r *record) bool { return x.MatchString(text(r)) }, nil
}
