// Package outbox keeps, beside the log, what is needed to tell others what the
// log says: the secrets of deliveries that are still under way, and how far
// each subscriber of the log has got.
//
// A secret is a bearer secret of somebody: a notification token, or tokens that
// are to be pushed. It is sealed under a key that the master key gives, bound
// to its id and its end, durable before the event that depends on it is
// written, and deleted when it has served or is past its end. So it is no part
// of a backup, which lives longer: after a backup is put back, a delivery whose
// secret is gone is parked and says so, and subscribers begin at the head of
// the log.
//
// Nothing here proves anything, and nothing is decided by it: what was sent,
// and what came of it, is events.
package outbox

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"database/sql"
	"fmt"

	"github.com/chirograph/chirograph/adapters/internal/tables"
)

// Why a store is not opened.
var (
	// ErrNewer means that a later version of the platform wrote the store in a
	// format that this version does not know. It is not touched.
	ErrNewer = tables.ErrNewer

	// ErrTraces means that secrets are deleted, but that bytes of them may
	// remain where they need not. Repeat the call.
	ErrTraces = tables.ErrTraces
)

var schema = tables.Schema{
	Part:   "waiting",
	Since:  1,
	Tables: []string{"secrets", "checkpoints"},
	Formats: []string{`
	CREATE TABLE secrets (
		id      TEXT PRIMARY KEY,
		sealed  BLOB NOT NULL,
		expires INTEGER NOT NULL
	) WITHOUT ROWID;
	CREATE INDEX secrets_that_expire ON secrets (expires);
	CREATE TABLE checkpoints (
		subscriber TEXT PRIMARY KEY,
		position   INTEGER NOT NULL
	) WITHOUT ROWID;
`}}

// A Store is an installation's outbox, in a file that one process has open, or
// on a database that its nodes share.
type Store struct {
	db  *tables.DB
	key cipher.AEAD
}

// Open opens the file at path, and makes a missing one. [ErrNewer] if a later
// version of the platform wrote it.
func Open(ctx context.Context, path string, key [32]byte) (*Store, error) {
	db, err := tables.Open(ctx, path, schema)
	if err != nil {
		return nil, fmt.Errorf("outbox: open %s: %w", path, err)
	}
	return on(db, key)
}

// OpenShared opens the outbox in the first schema of a PostgreSQL connection's
// search path, as [Open] does a file. Any number of nodes may have it open,
// with one key. Close leaves the database open.
func OpenShared(ctx context.Context, db *sql.DB, key [32]byte) (*Store, error) {
	shared, err := tables.Share(ctx, db, schema)
	if err != nil {
		return nil, fmt.Errorf("outbox: open the shared outbox: %w", err)
	}
	return on(shared, key)
}

func on(db *tables.DB, key [32]byte) (*Store, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	sealing, err := cipher.NewGCM(block)
	return &Store{db, sealing}, err
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }
