// Package keys keeps the keys of an installation beside its log: those under
// which personal data is sealed, those that sign, and named secrets. All of
// them lie wrapped in one small database, so that a copy of it is worth
// nothing without the master key, and so that it can have a shorter-lived
// backup than the log.
//
//	master key --HKDF--> wrapping keys --AES-256-GCM--> keys of subjects, journeys, clients
//	           |                       |--------------> signing keys
//	           |                       '--------------> secrets
//	           '-------> keys of other parts: DPoP nonces, login names
//
// Erasure is the end of a key: its wrapped bytes are overwritten and a
// tombstone stays, so that its holder never gets another. No part of the
// platform opens anything with the key from then on; on a keyring that nodes
// share, none of them after [Trusted].
//
// What stays on disk depends on where the keyring is. In a file, nothing: the
// bytes are overwritten where they lie and the write-ahead log is emptied,
// before the erasure is reported. Blocks that the file system freed, and
// backups, may hold them.
//
// PostgreSQL writes a new version of a row beside the old one. An erasure is
// committed durably and then the table is vacuumed, which frees the old
// version, but does not overwrite it. Bytes of it may lie
//
//   - in the free space of the table's pages, until new keys fill it or
//     VACUUM FULL rewrites the table; and longer while a transaction as old as
//     the erasure is open anywhere on the server, or a replication slot is kept;
//   - in the write-ahead log, until it is recycled, and in its archive for as
//     long as that is kept;
//   - on replicas, likewise, and in base backups and dumps.
//
// All of it is wrapped: it opens nothing without the master key, which is not
// in the database and must not be kept where those copies are. So the time for
// which archives and backups of the keyring's schema are kept is the time
// within which an erasure becomes final. Keep it as short as that of keyring
// files, and the keyring in a schema of its own.
package keys

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/chirograph/chirograph/adapters/internal/tables"
)

// What a key is derived for. A label is never changed: what was wrapped or
// indexed under its key would be lost.
const (
	ForNonces     = "dpop nonces"
	ForLoginNames = "login-name index"
	ForSessions   = "sessions"
	ForWaiting    = "secrets that wait to be sent"
	ForPairwise   = "pairwise subjects"

	forHolders = "wrapping of holders' keys"
	forSigning = "wrapping of signing keys"
	forSecrets = "wrapping of secrets"
	forCheck   = "check value"
)

// ErrExposed means that others than the owner may read the file of the master
// key.
var ErrExposed = errors.New("keys: the file of the master key must be readable by its owner only (mode 0600)")

// A Master is the master key of an installation. It never leaves the process
// and prints as a placeholder.
type Master struct{ secret [32]byte }

// Format implements [fmt.Formatter], so that no verb prints the key.
func (Master) Format(f fmt.State, _ rune) { io.WriteString(f, "[master key]") }

// Derive returns the key for one purpose (RFC 5869, with SHA-256). Equal
// labels give equal keys; no derived key tells anything about another.
func (m *Master) Derive(label string) [32]byte {
	key, err := hkdf.Key(sha256.New, m.secret[:], nil, "chirograph/1 "+label, 32)
	if err != nil {
		panic(err) // only for lengths that HKDF cannot give
	}
	return [32]byte(key)
}

// OpenMaster reads the master key in the file at path: 32 bytes as one line
// of base64. With create, a missing file is made first, and is durable before
// OpenMaster returns. [ErrExposed] if group or others may read it.
func OpenMaster(path string, create bool) (*Master, error) {
	m, err := readMaster(path)
	if !create || !errors.Is(err, os.ErrNotExist) {
		return m, err
	}
	if err := createMaster(path); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("keys: create the master key: %w", err)
	}
	return readMaster(path) // whoever made it: racers agree on the file
}

func readMaster(path string) (*Master, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("keys: open the master key: %w", err)
	}
	defer f.Close()
	about, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("keys: open the master key: %w", err)
	}
	if about.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s", ErrExposed, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxMaster+1))
	if err != nil {
		return nil, fmt.Errorf("keys: read the master key: %w", err)
	}
	m, err := parseMaster(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, path)
	}
	return m, nil
}

const maxMaster = 64 // bytes of the file

var errNotMaster = errors.New("keys: not a master key (32 bytes as one line of base64)")

func parseMaster(text []byte) (*Master, error) {
	secret, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(secret) != 32 || len(text) > maxMaster {
		return nil, errNotMaster // the cause would quote the key
	}
	return &Master{[32]byte(secret)}, nil
}

// createMaster puts a new key under path in one step: a crash leaves the
// whole key or none.
func createMaster(path string) error {
	var secret [32]byte
	rand.Read(secret[:])
	f, err := os.CreateTemp(filepath.Dir(path), ".master-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.WriteString(base64.StdEncoding.EncodeToString(secret[:]) + "\n"); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err // unlike a rename, a link never replaces a key
	}
	return tables.SyncFolder(path)
}
