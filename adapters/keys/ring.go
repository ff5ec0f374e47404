package keys

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/chirograph/chirograph/adapters/internal/tables"
	"github.com/chirograph/chirograph/eventstore"
)

// ErrWrongMaster means that the keyring belongs to another master key.
var ErrWrongMaster = errors.New("keys: the master key is not the one of this keyring")

var _ eventstore.Keyring = (*Ring)(nil)

// Settings of a [Ring]. The zero Settings are the defaults.
type Settings struct {
	Now     func() time.Time // default time.Now
	Cached  int              // how many ciphers stay in memory, default 8192 (about 1 kB each)
	Journey time.Duration    // how long a journey can last, default 24 h
}

func (s Settings) orDefault() Settings {
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Cached == 0 {
		s.Cached = 8192
	}
	if s.Journey == 0 {
		s.Journey = 24 * time.Hour
	}
	return s
}

// A Ring is the keyring of an installation: an [eventstore.Keyring] in a file
// that one process has open, or on a database that its nodes share.
type Ring struct {
	db       *tables.DB
	settings Settings
	holders  wrapper
	signing  wrapper
	secrets  wrapper
	check    [32]byte
	ciphers  *ciphers
}

// Open opens the keyring in the file at path, and makes a missing one.
// [ErrWrongMaster] if it belongs to another master key, [ErrNewer] if a later
// version of the platform wrote it.
func Open(ctx context.Context, path string, m *Master, s Settings) (*Ring, error) {
	db, err := tables.Open(ctx, path, schema)
	if err != nil {
		return nil, fmt.Errorf("keys: open %s: %w", path, err)
	}
	r, err := on(ctx, db, m, s)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("keys: open %s: %w", path, err), db.Close())
	}
	return r, nil
}

// OpenShared opens the keyring in the first schema of a PostgreSQL
// connection's search path, and makes a missing one. Any number of nodes may
// have it open; they agree on every key. What one of them destroys the others
// refuse after [Trusted]. It fails as [Open] does; of nodes that begin a
// keyring at once with different master keys, one wins. Close leaves the
// database open.
//
// A standby that takes the server's place must have every commit
// (synchronous_standby_names): one that lags behind would lose keys that
// events were sealed under, and bring erased ones back.
func OpenShared(ctx context.Context, db *sql.DB, m *Master, s Settings) (*Ring, error) {
	shared, err := tables.Share(ctx, db, schema)
	if err != nil {
		return nil, fmt.Errorf("keys: open the shared keyring: %w", err)
	}
	r, err := on(ctx, shared, m, s)
	if err != nil {
		return nil, fmt.Errorf("keys: open the shared keyring: %w", err)
	}
	return r, nil
}

// OpenSharedForReading is [OpenShared] of a keyring that is there, to open
// what was sealed; whatever would change it fails with [ErrReadOnly]. It writes
// nothing, so a standby will do. [ErrNone] if there is none.
func OpenSharedForReading(ctx context.Context, db *sql.DB, m *Master, s Settings) (*Ring, error) {
	shared, err := tables.ShareForReading(ctx, db, schema)
	if err != nil {
		return nil, fmt.Errorf("keys: open the shared keyring: %w", err)
	}
	r, err := unproven(shared, m, s)
	if err == nil {
		err = proven(ctx, shared, r.check)
	}
	if err != nil {
		return nil, fmt.Errorf("keys: open the shared keyring: %w", err)
	}
	return r, nil
}

func on(ctx context.Context, db *tables.DB, m *Master, s Settings) (*Ring, error) {
	r, err := unproven(db, m, s)
	if err != nil {
		return nil, err
	}
	return r, db.Update(ctx, func(tx tables.Tx) error { return r.prove(ctx, tx) })
}

func unproven(db *tables.DB, m *Master, s Settings) (*Ring, error) {
	s = s.orDefault()
	cache, err := lru.New[string, known](s.Cached)
	if err != nil {
		return nil, err
	}
	return &Ring{
		db: db, settings: s, ciphers: &ciphers{lru: cache, shared: db.Shared()}, check: m.Derive(forCheck),
		holders: newWrapper(m, forHolders), signing: newWrapper(m, forSigning), secrets: newWrapper(m, forSecrets),
	}, nil
}

// prove compares the check value of the keyring with the master key's, or sets
// it on a new one. Without it a wrong master key would be noticed only after
// new keys had been wrapped under it.
func (r *Ring) prove(ctx context.Context, tx tables.Tx) error {
	_, err := tx.Exec(ctx, "INSERT INTO installation (id, value) VALUES (1, ?) ON CONFLICT (id) DO NOTHING", r.check[:])
	if err != nil {
		return err
	}
	return proven(ctx, tx, r.check)
}

func proven(ctx context.Context, q tables.Reader, check [32]byte) error {
	var got []byte
	err := q.QueryRow(ctx, "SELECT value FROM installation WHERE id = 1").Scan(&got)
	if errors.Is(err, sql.ErrNoRows) || err == nil && subtle.ConstantTimeCompare(got, check[:]) != 1 {
		return ErrWrongMaster
	}
	return err
}

// Shared reports whether other nodes may have the keyring open too. Then what
// was read from it is used no longer than [Trusted].
func (r *Ring) Shared() bool { return r.db.Shared() }

// Close closes the file.
func (r *Ring) Close() error { return r.db.Close() }

func (r *Ring) now() int64 { return r.settings.Now().UnixNano() }
