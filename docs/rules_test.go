package docs_test

import (
	"strings"
	"testing"
)

// Each rule is seen to fail.
func TestViolations(t *testing.T) {
	imports := func(dep string) string { return "package p\nimport " + dep }
	ours := func(folder string) string { return imports(`"` + module + folder + `"`) }
	tests := []struct {
		name, file, source string
		want               string // part of the one complaint, "" for none
	}{
		{"an aggregate may import event", "domain/consent/a.go", ours("domain/event"), ""},
		{"but not another aggregate", "domain/consent/a.go", ours("domain/token"), "must not import"},
		{"nor what lies outside the domain", "domain/consent/a.go", ours("eventstore"), "must not import"},
		{"nor what others made", "domain/consent/a.go", imports(`"golang.org/x/text/cases"`), "must not import"},
		{"a profile may import oauth", "domain/fapi/a.go", imports(`. "` + module + `domain/oauth"`), ""},
		{"but not an aggregate", "domain/fapi/a.go", ours("domain/client"), "must not import"},
		{"oauth imports nothing of ours", "domain/oauth/a.go", ours("domain/event"), "must not import"},
		{"the catalogue imports all of the domain", "domain/catalogue/a.go", ours("domain/token"), ""},

		{"the store knows event", "eventstore/a.go", ours("domain/event"), ""},
		{"and the tree", "eventstore/ledger/a.go", imports(`"golang.org/x/mod/sumdb/tlog"`), ""},
		{"but no other part of that module", "eventstore/ledger/a.go", imports(`"golang.org/x/mod/semver"`), "must not import"},
		{"and no aggregate", "eventstore/a.go", ours("domain/consent"), "must not import"},
		{"nor a database", "eventstore/memory/a.go", imports(`"modernc.org/sqlite"`), "must not import"},
		{"the suite may import testing", "eventstore/storetest/a.go", imports(`"testing"`), ""},
		{"nothing else may", "eventstore/memory/a.go", imports(`"testing"`), "must not import"},

		{"a projection reads the store", "projections/a.go", ours("eventstore/ledger"), ""},
		{"but not the API", "projections/a.go", ours("api"), "must not import"},
		{"the API may import echo", "api/a.go", imports(`"github.com/labstack/echo/v4"`), ""},
		{"but not an adapter", "api/a.go", ours("adapters/jose"), "must not import"},
		{"nor metrics", "api/a.go", imports(`"github.com/prometheus/client_golang/prometheus"`), "must not import"},
		{"the resource package may import oauth", "api/resource/a.go", ours("domain/oauth"), ""},
		{"but not the store", "api/resource/a.go", ours("eventstore"), "must not import"},
		{"nor the API", "api/resource/a.go", ours("api"), "must not import"},
		{"nor what others made", "api/resource/a.go", imports(`"github.com/google/uuid"`), "must not import"},
		{"the sample bank mounts the resource package", "api/samplebank/a.go", ours("api/resource"), ""},

		{"an adapter may import its library", "adapters/jose/a.go", imports(`"github.com/go-jose/go-jose/v4"`), ""},
		{"and its own parts", "adapters/jose/a.go", ours("adapters/jose/internal/x"), ""},
		{"but not another adapter", "adapters/jose/a.go", ours("adapters/sqlite"), "must not import"},
		{"whose name only begins the same", "adapters/keys/a.go", ours("adapters/keysafe"), "must not import"},
		{"nor the binary", "adapters/jose/a.go", ours("cmd/chirograph"), "must not import"},
		{"the binary imports everything", "cmd/chirograph/a.go", ours("adapters/sqlite"), ""},
		{"there is no other room", "services/a.go", "package p", "no room"},
		{"a file that cannot be read is no excuse", "api/a.go", "pack", "expected"},

		{"the domain may calculate with time", "domain/token/a.go", "package p\nimport \"time\"\nvar x = time.Hour", ""},
		{"but not ask for it", "domain/token/a.go", "package p\nimport \"time\"\nvar x = time.Now()", "time.Now"},
		{"under any name", "domain/token/a.go", "package p\nimport clock \"time\"\nvar x = clock.Since(y)", "time.Since"},
		{"nor without one", "domain/token/a.go", imports(`. "time"`), "under a name"},
		{"nor as a value", "domain/token/a.go", "package p\nimport \"time\"\nvar now = time.Now", "time.Now"},
		{"it has no randomness", "domain/token/a.go", imports(`"crypto/rand"`), "not pure"},
		{"no files", "domain/token/a.go", imports(`"os"`), "not pure"},
		{"no network", "domain/token/a.go", imports(`"net"`), "not pure"},
		{"no log", "domain/event/a.go", imports(`"log/slog"`), "not pure"},
		{"no output", "domain/token/a.go", "package p\nimport \"fmt\"\nfunc f() { fmt.Println() }", "fmt.Println"},
		{"and starts nothing", "domain/token/a.go", "package p\nfunc f() { go f() }", "starts nothing"},
		{"elsewhere all this is fine", "eventstore/a.go", "package p\nimport \"time\"\nvar x = time.Now()", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := violations(tt.file, []byte(tt.source))
			switch {
			case tt.want == "" && len(got) > 0:
				t.Errorf("got %q", got)
			case tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)):
				t.Errorf("got %q, want one with %q", got, tt.want)
			}
		})
	}
}
