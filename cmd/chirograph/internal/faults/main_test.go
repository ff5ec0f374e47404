package faults

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

var (
	long   = flag.Bool("long", false, "run the long set")
	seed   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of every random choice")
	engine = flag.String("engine", "", "run one engine only: postgres or eventstoredb")
	chosen = flag.String("fault", "", "run only the faults whose names contain this")
)

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	os.RemoveAll(built.folder)
	os.Exit(code)
}

// A build is what is linked into a binary. Texts of one kind have one length.
type build struct {
	version string
	clock   string // error of its clock
}

var (
	current = build{"1.0.0-faults", "+000000s"}
	next    = build{"1.1.0-faults", "+000000s"}
	ahead   = build{"1.0.0-faults", "+000060s"}
	behind  = build{"1.0.0-faults", "-000060s"}
)

// built are the binaries of this test run.
var built struct {
	mu     sync.Mutex
	folder string
	paths  map[build]string
}

// program returns the path of a binary. It is linked once; what differs in
// others is text of the same length.
func program(t testing.TB, b build) string {
	t.Helper()
	built.mu.Lock()
	defer built.mu.Unlock()
	if built.folder == "" {
		compile(t)
	}
	if path, found := built.paths[b]; found {
		return path
	}
	original, err := os.ReadFile(built.paths[current])
	if err != nil {
		t.Fatal(err)
	}
	for old, text := range map[string]string{current.version: b.version, current.clock: b.clock} {
		if bytes.Count(original, []byte(old)) == 0 {
			t.Fatalf("%s is not in the binary", old)
		}
		original = bytes.ReplaceAll(original, []byte(old), []byte(text))
	}
	path := filepath.Join(built.folder, fmt.Sprintf("chirograph%d", len(built.paths)))
	if err := os.WriteFile(path, original, 0o700); err != nil {
		t.Fatal(err)
	}
	built.paths[b] = path
	return path
}

func compile(t testing.TB) {
	t.Helper()
	folder, err := os.MkdirTemp("", "chirograph-faults-")
	if err != nil {
		t.Fatal(err)
	}
	built.folder, built.paths = folder, map[build]string{current: filepath.Join(folder, "chirograph")}
	linked := "-s -w -X main.version=" + current.version + " -X main.clockError=" + current.clock
	c := exec.Command("go", "build", "-o", built.paths[current], "-ldflags", linked, "github.com/chirograph/chirograph/cmd/chirograph")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
}
