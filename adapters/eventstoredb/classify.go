package eventstoredb

import (
	"errors"
	"io"
	"strings"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A verdict says what an answer of the client means for the call that got it.
type verdict int

const (
	fine      verdict = iota
	conflict          // the stream is elsewhere; nothing was written
	notFound          // there is no such stream
	again             // nothing was done: not the leader, or nobody to ask
	ambiguous         // it may be done: only an identical repeat can tell
	final             // refused, and a repeat would be too
)

// What can go wrong beside what the client says.
var (
	errAbandoned = errors.New("eventstoredb: the client did not return")
	errPanicked  = errors.New("eventstoredb: the client panicked")
	errNoClient  = errors.New("eventstoredb: no connection")
)

// classify judges an answer. Of the client's codes 0 and 4 mean several
// things; what is not known to be harmless is ambiguous.
func classify(err error) verdict {
	if err == nil {
		return fine
	}
	if errors.Is(err, eventstore.ErrClosed) {
		return final
	}
	if errors.Is(err, errNoClient) || undiscovered(err) {
		return again
	}
	e := (*esdb.Error)(nil)
	if !errors.As(err, &e) {
		return byStatus(status.Code(err))
	}
	switch e.Code() {
	case esdb.ErrorCodeWrongExpectedVersion:
		return conflict
	case esdb.ErrorCodeResourceNotFound:
		if _, fromServer := status.FromError(e.Err()); fromServer && e.Err() != nil {
			return again // a refusal to lead that names no leader comes with this status
		}
		return notFound
	case esdb.ErrorCodeNotLeader, esdb.ErrorCodeConnectionClosed:
		return again
	case esdb.ErrorCodeDeadlineExceeded, esdb.ErrorAborted, esdb.ErrorUnavailable:
		return ambiguous
	case esdb.ErrorCodeUnknown:
		return byStatus(status.Code(e.Err()))
	}
	return final
}

func byStatus(code codes.Code) verdict {
	switch code {
	case codes.InvalidArgument, codes.FailedPrecondition, codes.OutOfRange,
		codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented, codes.AlreadyExists:
		return final
	case codes.NotFound:
		return again
	}
	return ambiguous
}

// undiscovered reports whether a call ended before it was sent, because no node
// could be found. The client is dead then.
func undiscovered(err error) bool {
	return strings.Contains(err.Error(), "maximum discovery attempt count reached")
}

// masked reports whether the reason of a refusal was lost: the server refused
// while the client still sent.
func masked(err error) bool { return errors.Is(err, io.EOF) && has(err, esdb.ErrorCodeUnknown) }

// spent reports whether the client that gave err must not be used again.
// After Unavailable it would open another connection and forget to close the
// one it has; after a failed discovery it is dead, and calls may hang.
func spent(err error) bool {
	return err != nil && (undiscovered(err) || errors.Is(err, errPanicked) || status.Code(err) == codes.Unavailable ||
		has(err, esdb.ErrorUnavailable) || has(err, esdb.ErrorCodeConnectionClosed))
}

func has(err error, code esdb.ErrorCode) bool {
	e := (*esdb.Error)(nil)
	return errors.As(err, &e) && e.Code() == code
}
