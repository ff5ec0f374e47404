package docs_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/chirograph/chirograph/"

// A room says what the packages below a folder may import besides the standard
// library: folders of this module, and modules of others.
type room struct {
	folder string
	ours   []string
	others []string // "*" for any
}

// rooms is the import rule of architecture.md. The first that fits counts.
var rooms = []room{
	{folder: "domain/event"},
	{folder: "domain/oauth"},
	{folder: "domain/fapi", ours: []string{"domain/oauth"}},
	{folder: "domain/openid", ours: []string{"domain/oauth"}},
	{folder: "domain/catalogue", ours: []string{"domain"}},
	{folder: "domain", ours: []string{"domain/event", "domain/oauth"}},
	{folder: "eventstore", ours: []string{"domain/event", "eventstore"}, others: []string{"github.com/google/uuid", "golang.org/x/mod/sumdb/tlog", "golang.org/x/mod/sumdb/note"}},
	{folder: "projections", ours: []string{"domain", "eventstore", "projections"}, others: []string{"github.com/google/uuid"}},
	{folder: "api/resource", ours: []string{"domain/oauth"}},
	{folder: "api/samplebank", ours: []string{"domain/oauth", "api/resource"}},
	{folder: "api", ours: []string{"domain", "eventstore", "projections", "api"}, others: []string{"github.com/google/uuid", "github.com/labstack/echo/v4"}},
	{folder: "adapters", ours: []string{"domain", "eventstore", "projections", "api", "adapters/internal"}, others: []string{"*"}},
	{folder: "cmd", ours: []string{"domain", "eventstore", "projections", "api", "adapters", "cmd"}, others: []string{"*"}},
	{folder: "docs"},
}

// forTests are the folders that may import testing outside of test files.
var forTests = []string{"cmd", "eventstore/storetest", "adapters/postgres/pgtest", "adapters/eventstoredb/standin"}

func TestLayers(t *testing.T) {
	files := 0
	err := filepath.WalkDir("..", func(file string, entry fs.DirEntry, err error) error {
		name := filepath.ToSlash(strings.TrimPrefix(file, ".."+string(filepath.Separator)))
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == "e2e" || strings.HasPrefix(path.Base(name), ".") && name != ".."):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(file)
		for _, v := range violations(name, source) {
			t.Error(v)
		}
		files++
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files were read: %v", files, err)
	}
}

// violations lists what a source file at the given place may not do.
func violations(file string, source []byte) []string {
	f, err := parser.ParseFile(token.NewFileSet(), file, source, parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	i := slices.IndexFunc(rooms, func(r room) bool { return within(file, r.folder) })
	if i < 0 {
		return []string{file + " is in no room of the house"}
	}
	var found []string
	for _, spec := range f.Imports {
		dep, _ := strconv.Unquote(spec.Path.Value)
		if !rooms[i].permits(file, dep) {
			found = append(found, fmt.Sprintf("%s: %s must not import %s", file, rooms[i].folder, dep))
		}
	}
	if within(file, "domain") {
		found = append(found, impurities(file, f)...)
	}
	return found
}

func (r room) permits(file, dep string) bool {
	ours, module := strings.CutPrefix(dep, module)
	root, _, _ := strings.Cut(dep, "/")
	own := strings.Join(strings.SplitN(file, "/", 3)[:2], "/") // e.g. adapters/sqlite
	switch {
	case module:
		return within(ours, own) || slices.ContainsFunc(r.ours, func(p string) bool { return within(ours, p) })
	case strings.Contains(root, "."):
		return slices.ContainsFunc(r.others, func(p string) bool { return p == "*" || within(dep, p) })
	}
	return root != "testing" || slices.ContainsFunc(forTests, func(p string) bool { return within(file, p) })
}

// within reports whether a path is a folder or below it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}
