package postgres

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/jackc/pgx/v5/pgconn"
)

// unavailable is err, and [eventstore.ErrUnavailable] too if it says that the
// database is not reachable now.
func unavailable(err error) error {
	if err == nil || errors.Is(err, eventstore.ErrUnavailable) || !away(err) {
		return err
	}
	return fmt.Errorf("%w: %w", eventstore.ErrUnavailable, err)
}

// away reports whether the server was not reached, did not answer in time or
// refused what it, or the one that takes its place, may do a little later.
func away(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		switch said.Code {
		case "53300", // too_many_connections
			"55P03", // lock_not_available, in time
			"57014", // query_canceled, by a time limit
			idleTooLong, readOnlyServer:
			return true
		}
		return strings.HasPrefix(said.Code, "08") || strings.HasPrefix(said.Code, "57P")
	}
	var network net.Error
	return timedOut(err) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
