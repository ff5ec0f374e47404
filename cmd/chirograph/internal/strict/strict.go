// Package strict reads YAML that people write. What is not understood is
// refused with its line, and with the name that was probably meant: a setting
// that is silently ignored is worse than none.
//
// Documents are read into structs by their JSON names, so that a file and the
// body of a request have the same words.
package strict

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// MaxBytes bounds a document.
const MaxBytes = 4 << 20

// An Error says where a document is wrong.
type Error struct {
	Line int
	Path string // as in "public.listen", "" for the whole document
	What string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("line %d: %s", e.Line, e.What)
	}
	return fmt.Sprintf("line %d: %s: %s", e.Line, e.Path, e.What)
}

// Decode reads one document into v, a pointer to a struct. Members that the
// document does not name keep their values.
func Decode(text []byte, v any) error {
	if len(text) > MaxBytes {
		return fmt.Errorf("the document is longer than %d bytes", MaxBytes)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if root.Kind == 0 || len(root.Content) == 0 {
		return nil // nothing but comments
	}
	plain, err := read(root.Content[0], reflect.TypeOf(v).Elem(), "")
	if err != nil {
		return err
	}
	raw, err := json.Marshal(plain)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, v)
}

// Paths returns the paths of all values that a document gives, as in
// "public.listen". Lists count as values.
func Paths(text []byte) ([]string, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil || len(root.Content) == 0 {
		return nil, err
	}
	var all []string
	var walk func(n *yaml.Node, path string)
	walk = func(n *yaml.Node, path string) {
		if n.Kind != yaml.MappingNode {
			all = append(all, path)
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			walk(n.Content[i+1], join(path, n.Content[i].Value))
		}
	}
	walk(root.Content[0], "")
	return all, nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
