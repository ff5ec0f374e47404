package eventstoredb

import (
	"context"
	"fmt"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/metadata"
)

// grace is how long a call may go on after its context has ended, before its
// client is given up.
const grace = 2 * time.Second

// call runs f with the client of the moment and returns when f does or ctx
// ends, whichever is first: some calls of the client never return. What f
// returns then is lost; f must not touch anything of the caller's.
func call[T any](ctx context.Context, cs *clients, f func(context.Context, *esdb.Client) (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	var none T
	if err := ctx.Err(); err != nil {
		return none, fmt.Errorf("%w: %w", errNoClient, err)
	}
	c, err := cs.lease(ctx)
	if err != nil {
		return none, err
	}
	done, returned := make(chan outcome, 1), make(chan struct{})
	go func() {
		var o outcome
		o.err = guarded(func() (err error) {
			o.value, err = f(toLeader(ctx), c.Client)
			return err
		})
		cs.release(c, o.err) // first, so that the next call does not get a client that is spent
		close(returned)
		done <- o
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
	}
	time.AfterFunc(grace, func() {
		select {
		case <-returned:
		default:
			cs.metrics.CallAbandoned()
			cs.replace(c, errAbandoned)
		}
	})
	return none, fmt.Errorf("%w: %w", errAbandoned, ctx.Err())
}

// guarded turns a panic of the client into an error. It panics when it is told
// something after it was closed, and at messages that it does not know.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanicked, p)
		}
	}()
	return f()
}

// toLeader asks every node but the leader to refuse. The client means to, but
// puts the request where it is never sent.
func toLeader(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "requires-leader", "true")
}
