package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/strict"
)

// Prefix of the names in the environment.
const Prefix = "CHIROGRAPH_"

// FileVariable names the file where no flag does.
const FileVariable = Prefix + "CONFIG"

// A Leaf is one setting.
type Leaf struct {
	Path  string // as in "public.listen"
	Doc   string
	Value reflect.Value
}

// Environment is the leaf's name in the environment, as in
// CHIROGRAPH_PUBLIC__LISTEN.
func (l Leaf) Environment() string {
	return Prefix + strings.ToUpper(strings.ReplaceAll(l.Path, ".", "__"))
}

// Text is the value as it is written in YAML.
func (l Leaf) Text() string {
	switch v := l.Value.Interface().(type) {
	case string:
		if v == "" || strings.ContainsAny(v, "#'\"{}[]") || strings.Contains(v, ": ") {
			return strconv.Quote(v)
		}
		return v
	case []string:
		return list(strings.Join(v, ","))
	default:
		return fmt.Sprint(v)
	}
}

// Shown is Text without the passwords that a URL can hold.
func (l Leaf) Shown() string { return withoutPassword(l.Text()) }

// Leaves returns every setting of c in order. Their values can be set.
func (c *Config) Leaves() []Leaf {
	return leaves(reflect.ValueOf(c).Elem(), "", nil)
}

func leaves(v reflect.Value, path string, all []Leaf) []Leaf {
	for i, f := range reflect.VisibleFields(v.Type()) {
		full := f.Tag.Get("json")
		if path != "" {
			full = path + "." + full
		}
		if f.Type.Kind() == reflect.Struct {
			all = leaves(v.Field(i), full, all)
			continue
		}
		all = append(all, Leaf{full, f.Tag.Get("jsonschema_description"), v.Field(i)})
	}
	return all
}

// set reads a value as it would stand in YAML; lists may also be separated by
// commas alone.
func (c *Config) set(path, text string) error {
	doc := text
	for _, l := range c.Leaves() {
		if l.Path != path {
			continue
		}
		switch l.Value.Kind() {
		case reflect.Slice:
			doc = list(text)
		case reflect.String:
			l.Value.SetString(text)
			return nil
		}
	}
	names := strings.Split(path, ".")
	doc = strings.Join(names, ": {") + ": " + doc + strings.Repeat("}", len(names)-1)
	err := strict.Decode([]byte(doc), c)
	if known, ok := err.(*strict.Error); ok {
		return fmt.Errorf("%s", known.What)
	}
	return err
}

// list writes values that are separated by commas as a list of YAML.
func list(text string) string {
	items := []string{}
	for item := range strings.SplitSeq(strings.Trim(text, "[] "), ",") {
		if item = strings.Trim(item, ` "'`); item != "" {
			items = append(items, item)
		}
	}
	quoted, _ := json.Marshal(items) // strings always marshal
	return string(quoted)
}
