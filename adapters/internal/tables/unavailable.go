package tables

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/chirograph/chirograph/eventstore"
)

// unavailable is err, and [eventstore.ErrUnavailable] too if it says that
// PostgreSQL is not reachable now. Of a write it is then not known whether it
// happened; whoever keeps tables here may repeat it.
func unavailable(err error) error {
	if err == nil || errors.Is(err, eventstore.ErrUnavailable) || !unreached(err) {
		return err
	}
	return fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
}

func unreached(err error) bool {
	var refusal interface {
		error
		SQLState() string
	}
	if errors.As(err, &refusal) {
		return passing(refusal.SQLState())
	}
	var network net.Error
	var unsent interface {
		error
		SafeToRetry() bool
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &network) || errors.As(err, &unsent) && unsent.SafeToRetry()
}

// passing reports whether a server refuses with a code what it, or the one
// that takes its place, may do a little later.
func passing(code string) bool {
	switch code {
	case "53300", // too_many_connections
		"25006", // read_only_sql_transaction: it has become a standby
		"25P03", // idle_in_transaction_session_timeout
		"55P03", // lock_not_available, in time
		"57014": // query_canceled, by a time limit
		return true
	}
	return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "57P") // connections; shutting down, starting up
}
