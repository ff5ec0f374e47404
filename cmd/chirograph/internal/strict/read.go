package strict

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"gopkg.in/yaml.v3"
)

var (
	textual = reflect.TypeFor[encoding.TextUnmarshaler]()
	rawJSON = reflect.TypeFor[json.RawMessage]()
)

// read returns what encoding/json will turn into a t.
func read(n *yaml.Node, t reflect.Type, path string) (any, error) {
	if n.Kind == yaml.AliasNode {
		return nil, &Error{n.Line, path, "aliases are not supported"}
	}
	if n.Tag == "!!null" {
		return nil, nil
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == rawJSON || t.Kind() == reflect.Interface:
		var plain any
		if err := n.Decode(&plain); err != nil {
			return nil, &Error{n.Line, path, "cannot be read"}
		}
		return plain, nil
	case reflect.PointerTo(t).Implements(textual):
		return readText(n, t, path)
	}
	switch t.Kind() {
	case reflect.Struct:
		return readStruct(n, t, path)
	case reflect.Map:
		return readMap(n, t, path)
	case reflect.Slice:
		return readList(n, t, path)
	}
	return readScalar(n, t, path)
}

func readStruct(n *yaml.Node, t reflect.Type, path string) (any, error) {
	if n.Kind != yaml.MappingNode {
		return nil, &Error{n.Line, path, "must have members"}
	}
	known := members(t)
	out := make(map[string]any, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		field, found := known[key.Value]
		if !found {
			return nil, &Error{key.Line, "", unknown(join(path, key.Value), key.Value, path, known)}
		}
		if _, twice := out[key.Value]; twice {
			return nil, &Error{key.Line, join(path, key.Value), "is given twice"}
		}
		plain, err := read(value, field, join(path, key.Value))
		if err != nil {
			return nil, err
		}
		out[key.Value] = plain
	}
	return out, nil
}

func unknown(full, key, path string, known map[string]reflect.Type) string {
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	if near := Nearest(key, names); near != "" {
		return fmt.Sprintf("unknown key %q, did you mean %q?", full, join(path, near))
	}
	return fmt.Sprintf("unknown key %q", full)
}

func readMap(n *yaml.Node, t reflect.Type, path string) (any, error) {
	if n.Kind != yaml.MappingNode {
		return nil, &Error{n.Line, path, "must have members"}
	}
	out := make(map[string]any, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		if _, twice := out[name]; twice {
			return nil, &Error{n.Content[i].Line, join(path, name), "is given twice"}
		}
		plain, err := read(n.Content[i+1], t.Elem(), join(path, name))
		if err != nil {
			return nil, err
		}
		out[name] = plain
	}
	return out, nil
}

func readList(n *yaml.Node, t reflect.Type, path string) (any, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, &Error{n.Line, path, "must be a list"}
	}
	out := make([]any, len(n.Content))
	for i, item := range n.Content {
		plain, err := read(item, t.Elem(), path+"["+strconv.Itoa(i)+"]")
		if err != nil {
			return nil, err
		}
		out[i] = plain
	}
	return out, nil
}

func readText(n *yaml.Node, t reflect.Type, path string) (any, error) {
	if n.Kind != yaml.ScalarNode {
		return nil, &Error{n.Line, path, "must be a single value"}
	}
	v := reflect.New(t).Interface().(encoding.TextUnmarshaler)
	if err := v.UnmarshalText([]byte(n.Value)); err != nil {
		return nil, &Error{n.Line, path, err.Error()}
	}
	return n.Value, nil
}

func readScalar(n *yaml.Node, t reflect.Type, path string) (any, error) {
	if n.Kind != yaml.ScalarNode {
		return nil, &Error{n.Line, path, "must be a single value"}
	}
	switch t.Kind() {
	case reflect.String:
		return n.Value, nil
	case reflect.Bool:
		v, err := strconv.ParseBool(n.Value)
		if err != nil {
			return nil, &Error{n.Line, path, "must be true or false"}
		}
		return v, nil
	case reflect.Int, reflect.Int64:
		v, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil {
			return nil, &Error{n.Line, path, "must be a whole number"}
		}
		return v, nil
	case reflect.Float64:
		v, err := strconv.ParseFloat(n.Value, 64)
		if err != nil {
			return nil, &Error{n.Line, path, "must be a number"}
		}
		return v, nil
	}
	panic("strict: no rule for " + t.String())
}
