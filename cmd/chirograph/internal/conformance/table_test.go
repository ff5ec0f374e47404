package conformance

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of scripts into docs/conformance.md")

const document = "../../../../docs/conformance.md"

// TestDocument holds the tables in docs/conformance.md to the scripts.
func TestDocument(t *testing.T) {
	for _, p := range plans {
		t.Run(p.name, func(t *testing.T) { p.compare(t, p.table(readScripts(t))) })
	}
}

func (p plan) compare(t *testing.T, want string) {
	begin := "<!-- generated from cmd/chirograph/internal/conformance: modules of " + p.name + " -->\n"
	end := "<!-- end of modules of " + p.name + " -->"
	raw, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, opened := strings.Cut(string(raw), begin)
	got, after, closed := strings.Cut(rest, end)
	switch {
	case !opened || !closed:
		t.Fatalf("%s has no part between %q and %q", document, begin, end)
	case got == want:
	case !*update:
		t.Fatalf("%s differs from the scripts: run go test -run TestDocument ./cmd/chirograph/internal/conformance -update", document)
	default:
		if err := os.WriteFile(document, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (p plan) table(scripts []script) string {
	var b strings.Builder
	b.WriteString("\n| module | for | scripts |\n|---|---|---|\n")
	for _, m := range p.modules {
		var names []string
		for _, s := range playing(scripts, m.name) {
			names = append(names, s.linked())
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", m.name, m.need.title, strings.Join(names, ", "))
	}
	b.WriteString("\n| script beyond the modules | what it plays |\n|---|---|\n")
	for _, s := range scripts {
		if len(s.modules) == 0 && p.own(s) {
			fmt.Fprintf(&b, "| %s | %s |\n", s.linked(), strings.ReplaceAll(strings.Join(s.head, "<br>"), "|", "\\|"))
		}
	}
	return b.String() + "\n"
}

func (sc script) linked() string {
	return fmt.Sprintf("[%s](../cmd/chirograph/internal/conformance/testdata/%s.http)", sc.name, sc.name)
}
