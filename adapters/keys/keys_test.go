package keys

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ctx  = context.Background()
)

// An engine gives each test a place where a keyring can be.
type engine func(*testing.T) place

// A place is where a keyring is, or will be when it is opened. Opened
// twice, it is the keyring of two nodes.
type place func(*Master, Settings) (*Ring, error)

func files(t *testing.T) place { return file(filepath.Join(t.TempDir(), "keyring.db")) }

func file(path string) place {
	return func(m *Master, s Settings) (*Ring, error) { return Open(ctx, path, m, s) }
}

// shared are schemas of one database. Each opening has connections of its own.
func shared(t *testing.T) engine {
	url, n := pgtest.New(t), 0
	return func(t *testing.T) place {
		n++
		schema := fmt.Sprint("keys", n)
		return func(m *Master, s Settings) (*Ring, error) {
			db, err := postgres.OpenSQL(ctx, url, schema)
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { db.Close() })
			return OpenShared(ctx, db, m, s)
		}
	}
}

// The rules of a keyring, wherever it is.
var rules = []struct {
	name string
	test func(*testing.T, engine)
}{
	{"a ring", testRing},
	{"holders", testHolders},
	{"racers get one key", testRacersGetOneKey},
	{"wrapped keys are bound to their holder", testWrappedKeysAreBoundToTheirHolder},
	{"the cache is bounded", testTheCacheIsBounded},
	{"the master key", testMasterOfARing},
	{"destroy", testDestroy},
	{"a tombstone keeps its time", testATombstoneKeepsItsTime},
	{"adopt", testAdopt},
	{"destroy what expired", testDestroyExpired},
	{"destroyed keys leave the cache", testDestroyedKeysLeaveTheCache},
	{"destroy races with use", testDestroyRacesWithUse},
	{"secrets", testSecrets},
	{"signing keys", testSigningKeys},
	{"a destroyed signing key", testADestroyedSigningKey},
	{"a signing key is bound to its issuer", testASigningKeyIsBoundToItsIssuer},
	{"backup", testBackup},
}

func TestAFile(t *testing.T) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) { r.test(t, files) })
	}
}

func TestASharedDatabase(t *testing.T) {
	e := shared(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) { r.test(t, e) })
	}
}

// at returns settings whose clock shows one time.
func at(now time.Time) Settings { return Settings{Now: func() time.Time { return now }} }

func newMaster(t *testing.T) *Master {
	t.Helper()
	m, err := OpenMaster(filepath.Join(t.TempDir(), "master.key"), true)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// newRing returns an empty ring.
func newRing(t *testing.T, e engine) *Ring {
	t.Helper()
	return open(t, e(t), newMaster(t))
}

func open(t *testing.T, p place, m *Master) *Ring {
	t.Helper()
	r, err := p(m, at(noon))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// seals returns a text sealed for a holder.
func seals(t *testing.T, r *Ring, holder string) []byte {
	t.Helper()
	aead, err := r.Sealer(ctx, holder)
	if err != nil {
		t.Fatalf("sealer of %s: %v", holder, err)
	}
	return aead.Seal(nil, make([]byte, aead.NonceSize()), []byte("Alice"), nil)
}

// opens reports whether the holder's key opens a text.
func opens(r *Ring, holder string, sealed []byte) error {
	aead, err := r.Opener(ctx, holder)
	if err != nil {
		return err
	}
	_, err = aead.Open(nil, make([]byte, aead.NonceSize()), sealed, nil)
	return err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
