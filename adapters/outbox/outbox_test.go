package outbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/api"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ctx  = context.Background()
)

// A place is where a store is; opening it again finds what was left there.
type place func() (*Store, error)

// engines runs a test on a file and on a database that nodes share.
func engines(t *testing.T, test func(t *testing.T, fresh func() place)) {
	t.Run("in a file", func(t *testing.T) {
		test(t, func() place {
			path := filepath.Join(t.TempDir(), "waiting.db")
			return func() (*Store, error) { return Open(ctx, path, [32]byte{1}) }
		})
	})
	t.Run("shared", func(t *testing.T) {
		url, n := pgtest.New(t), 0
		test(t, func() place {
			n++
			schema := fmt.Sprint("waiting", n)
			return func() (*Store, error) {
				db, err := postgres.OpenSQL(ctx, url, schema)
				if err != nil {
					return nil, err
				}
				t.Cleanup(func() { db.Close() })
				return OpenShared(ctx, db, [32]byte{1})
			}
		})
	})
}

func open(t *testing.T, p place) *Store {
	t.Helper()
	s, err := p()
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

func TestSecrets(t *testing.T) {
	secret, end := []byte("a notification token"), noon.Add(time.Minute)
	tests := []struct {
		name  string
		after func(*Store) error
		at    time.Time
		want  string // "" for gone
	}{
		{"is found as it was kept", func(*Store) error { return nil }, noon, string(secret)},
		{"is found until the moment before its end", func(*Store) error { return nil }, end.Add(-1), string(secret)},
		{"is gone at its end", func(*Store) error { return nil }, end, ""},
		{"is gone when it is forgotten", func(s *Store) error { return s.Forget(ctx, "one") }, noon, ""},
		{"stays when another is forgotten", func(s *Store) error { return s.Forget(ctx, "two") }, noon, string(secret)},
		{"gives way to a later one", func(s *Store) error { return s.Keep(ctx, "one", []byte("newer"), end) }, noon, "newer"},
		{"stays when what is past its end is swept", func(s *Store) error { return s.Sweep(ctx, end.Add(-1)) }, noon, string(secret)},
		{"is swept at its end", func(s *Store) error { return s.Sweep(ctx, end) }, noon, ""},
	}
	engines(t, func(t *testing.T, fresh func() place) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				p := fresh()
				s := open(t, p)
				must(t, s.Keep(ctx, "one", secret, end))
				must(t, tt.after(s))
				for name, s := range map[string]*Store{"here": s, "opened again": open(t, p)} {
					found, err := s.Find(ctx, "one", tt.at)
					if tt.want == "" && !errors.Is(err, api.ErrGone) || tt.want != "" && (err != nil || string(found) != tt.want) {
						t.Errorf("%s: %q, %v", name, found, err)
					}
				}
			})
		}
	})
}

func TestWhatIsNotKept(t *testing.T) {
	s := open(t, func() (*Store, error) { return Open(ctx, filepath.Join(t.TempDir(), "waiting.db"), [32]byte{1}) })
	tests := []struct {
		name   string
		id     string
		secret []byte
		want   error
	}{
		{"without an id", "", []byte("x"), ErrBadID},
		{"under an id that is too long", string(make([]byte, 256)), []byte("x"), ErrBadID},
		{"under an id that is no text", "\xff", []byte("x"), ErrBadID},
		{"nothing", "one", nil, ErrTooLarge},
		{"what is too large", "one", make([]byte, maxSecret+1), ErrTooLarge},
	}
	for _, tt := range tests {
		if err := s.Keep(ctx, tt.id, tt.secret, noon); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestASecretOpensNowhereElse(t *testing.T) {
	tests := []struct{ name, change string }{
		{"under another id", `UPDATE secrets SET id = 'other'`},
		{"after its end was moved", `UPDATE secrets SET expires = expires + 1`},
		{"when it was altered", `UPDATE secrets SET sealed = CAST('nothing like what was sealed' AS BLOB)`},
		{"when it was cut", `UPDATE secrets SET sealed = CAST('cut' AS BLOB)`},
	}
	for _, tt := range tests {
		s := open(t, func() (*Store, error) { return Open(ctx, filepath.Join(t.TempDir(), "waiting.db"), [32]byte{1}) })
		must(t, s.Keep(ctx, "one", []byte("a token"), noon.Add(time.Minute)))
		_, err := s.db.Exec(ctx, tt.change)
		must(t, err)
		for _, id := range []string{"one", "other"} {
			if found, err := s.Find(ctx, id, noon); err == nil {
				t.Errorf("%s: %q", tt.name, found)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "waiting.db")
	s, err := Open(ctx, path, [32]byte{1})
	must(t, err)
	must(t, s.Keep(ctx, "one", []byte("a token"), noon.Add(time.Minute)))
	must(t, s.Close())
	thief := open(t, func() (*Store, error) { return Open(ctx, path, [32]byte{2}) })
	if _, err := thief.Find(ctx, "one", noon); !errors.Is(err, ErrNotSealed) {
		t.Errorf("under another key: %v", err)
	}
}

func TestNoSecretInTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "waiting.db")
	s := open(t, func() (*Store, error) { return Open(ctx, path, [32]byte{1}) })
	must(t, s.Keep(ctx, "one", []byte("a very secret notification token"), noon.Add(time.Minute)))
	var sealed []byte
	must(t, s.db.QueryRow(ctx, `SELECT sealed FROM secrets`).Scan(&sealed))
	if holds(t, path, []byte("notification token")) {
		t.Error("the secret is there as it is")
	}
	if !holds(t, path, sealed[:16]) {
		t.Fatal("not even its sealed form is there")
	}
	must(t, s.Forget(ctx, "one"))
	must(t, s.Sweep(ctx, noon))
	if holds(t, path, sealed[:16]) {
		t.Error("bytes of a secret that was forgotten remain")
	}
	about, err := os.Stat(path)
	must(t, err)
	if about.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v", about.Mode())
	}
}

func holds(t *testing.T, path string, bit []byte) (found bool) {
	t.Helper()
	names, err := filepath.Glob(path + "*")
	must(t, err)
	for _, name := range names {
		raw, err := os.ReadFile(name)
		must(t, err)
		found = found || bytes.Contains(raw, bit)
	}
	return found
}

func TestANewerFormatIsNotTouched(t *testing.T) {
	path := filepath.Join(t.TempDir(), "waiting.db")
	s := open(t, func() (*Store, error) { return Open(ctx, path, [32]byte{1}) })
	_, err := s.db.Exec(ctx, "PRAGMA user_version = 99")
	must(t, err)
	if _, err := Open(ctx, path, [32]byte{1}); !errors.Is(err, ErrNewer) {
		t.Errorf("got %v", err)
	}
}
