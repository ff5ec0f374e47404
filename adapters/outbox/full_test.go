package outbox

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// Who is told that something passes tries again, instead of giving up what was
// to be delivered.
func TestAFullDiskPasses(t *testing.T) {
	s, err := Open(ctx, filepath.Join(t.TempDir(), "waiting.db"), [32]byte{1})
	must(t, err)
	defer s.Close()
	must(t, s.Keep(ctx, "small", []byte("a notification token"), noon.Add(time.Minute)))
	limit := func(pages string) {
		t.Helper()
		_, err := s.db.Exec(ctx, "PRAGMA max_page_count = "+pages)
		must(t, err)
	}
	limit("1") // that is: what there is now
	if err := s.Keep(ctx, "large", make([]byte, maxSecret), noon.Add(time.Minute)); !errors.Is(err, eventstore.ErrUnavailable) {
		t.Errorf("what is kept on a full disk: %v", err)
	}
	limit("1000")
	must(t, s.Keep(ctx, "large", make([]byte, maxSecret), noon.Add(time.Minute)))

	must(t, s.Close())
	for name, err := range map[string]error{
		"is kept":       s.Keep(ctx, "small", []byte("a notification token"), noon.Add(time.Minute)),
		"is looked for": func() error { _, err := s.Find(ctx, "small", noon); return err }(),
		"is forgotten":  s.Forget(ctx, "small"),
	} {
		if !errors.Is(err, eventstore.ErrUnavailable) {
			t.Errorf("what %s where nothing can be read: %v", name, err)
		}
	}
}
