package keys

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var zeros = base64.StdEncoding.EncodeToString(make([]byte, 32))

func TestOpenMaster(t *testing.T) {
	tests := []struct {
		name string
		file string // "" if there is none
		mode os.FileMode
		err  error
	}{
		{"a key is one line of base64", zeros + "\n", 0o600, nil},
		{"the line may end without a newline", zeros, 0o400, nil},
		{"not readable by the group", zeros, 0o640, ErrExposed},
		{"not readable by others", zeros, 0o604, ErrExposed},
		{"not writable by others", zeros, 0o602, ErrExposed},
		{"not shorter", zeros[:40], 0o600, errNotMaster},
		{"not longer", base64.StdEncoding.EncodeToString(make([]byte, 33)), 0o600, errNotMaster},
		{"not with a tail", zeros + strings.Repeat("\n", 200) + "x", 0o600, errNotMaster},
		{"not another text", strings.Repeat("!", 44), 0o600, errNotMaster},
		{"not two spellings of one key", zeros[:42] + "B=", 0o600, errNotMaster},
		{"a missing file is not made unasked", "", 0, os.ErrNotExist},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "master.key")
			if tt.file != "" {
				must(t, os.WriteFile(path, []byte(tt.file), tt.mode))
				must(t, os.Chmod(path, tt.mode))
			}
			if _, err := OpenMaster(path, false); !errors.Is(err, tt.err) {
				t.Errorf("got %v, want %v", err, tt.err)
			}
		})
	}
}

func TestOpenMasterCreatesOneKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "master.key")
	var racers sync.WaitGroup
	got := make([]*Master, 16)
	for i := range got {
		racers.Go(func() { got[i], _ = OpenMaster(path, true) })
	}
	racers.Wait()
	for _, m := range got {
		if m == nil || *m != *got[0] {
			t.Fatal("racers got different master keys")
		}
	}
	about, err := os.Stat(path)
	must(t, err)
	if about.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v", about.Mode())
	}
	left, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	if len(left) != 1 {
		t.Errorf("temporary files stay: %v", left)
	}
	if again, err := OpenMaster(path, true); err != nil || *again != *got[0] {
		t.Errorf("opening again gave another key (%v)", err)
	}
}

// The derived keys are fixed for ever: what was wrapped under them must open.
// The vectors were computed from RFC 5869, Section 2, with another program.
func TestDeriveIsStable(t *testing.T) {
	m, err := parseMaster([]byte(zeros))
	must(t, err)
	for label, want := range map[string]string{
		ForNonces:     "4ad3c63b95f075c6ddfec5f7cb21e816c27092ceeeaec7b95fb72bcc7ec44800",
		ForLoginNames: "69d6d467649ad66b5e99bc1b904e33424cd5054eb963c345fbf4780e0f7a3e90",
		ForSessions:   "cc205c49c4cd65a7f92fd32f27fc494ce3a41794b1b84e848778519ae615ad2e",
		ForWaiting:    "1c299ce05cda1dc279587e7e68bca0b084e4d12f44c0280282e8ee83f473dde6",
		ForPairwise:   "47577c847d43fff19ccf22b2ace8d1ec435ade24c915c298194ae60a437975fe",
		forHolders:    "8639f90a0d849c1fc8cadcb679b28092e9acfae391a1cc0a8e87780f6b9d4829",
		forSigning:    "24f4211a5c1ae08aa043f5a2d1e6907bb55c3b65d2290ab46e91fda55a6ac016",
		forSecrets:    "87a5d584e2e4f468fcfe8acc906cc697e16b0c8d85722230d46964a151f2e282",
		forCheck:      "bab4124bb4f01c073e377e1a061700de31b7e17fd54b423a419a495ea644e323",
	} {
		key := m.Derive(label)
		if got := hex.EncodeToString(key[:]); got != want {
			t.Errorf("%q: got %s, want %s", label, got, want)
		}
	}
}

func TestMasterNeverPrints(t *testing.T) {
	m := &Master{[32]byte(bytes.Repeat([]byte("K"), 32))}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		for _, v := range []any{m, *m} {
			if got := fmt.Sprintf(verb, v); got != "[master key]" {
				t.Errorf("%s prints %s", verb, got)
			}
		}
	}
}

func FuzzParseMaster(f *testing.F) {
	f.Add([]byte(zeros))
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := parseMaster(text)
		if (m == nil) == (err == nil) {
			t.Fatal("a key or an error, not both")
		}
		if err != nil && len(text) > 8 && strings.Contains(err.Error(), string(text)) {
			t.Fatal("the error quotes the key")
		}
	})
}
