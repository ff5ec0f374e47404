package login

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/chirograph/chirograph/adapters/internal/tables"
	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/eventstore"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ctx  = context.Background()
)

// A keyring gives everybody a key, but for those who are erased.
type keyring struct {
	mu     sync.Mutex
	erased map[string]bool
}

func (k *keyring) Sealer(_ context.Context, holder string) (cipher.AEAD, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.erased[holder] {
		return nil, eventstore.ErrErased
	}
	key := sha256.Sum256([]byte(holder))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (k *keyring) Opener(ctx context.Context, holder string) (cipher.AEAD, error) {
	return k.Sealer(ctx, holder)
}

func (k *keyring) erase(subject string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.erased["subject:"+subject] = true
}

// quick are the defaults with a hash that takes no time.
func quick() Settings {
	s := Defaults()
	s.Hash = argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	return s
}

// An engine gives each test a place where a store can be.
type engine func(*testing.T) place

// A place is where a store is, or will be when it is opened. Opened
// twice, it is the store of two nodes.
type place func(eventstore.Keyring, Settings) (*Store, error)

func files(t *testing.T) place { return file(filepath.Join(t.TempDir(), "state.db")) }

func file(path string) place {
	return func(k eventstore.Keyring, s Settings) (*Store, error) { return Open(ctx, path, [32]byte{1}, k, s) }
}

// shared are schemas of one database. Each opening has connections of its own.
func shared(t *testing.T) engine {
	url, n := pgtest.New(t), 0
	return func(t *testing.T) place {
		n++
		schema := fmt.Sprint("login", n)
		return func(k eventstore.Keyring, s Settings) (*Store, error) {
			db, err := postgres.OpenSQL(ctx, url, schema)
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { db.Close() })
			return OpenShared(ctx, db, [32]byte{1}, k, s)
		}
	}
}

// The rules of a store, wherever it is.
var rules = []struct {
	name string
	test func(*testing.T, engine)
}{
	{"check", testCheck},
	{"check a subject", testCheckSubject},
	{"set a password", testSetPassword},
	{"unknown names cost as much", testUnknownNamesCostAsMuch},
	{"at most two hashes at once", testAtMostTwoHashesAtOnce},
	{"parallel guesses count", testParallelGuessesCount},
	{"stored hashes are bound to their subject", testStoredHashesAreBoundToTheirSubject},
	{"customers", testCustomers},
	{"erase", testErase},
	{"delay", testDelay},
	{"no lock-out", testNoLockOut},
	{"failures are forgiven", testFailuresAreForgiven},
	{"delay of an address", testDelayOfAnAddress},
	{"counters are bounded", testCountersAreBounded},
	{"sessions", testSessions},
	{"a new password ends sessions", testANewPasswordEndsSessions},
	{"sessions end", testSessionsEnd},
	{"sweep", testSweep},
	{"backup", testBackup},
	{"settings", testSettings},
	{"passkeys", testPasskeys},
	{"passkeys are bounded", testPasskeysAreBounded},
	{"counters of passkeys", testPasskeyCounters},
	{"erased passkeys", testErasedPasskeys},
	{"user codes", testUserCodes},
	{"bad user codes", testBadUserCodes},
	{"user codes lock", testUserCodesLock},
	{"parallel user codes count", testParallelCodesCount},
	{"erased user codes", testErasedUserCodes},
	{"stored user codes", testStoredUserCodes},
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

// newStore returns an empty store and its keys.
func newStore(t *testing.T, e engine) (*Store, *keyring) {
	t.Helper()
	keys := &keyring{erased: map[string]bool{}}
	return open(t, e(t), keys), keys
}

func open(t *testing.T, p place, keys *keyring) *Store {
	t.Helper()
	s, err := p(keys, quick())
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rows returns all that the store's tables hold.
func rows(t *testing.T, s *Store) (raw []byte) {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "copy.db")
	must(t, s.Backup(ctx, copied))
	raw, err := os.ReadFile(copied)
	must(t, err)
	return raw
}

func testSettings(t *testing.T, e engine) {
	if _, err := e(t)(&keyring{}, Settings{}); err == nil {
		t.Error("opened without limits")
	}
}

func testBackup(t *testing.T, e engine) {
	s, keys := newStore(t, e)
	must(t, s.SetPassword(ctx, "fapi2", "c-1", "alice", "open sesame"))
	must(t, s.PutCustomer(ctx, ada))
	cookie, _, err := s.Start(ctx, alice, noon)
	must(t, err)
	s.Check(ctx, "fapi2", "ben", "a guess", home, noon)
	copied := filepath.Join(t.TempDir(), "copy.db")
	must(t, s.Backup(ctx, copied))
	if err := s.Backup(ctx, copied); !errors.Is(err, os.ErrExist) {
		t.Errorf("a backup replaced a file: %v", err)
	}
	back := open(t, e(t), keys)
	must(t, back.Restore(ctx, copied))
	for name, restored := range map[string]*Store{"filled": back, "opened": open(t, file(copied), keys)} {
		t.Run(name, func(t *testing.T) {
			if _, err := restored.Find(ctx, "fapi2", cookie, noon); err != nil {
				t.Errorf("the session: %v", err)
			}
			if got, err := restored.Accounts(ctx, "c-1"); err != nil || len(got) != 2 {
				t.Errorf("the directory: %v, %v", got, err)
			}
			if _, err := restored.Check(ctx, "fapi2", "alice", "open sesame", home, noon); err != nil {
				t.Error(err)
			}
			if _, err := restored.Check(ctx, "fapi2", "chidi", "a guess", other, noon); !errors.Is(err, ErrWrong) {
				t.Errorf("a failure counted after those that were restored: %v", err)
			}
		})
	}
	if err := back.Restore(ctx, copied); !errors.Is(err, tables.ErrNotEmpty) {
		t.Errorf("filled twice: %v", err)
	}
}
