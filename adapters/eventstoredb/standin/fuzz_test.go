package standin

import (
	"os"
	"path/filepath"
	"testing"
)

// Whatever a file holds, it is refused, or what was read of it is read again.
func FuzzFile(f *testing.F) {
	path := filepath.Join(f.TempDir(), "seed")
	c, err := Start(Options{File: path})
	if err != nil {
		f.Fatal(err)
	}
	if err := c.Close(); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add(seed[:len(seed)-1])
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		n, err := reopened(path)
		if err != nil {
			return
		}
		if again, err := reopened(path); err != nil || again != n {
			t.Errorf("%d records, then %d, %v", n, again, err)
		}
	})
}

func reopened(path string) (records int, err error) {
	var o Options
	o.setDefaults()
	s := newStore(o)
	if err := s.open(path); err != nil {
		return 0, err
	}
	return len(s.log), s.file.Close()
}
