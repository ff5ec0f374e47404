package eventstoredb

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What the server answers to an append, and what that means.
func TestClassifyAppends(t *testing.T) {
	cluster := standin.New(t, standin.Options{})
	tests := []struct {
		name string
		give error
		want verdict
	}{
		{"too busy", standin.Busy, ambiguous},
		{"shutting down", standin.NotReady, ambiguous},
		{"a time-out of the server", status.Error(codes.DeadlineExceeded, ""), ambiguous},
		{"a commit that was not finished in time", status.Error(codes.Aborted, ""), ambiguous},
		{"another leader", standin.ToLeader, again},
		{"another leader that is not named", status.Error(codes.NotFound, ""), again},
		{"no rights", standin.Denied, final},
		{"a wrong password", status.Error(codes.Unauthenticated, ""), final},
		{"a wrong argument", status.Error(codes.InvalidArgument, ""), final},
		{"a failed condition", status.Error(codes.FailedPrecondition, ""), final},
		{"no such call", status.Error(codes.Unimplemented, ""), final},
		{"what exists", status.Error(codes.AlreadyExists, ""), final},
		{"no room", status.Error(codes.ResourceExhausted, ""), ambiguous},
		{"an error of the server", status.Error(codes.Internal, ""), ambiguous},
		{"an unknown one", status.Error(codes.Unknown, ""), ambiguous},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cs, _ := supervised(t, cluster.URL())
			defer cluster.Inject(standin.At(standin.BeforeCommit, tt.give))()
			if err := write(t.Context(), cs); classify(err) != tt.want {
				t.Errorf("got %d for %v", classify(err), err)
			}
		})
	}
}

func TestClassifyWhatTheServerDidNotSay(t *testing.T) {
	tests := []struct {
		name string
		give error
		want verdict
	}{
		{"nothing", nil, fine},
		{"a reason that was lost", fmt.Errorf("could not send append request. Reason: %w", io.EOF), ambiguous},
		{"no connection", fmt.Errorf("%w: refused", errNoClient), again},
		{"no node found", fmt.Errorf("maximum discovery attempt count reached: 10. Last Error: x"), again},
		{"a call that was abandoned", fmt.Errorf("%w: %w", errAbandoned, context.Canceled), ambiguous},
		{"a panic", fmt.Errorf("%w: x", errPanicked), ambiguous},
		{"a log that is closed", eventstore.ErrClosed, final},
		{"a subscription that broke", status.Error(codes.Unavailable, ""), ambiguous},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := classify(tt.give); got != tt.want {
				t.Errorf("got %d", got)
			}
		})
	}
}

func TestClassifyConflictsAndMissingStreams(t *testing.T) {
	cluster := standin.New(t, standin.Options{})
	cs, _ := supervised(t, cluster.URL())
	_, err := call(t.Context(), cs, func(ctx context.Context, c *esdb.Client) (*esdb.WriteResult, error) {
		return c.AppendToStream(ctx, "s", esdb.AppendToStreamOptions{ExpectedRevision: esdb.Revision(7)}, esdb.EventData{EventType: "x"})
	})
	if classify(err) != conflict {
		t.Errorf("a wrong revision: %d for %v", classify(err), err)
	}
	_, err = call(t.Context(), cs, func(ctx context.Context, c *esdb.Client) (page, error) {
		r, err := c.ReadStream(ctx, "s", esdb.ReadStreamOptions{}, 1)
		if err != nil {
			return page{}, err
		}
		return drain(r, 1)
	})
	if classify(err) != notFound {
		t.Errorf("a missing stream: %d for %v", classify(err), err)
	}
}
