package postgres

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// unanswered is after how long a connection is given up whose other end no
// longer acknowledges what is sent, or that it is there.
const unanswered = 15 * time.Second

// dial connects so that a connection to nobody breaks.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: unanswered / 3, Interval: unanswered / 3, Count: 2},
		Control:         impatient,
	}
	return d.DialContext(ctx, network, address)
}

var errNotCancelled = errors.New("postgres: no statement is cancelled on this connection")

// neverCancelling makes one connection that is closed when somebody gives up
// what runs on it, without the request to cancel that pgx sends. A COMMIT that
// waits for a synchronous standby would end with that request, and be good
// without the standby: then what was not acknowledged can be read, and lost.
//
// The server bounds how long a statement then goes on.
func neverCancelling(_ context.Context, c *pgx.ConnConfig) error {
	var connected atomic.Bool
	reach := c.DialFunc
	c.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if connected.Load() { // what is dialled then is for that request
			return nil, errNotCancelled
		}
		return reach(ctx, network, address)
	}
	c.AfterConnect = func(context.Context, *pgconn.PgConn) error {
		connected.Store(true)
		return nil
	}
	return nil
}
