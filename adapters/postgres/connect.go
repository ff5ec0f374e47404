package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Bounds that let nobody wait for ever. The server ends the transaction of a
// node that is paused or gone before the others stop waiting for its lock.
const (
	idleTimeout      = 5 * time.Second // in a transaction
	lockTimeout      = 10 * time.Second
	statementTimeout = 30 * time.Second
	connectTimeout   = 5 * time.Second
)

var schemaName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// configure returns how to connect so that unqualified names are those of a
// schema. Several hosts may be named: the one that can be written to is used.
func configure(url, schema string) (*pgx.ConnConfig, error) {
	if !schemaName.MatchString(schema) {
		return nil, fmt.Errorf("postgres: schema %.70q: want lower-case letters, digits and _", schema)
	}
	c, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	if c.ValidateConnect == nil {
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	c.DialFunc = dial
	c.RuntimeParams["search_path"] = pgx.Identifier{schema}.Sanitize()
	c.RuntimeParams["application_name"] = "chirograph"
	return c, nil
}

// limited adds the time limits of the server.
func limited(c *pgx.ConnConfig, statement, idle time.Duration) {
	for name, limit := range map[string]time.Duration{
		"idle_in_transaction_session_timeout": idle,
		"lock_timeout":                        lockTimeout,
		"statement_timeout":                   statement,
	} {
		c.RuntimeParams[name] = fmt.Sprint(limit.Milliseconds())
	}
}

// bounded adds the time limits of a log and, because every query there is made
// for an index, forbids plans that would only pay off on tables whose size the
// server has not noticed yet.
func bounded(c *pgx.ConnConfig) {
	limited(c, statementTimeout, idleTimeout)
	for _, name := range []string{"enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_bitmapscan", "jit"} {
		c.RuntimeParams[name] = "off"
	}
	c.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
}

// onlyReading makes connections that cannot write; a standby will do.
func onlyReading(c *pgx.ConnConfig) {
	c.ValidateConnect = nil
	c.RuntimeParams["default_transaction_read_only"] = "on"
}

// durable demands that a commit that was acknowledged survives power loss. It
// leaves settings alone that promise more.
func durable(ctx context.Context, c *pgx.Conn) error {
	const raise = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')"
	if _, err := c.Exec(ctx, raise); err != nil {
		return err
	}
	var is string
	if err := c.QueryRow(ctx, "SHOW synchronous_commit").Scan(&is); err != nil {
		return err
	}
	if is != "on" && is != "remote_apply" {
		return fmt.Errorf("postgres: synchronous_commit is %q after setting it", is)
	}
	return nil
}

// lockKey is the advisory lock of what a schema holds.
func lockKey(schema string) int64 {
	sum := sha256.Sum256([]byte("chirograph " + schema))
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// lost reports whether err says that the connection is of no use any more,
// while another one may be.
func lost(err error) bool {
	if err == nil || timedOut(err) || errors.Is(err, context.Canceled) || errors.Is(err, pgx.ErrNoRows) {
		return false
	}
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return true
	}
	return strings.HasPrefix(refused.Code, "08") || strings.HasPrefix(refused.Code, "57P") ||
		refused.Code == idleTooLong || refused.Code == readOnlyServer
}

const (
	// idleTooLong is how the server ends a transaction that waits for its next
	// statement: one that is not committed.
	idleTooLong = "25P03"

	// readOnlyServer is how a server refuses to write that has become a
	// standby of another one.
	readOnlyServer = "25006"
)

func timedOut(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}

// unreached is err if it says that the database was not reached in time.
func unreached(err error) error {
	if lost(err) || timedOut(err) {
		return err
	}
	return nil
}
