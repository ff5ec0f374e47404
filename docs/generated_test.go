package docs_test

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated parts of the documents")

// compare checks a document, or the part of it between two marks, against what
// the code says.
func compare(t *testing.T, file, begin, end, want string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, opened := strings.Cut(string(raw), begin+"\n")
	got, after, closed := strings.Cut(rest, end)
	if !opened || !closed {
		t.Fatalf("%s has no part between %q and %q", file, begin, end)
	}
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("%s differs from the code: run go test ./docs -update\n got %s\nwant %s", file, got, want)
	}
	if err := os.WriteFile(file, []byte(before+begin+"\n"+want+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
