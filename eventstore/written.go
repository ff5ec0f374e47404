package eventstore

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/chirograph/chirograph/domain/event"
)

// written is the rest of JSON that is expected to be as this package writes
// it: without spaces, and of strings without escapes. Most of a log is. What is
// not is left to encoding/json, which is several times slower.
type written []byte

// skip moves over what is expected next.
func (w *written) skip(expected string) bool {
	if len(*w) < len(expected) || string((*w)[:len(expected)]) != expected {
		return false
	}
	*w = (*w)[len(expected):]
	return true
}

// bytes reads a string of printable ASCII without escapes.
func (w *written) bytes() ([]byte, bool) {
	if len(*w) < 2 || (*w)[0] != '"' {
		return nil, false
	}
	n := bytes.IndexByte((*w)[1:], '"')
	if n < 0 {
		return nil, false
	}
	text := (*w)[1 : n+1]
	for _, c := range text {
		if c < ' ' || c > '~' || c == '\\' {
			return nil, false
		}
	}
	*w = (*w)[n+2:]
	return text, true
}

func (w *written) text() (string, bool) {
	b, ok := w.bytes()
	return string(b), ok
}

// metaFields are the places of the members of [event.Meta], all of them
// strings.
var metaFields = func() map[string]int {
	at := map[string]int{}
	for f := range reflect.TypeFor[event.Meta]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		at[name] = f.Index[0]
	}
	return at
}()

func readMeta(plain []byte) (m event.Meta, err error) {
	if writtenMeta(plain, &m) {
		return m, nil
	}
	m = event.Meta{}
	err = json.Unmarshal(plain, &m)
	return m, err
}

// writtenMeta reads metadata as it is written, and reports whether it was.
func writtenMeta(plain []byte, m *event.Meta) bool {
	r, fields := written(plain), reflect.ValueOf(m).Elem()
	if !r.skip("{") {
		return false
	}
	for {
		name, isName := r.bytes()
		at, known := metaFields[string(name)]
		if !isName || !known || !r.skip(":") {
			return false
		}
		value, isText := r.text()
		if !isText {
			return false
		}
		fields.Field(at).SetString(value)
		if !r.skip(",") {
			return r.skip("}") && len(r) == 0
		}
	}
}
