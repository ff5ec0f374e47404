package docs_test

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A decision may depend only on its arguments, so the domain may import only
// what has no way to the outside.
var pure = []string{
	"bytes", "cmp", "crypto/sha256", "crypto/subtle", "encoding/base64", "encoding/hex", "encoding/json", "errors", "fmt",
	"iter", "maps", "net/netip", "net/url", "reflect", "slices", "strconv", "strings", "time", "unicode", "unicode/utf8",
}

// impure are the parts of those packages that ask the outside or write to it.
var impure = map[string][]string{
	"time": {"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer", "Sleep", "LoadLocation", "Local"},
	"fmt":  {"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"},
}

// impurities lists what a file of the domain does besides deciding.
func impurities(file string, f *ast.File) (found []string) {
	local := map[string]string{} // what a package is called in f
	for _, spec := range f.Imports {
		dep, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(dep)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		local[name] = dep
		root, _, _ := strings.Cut(dep, "/")
		if standard := !strings.Contains(root, "."); standard && !slices.Contains(pure, dep) {
			found = append(found, fmt.Sprintf("%s: %s is not pure", file, dep))
		}
		if name == "." && impure[dep] != nil {
			found = append(found, fmt.Sprintf("%s: %s must be imported under a name", file, dep))
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && slices.Contains(impure[local[x.Name]], n.Sel.Name) {
				found = append(found, fmt.Sprintf("%s: %s.%s must come with the command", file, local[x.Name], n.Sel.Name))
			}
		case *ast.GoStmt:
			found = append(found, file+": a decision starts nothing")
		}
		return true
	})
	return found
}
