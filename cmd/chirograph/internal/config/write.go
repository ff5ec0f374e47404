package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"github.com/chirograph/chirograph/api/admin"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"
)

// YAML writes c with a comment for every setting. Settings for which isSet is
// false are commented out.
func (c Config) YAML(isSet func(path string) bool) []byte {
	var b bytes.Buffer
	b.WriteString("# Settings of a Chirograph server. What is commented out shows the default.\n")
	writeSection(&b, reflect.ValueOf(&c).Elem(), "", 0, isSet)
	return b.Bytes()
}

func writeSection(b *bytes.Buffer, v reflect.Value, path string, depth int, isSet func(string) bool) {
	indent := strings.Repeat("  ", depth)
	for i, f := range reflect.VisibleFields(v.Type()) {
		name := f.Tag.Get("json")
		full := strings.TrimPrefix(path+"."+name, ".")
		if depth == 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(b, "%s# %s\n", indent, f.Tag.Get("jsonschema_description"))
		if f.Type.Kind() != reflect.Struct {
			hidden := "#"
			if isSet(full) {
				hidden = ""
			}
			fmt.Fprintf(b, "%s%s%s: %s\n", indent, hidden, name, Leaf{Value: v.Field(i)}.Text())
			continue
		}
		fmt.Fprintf(b, "%s%s:\n", indent, name)
		writeSection(b, v.Field(i), full, depth+1, isSet)
	}
}

// Schema returns the JSON Schema of the file, for editors and checks.
func Schema() ([]byte, error) {
	r := &jsonschema.Reflector{
		ExpandedStruct: true, DoNotReference: true, RequiredFromJSONSchemaTags: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if t == reflect.TypeFor[admin.Duration]() {
				return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+d|([0-9.]+(ms|s|m|h))+)$`, Examples: []any{"90s", "5m", "24h"}}
			}
			return nil
		},
	}
	s := r.Reflect(&Config{})
	s.Title = "Settings of a Chirograph server"
	s.ID = ""
	text, err := json.MarshalIndent(s, "", "  ")
	return append(text, '\n'), err
}
