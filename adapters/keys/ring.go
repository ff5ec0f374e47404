package keys

import (
	"context"
	"crypto/cipher"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

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

// A Ring is the keyring of an installation: an [eventstore.Keyring] on a file
// of its own. One process may have it open.
type Ring struct {
	db       *database
	settings Settings
	holders  wrapper
	signing  wrapper
	secrets  wrapper
	ciphers  *ciphers
	copying  sync.Mutex
}

// Open opens the keyring in the file at path, and makes a missing one.
// [ErrWrongMaster] if it belongs to another master key, [ErrNewer] if a later
// version of the platform wrote it.
func Open(ctx context.Context, path string, m *Master, s Settings) (*Ring, error) {
	r := &Ring{settings: s.orDefault(), holders: newWrapper(m, forHolders), signing: newWrapper(m, forSigning), secrets: newWrapper(m, forSecrets)}
	cache, err := lru.New[string, cipher.AEAD](r.settings.Cached)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	r.ciphers = &ciphers{lru: cache}
	if r.db, err = openDatabase(ctx, path); err != nil {
		return nil, fmt.Errorf("keys: open %s: %w", path, err)
	}
	if err := r.db.update(ctx, func(tx *sql.Tx) error { return prove(ctx, tx, m) }); err != nil {
		r.db.close()
		return nil, fmt.Errorf("keys: open %s: %w", path, err)
	}
	return r, nil
}

// prove compares the check value of the file with the master key's, or sets
// it on a new file. Without it a wrong master key would be noticed only after
// new keys had been wrapped under it.
func prove(ctx context.Context, tx *sql.Tx, m *Master) error {
	want := m.Derive(forCheck)
	var got []byte
	err := tx.QueryRowContext(ctx, "SELECT value FROM installation WHERE id = 1").Scan(&got)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = tx.ExecContext(ctx, "INSERT INTO installation (id, value) VALUES (1, ?)", want[:])
		return err
	}
	if err == nil && subtle.ConstantTimeCompare(got, want[:]) != 1 {
		return ErrWrongMaster
	}
	return err
}

// Close closes the file.
func (r *Ring) Close() error { return r.db.close() }

func (r *Ring) now() int64 { return r.settings.Now().UnixNano() }
