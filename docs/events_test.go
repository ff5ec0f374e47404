package docs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/event"
)

// The page of events is printed from their declarations, their comments and
// the samples that the catalogue's own test keeps.
func TestEvents(t *testing.T) {
	var b strings.Builder
	group := ""
	for _, row := range catalogue.Events.Rows() {
		if g, _, _ := strings.Cut(row.Name, "."); g != group {
			group = g
			fmt.Fprintf(&b, "\n## %s\n", group)
		}
		b.WriteString(entry(t, row))
	}
	fmt.Fprintf(&b, "\n## Metadata\n\n%s\n\nMembers: %s.\n\n", commentOf(t, reflect.TypeFor[event.Meta]()),
		fields(reflect.TypeFor[event.Meta](), metaSealed))
	compare(t, "events.md", "<!-- generated from the declarations -->", "<!-- end of events -->", b.String())
}

var metaSealed = event.NewRegistry([]event.Declaration{event.MetaType}).Rows()[0].Sealed

func entry(t *testing.T, row event.Row) string {
	t.Helper()
	sentence := catalogue.Events.Audit(stored(t, row), people{})
	if strings.TrimSpace(sentence) == "" {
		t.Errorf("%s says nothing to an auditor", row.Name)
	}
	return fmt.Sprintf("\n### %s\n\nVersion %d, %s. %s\n\n> %s\n\nMembers: %s.\n",
		row.Name, row.Version, row.Class, commentOf(t, row.Type), sentence, fields(row.Type, row.Sealed))
}

// stored reads the sample of an event in its present form.
func stored(t *testing.T, row event.Row) any {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "domain", "catalogue", "testdata", "stored", row.Name, fmt.Sprintf("v%d.json", row.Version)))
	if err != nil {
		t.Fatal(err)
	}
	var form struct{ Data, Sealed map[string]json.RawMessage }
	if err := json.Unmarshal(raw, &form); err != nil {
		t.Fatal(err)
	}
	maps.Copy(form.Data, form.Sealed)
	data, err := json.Marshal(form.Data)
	if err != nil {
		t.Fatal(err)
	}
	e, err := catalogue.Events.Decode(row.Name, row.Version, data)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// people are the names in the samples.
type people struct{}

func (people) Client(string) string  { return "Budgetly" }
func (people) Subject(string) string { return "Alice" }

// fields lists the members of an event as they are stored.
func fields(t reflect.Type, sealed []string) string {
	var names []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		text := "`" + name + "`"
		if slices.Contains(sealed, name) {
			text += " (sealed)"
		}
		names = append(names, text)
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
