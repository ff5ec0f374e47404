package docs_test

import (
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// commentOf returns the doc comment of a type as one paragraph.
func commentOf(t *testing.T, typ reflect.Type) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(strings.TrimPrefix(typ.PkgPath(), module)), "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no source of %s: %v", typ.PkgPath(), err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if text := declared(d, typ.Name()); text != "" {
				return plain(text)
			}
		}
	}
	t.Errorf("%s has no doc comment", typ)
	return ""
}

func declared(d ast.Decl, name string) string {
	group, ok := d.(*ast.GenDecl)
	if !ok || group.Tok != token.TYPE {
		return ""
	}
	for _, spec := range group.Specs {
		if spec := spec.(*ast.TypeSpec); spec.Name.Name == name {
			return spec.Doc.Text() + group.Doc.Text()
		}
	}
	return ""
}

// plain joins lines and drops the brackets of links to Go names.
func plain(text string) string {
	var p comment.Parser
	p.LookupSym = func(string, string) bool { return true }
	printer := comment.Printer{TextWidth: -1}
	return strings.Join(strings.Fields(string(printer.Text(p.Parse(text)))), " ")
}
