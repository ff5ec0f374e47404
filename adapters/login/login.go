// Package login keeps what the login pages need, beside the log: password
// hashes, the login-name index, delays after wrong passwords, sessions, and
// the directory of customers with their accounts.
//
// Nothing here proves anything: that a customer was authenticated, and how, is
// an event. What is here can be erased. Password hashes and the directory are
// sealed under the subject's key, so that they end with it in every copy of
// the tables; login names and addresses are kept as keyed hashes only.
package login

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/chirograph/chirograph/adapters/internal/tables"
	"github.com/chirograph/chirograph/eventstore"
)

// Settings of a [Store]. Start from [Defaults].
type Settings struct {
	Idle     time.Duration // a session ends when it was not seen for so long
	Absolute time.Duration // and in any case so long after it started
	Hash     argon2id.Params
	Name     Delay // between wrong passwords for one name
	Address  Delay // between wrong passwords from one address
	Code     Delay // while a user code is locked after wrong ones
}

// Defaults returns the settings of a new installation. The parameters of
// argon2id are one of the equivalent choices of OWASP's Password Storage Cheat
// Sheet, with 19 MiB a hash.
func Defaults() Settings {
	return Settings{
		Idle:     30 * time.Minute,
		Absolute: 12 * time.Hour,
		Hash:     argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32},
		Name:     Delay{Free: 3, First: time.Second, Most: time.Minute, Decay: 10 * time.Minute},
		Address:  Delay{Free: 20, First: time.Second, Most: time.Minute, Decay: time.Minute},
		Code:     Delay{Free: 5, First: 5 * time.Minute, Most: time.Hour, Decay: time.Hour},
	}
}

// concurrent bounds how many passwords are hashed at once, each of which takes
// memory for itself.
const concurrent = 2

// A Store is an installation's login state, in a file that one process has
// open, or on a database that its nodes share.
type Store struct {
	db       *tables.DB
	keys     eventstore.Keyring
	index    [32]byte
	settings Settings
	hashing  chan struct{} // holds a token for each hash being computed
	nobody   string        // a hash that no password has, for unknown names
}

// Open opens the file at path, and makes a missing one. Names and addresses
// are hashed under the installation's index key; a customer's data are sealed
// under the key that keys has for "subject:<id>". [ErrNewer] if a later
// version of the platform wrote the file.
func Open(ctx context.Context, path string, index [32]byte, keys eventstore.Keyring, s Settings) (*Store, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	db, err := tables.Open(ctx, path, schema)
	if err != nil {
		return nil, fmt.Errorf("login: open %s: %w", path, err)
	}
	return on(db, index, keys, s), nil
}

// OpenShared opens the login state in the first schema of a PostgreSQL
// connection's search path, as [Open] does a file. Any number of nodes may have
// it open, with one index key: a session, its end and a delay hold on all of
// them at once. Close leaves the database open.
func OpenShared(ctx context.Context, db *sql.DB, index [32]byte, keys eventstore.Keyring, s Settings) (*Store, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	shared, err := tables.Share(ctx, db, schema)
	if err != nil {
		return nil, fmt.Errorf("login: open the shared login state: %w", err)
	}
	return on(shared, index, keys, s), nil
}

// OpenSharedForReading is [OpenShared] of a login state that is there; whatever
// would change it fails with [ErrReadOnly]. It writes nothing, so a standby
// will do. [ErrNone] if there is none.
func OpenSharedForReading(ctx context.Context, db *sql.DB, index [32]byte, keys eventstore.Keyring, s Settings) (*Store, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	shared, err := tables.ShareForReading(ctx, db, schema)
	if err != nil {
		return nil, fmt.Errorf("login: open the shared login state: %w", err)
	}
	return on(shared, index, keys, s), nil
}

func (s Settings) check() error {
	if s.Idle <= 0 || s.Absolute <= 0 || s.Hash.Iterations == 0 || s.Hash.Parallelism == 0 {
		return errors.New("login: settings lack a limit of sessions or the parameters of argon2id")
	}
	return nil
}

func on(db *tables.DB, index [32]byte, keys eventstore.Keyring, s Settings) *Store {
	return &Store{
		db: db, keys: keys, index: index, settings: s,
		hashing: make(chan struct{}, concurrent), nobody: unmatched(s.Hash),
	}
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }
