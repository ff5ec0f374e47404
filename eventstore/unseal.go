package eventstore

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// A box is what a stored object keeps sealed.
type box struct {
	holder string
	fields []boxed
	rest   []byte // the object without its closing brace, and perhaps without the box
}

// boxed is one sealed field, as text.
type boxed struct{ name, text string }

var sealedMember = []byte(`"sealed":{"holder":`)

// open returns stored JSON with the fields that its box keeps, as far as their
// key is there.
func (c *Codec) open(ctx context.Context, e Event, typ string, stored []byte) (plain []byte, erased []string, err error) {
	at := bytes.Index(stored, sealedMember)
	if at < 0 {
		return stored, nil, nil
	}
	b, asWritten := writtenBox(stored, at)
	if !asWritten {
		if b, err = anyBox(stored); err != nil {
			return nil, nil, err
		}
	}
	if b.holder == "" { // it is within the JSON that a stranger sent
		return stored, nil, nil
	}
	key, err := c.Keys.Opener(ctx, b.holder)
	if err != nil && !errors.Is(err, ErrErased) {
		return nil, nil, err
	}
	plain = append(make([]byte, 0, len(stored)), b.rest...)
	for _, f := range b.fields {
		if key == nil {
			erased = append(erased, f.name)
			continue
		}
		sealed, err := base64.RawURLEncoding.DecodeString(f.text)
		if err != nil || len(sealed) < key.NonceSize() {
			return nil, nil, fmt.Errorf("field %s is not sealed data", f.name)
		}
		n := key.NonceSize()
		value, err := key.Open(sealed[n:n], sealed[:n], sealed[n:], c.bound(e.Stream, e.ID, typ, f.name))
		if err != nil {
			return nil, nil, fmt.Errorf("field %s: %w", f.name, err)
		}
		plain = member(plain, f.name, value)
	}
	return append(plain, '}'), erased, nil
}

// member adds a member to an object that is not closed yet.
func member(object []byte, name string, value []byte) []byte {
	if len(object) > 1 {
		object = append(object, ',')
	}
	object = append(object, '"')
	object = append(object, name...)
	object = append(object, '"', ':')
	return append(object, value...)
}

// anyBox finds the box in an object of any form.
func anyBox(stored []byte) (box, error) {
	var outer struct {
		Sealed sealed `json:"sealed"`
	}
	if err := json.Unmarshal(stored, &outer); err != nil {
		return box{}, err
	}
	b := box{holder: outer.Sealed.Holder, rest: bytes.TrimSpace(stored)}
	b.rest = b.rest[:len(b.rest)-1]
	for name, text := range outer.Sealed.Fields {
		b.fields = append(b.fields, boxed{name, text})
	}
	return b, nil
}

// writtenBox reads a box at its place in the form in which [Codec.Encode]
// writes it: as the last member. What is left of the object is well-formed if
// and only if the object was.
func writtenBox(stored []byte, at int) (b box, ok bool) {
	switch {
	case at == 1 && stored[0] == '{':
		b.rest = stored[:1]
	case at > 2 && stored[at-1] == ',' && bytes.IndexByte([]byte(`"}]el0123456789`), stored[at-2]) >= 0: // after a value
		b.rest = stored[:at-1]
	default:
		return box{}, false
	}
	r := written(stored[at:])
	r = r[len(sealedMember):]
	var isText bool
	if b.holder, isText = r.text(); !isText || b.holder == "" || !r.skip(`,"fields":{`) {
		return box{}, false
	}
	for {
		name, isName := r.text()
		if !isName || !r.skip(":") {
			return box{}, false
		}
		text, isText := r.text()
		if !isText || b.has(name) {
			return box{}, false
		}
		b.fields = append(b.fields, boxed{name, text})
		if !r.skip(",") {
			return b, r.skip("}}}") && len(r) == 0
		}
	}
}

func (b box) has(name string) bool {
	for _, f := range b.fields {
		if f.name == name {
			return true
		}
	}
	return false
}
