package standin

import (
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// A refusal is a status of gRPC and the trailers that say more.
type refusal struct {
	status   *status.Status
	trailers []string // keys and values
}

func (r *refusal) Error() string              { return r.status.Message() }
func (r *refusal) GRPCStatus() *status.Status { return r.status }

// Refuse is a refusal with a status of gRPC, and trailers as pairs of keys and
// values.
func Refuse(code codes.Code, message string, trailers ...string) error {
	return &refusal{status.New(code, message), trailers}
}

// What a server refuses with, in its own words.
var (
	Busy     = Refuse(codes.Unavailable, "Server Is Too Busy")
	NotReady = Refuse(codes.Unavailable, "Server Is Not Ready")
	TimedOut = Refuse(codes.Aborted, "Operation timed out: Prepare phase timeout.")
	Denied   = Refuse(codes.PermissionDenied, "Access Denied", "exception", "access-denied")

	unauthenticated = Refuse(codes.Unauthenticated, "Bad gRPC response. HTTP status code: 401")
	noLeader        = Refuse(codes.Unknown, "No leader info available in response")
	badRead         = Refuse(codes.Unknown, "Unexpected ReadAllResult: InvalidPosition")
	badSubscription = Refuse(codes.InvalidArgument, "Trying to read from an invalid position.")
	thrown          = Refuse(codes.Unknown, "Exception was thrown by handler.")
)

// NotLeader is what a node refuses with that knows a better one. See ToLeader
// for the one that leads.
func NotLeader(host string, port int) error {
	return Refuse(codes.NotFound, "Leader info available",
		"exception", "not-leader", "leader-endpoint-host", host, "leader-endpoint-port", strconv.Itoa(port))
}

func streamDeleted(stream string) error {
	return Refuse(codes.FailedPrecondition, "Event stream '"+stream+"' is deleted.", "exception", "stream-deleted", "stream-name", stream)
}

func tooLarge(limit int) error {
	return Refuse(codes.InvalidArgument, fmt.Sprintf("Maximum Append Size of %d Exceeded.", limit),
		"exception", "maximum-append-size-exceeded", "maximum-append-size", strconv.Itoa(limit))
}

func missing(property string) error {
	return Refuse(codes.InvalidArgument, "Required Metadata Property '"+property+"' is missing",
		"exception", "missing-required-metadata-property", "required-metadata-properties", "type,content-type")
}

func wrongVersion(stream string, expected, actual int64) error {
	return Refuse(codes.FailedPrecondition,
		fmt.Sprintf("Delete failed due to WrongExpectedVersion. Stream: %s, Expected version: %d, Actual version: %d", stream, expected, actual),
		"exception", "wrong-expected-version", "stream-name", stream,
		"expected-version", strconv.FormatInt(expected, 10), "actual-version", strconv.FormatInt(actual, 10))
}

// trailers returns what a refusal says besides its status.
func trailers(err error) metadata.MD {
	if r, ok := errors.AsType[*refusal](err); ok && len(r.trailers) > 0 {
		return metadata.Pairs(r.trailers...)
	}
	return nil
}
