package eventstore

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/chirograph/chirograph/domain/event"

	"github.com/google/uuid"
)

// ErrErased means that the key of a holder was destroyed: what it sealed can
// never be read again, and nothing more can be sealed under it.
var ErrErased = errors.New("eventstore: erased")

// A Keyring keeps the keys under which personal data is sealed, outside the
// log. A holder is "subject:<id>", "journey:<stream>" or "client:<id>".
type Keyring interface {
	// Sealer returns the cipher of a holder. If the holder has no key yet, one
	// is made and is durable before Sealer returns. [ErrErased] if the key
	// was destroyed.
	Sealer(ctx context.Context, holder string) (cipher.AEAD, error)

	// Opener returns the cipher of a holder, or [ErrErased] if there is none.
	Opener(ctx context.Context, holder string) (cipher.AEAD, error)
}

// A Codec turns events into what a log stores, and back. Personal fields are
// sealed before they reach the log, so that erasure never changes a leaf.
type Codec struct {
	Registry *event.Registry
	Keys     Keyring
	Log      uuid.UUID // bound into every sealed field
}

// metaTypes declares only the metadata, which is sealed like an event.
var metaTypes = event.NewRegistry([]event.Declaration{event.MetaType})

// A Decoded event is an event in today's form.
type Decoded struct {
	Event    // Data and Meta are the stored bytes
	Body     any
	Metadata event.Meta
	Erased   []string // sealed fields whose key was destroyed
}

// Encode returns e as it is stored in stream under the given id.
func (c *Codec) Encode(ctx context.Context, s Stream, id uuid.UUID, e any, m event.Meta) (Proposed, error) {
	stored, err := c.Registry.Encode(e)
	if err != nil {
		return Proposed{}, err
	}
	data, err := c.seal(ctx, s, id, stored, bodyHolder(m))
	if err != nil {
		return Proposed{}, fmt.Errorf("seal %s: %w", stored.Name, err)
	}
	plain, err := metaTypes.Encode(m)
	if err != nil {
		return Proposed{}, err
	}
	meta, err := c.seal(ctx, s, id, plain, metaHolder(m))
	if errors.Is(err, ErrErased) {
		meta, err = plain.Data, nil // who is erased leaves no new address behind
	}
	if err != nil {
		return Proposed{}, fmt.Errorf("seal metadata of %s: %w", stored.Name, err)
	}
	return Proposed{ID: id, Type: stored.Name, Version: stored.Version, Data: data, Meta: meta}, nil
}

// bodyHolder names whose key seals the fields of an event: the subject's; or
// the journey's, which dies with the subject's once that is known.
func bodyHolder(m event.Meta) string {
	switch {
	case m.Subject != "":
		return "subject:" + m.Subject
	case m.Correlation != "":
		return "journey:" + m.Correlation
	}
	return "client:" + m.Client
}

// metaHolder names whose key seals addresses and user agents. Before a
// subject is known they belong to a client's servers.
func metaHolder(m event.Meta) string {
	if m.Subject != "" {
		return "subject:" + m.Subject
	}
	return "client:" + m.Client
}

// sealed is the last member of stored JSON that has sealed fields.
type sealed struct {
	Holder string            `json:"holder"`
	Fields map[string]string `json:"fields"`
}

func (c *Codec) seal(ctx context.Context, s Stream, id uuid.UUID, stored event.Stored, holder string) ([]byte, error) {
	if len(stored.Sealed) == 0 {
		return stored.Data, nil
	}
	key, err := c.Keys.Sealer(ctx, holder)
	if err != nil {
		return nil, err
	}
	box := sealed{holder, make(map[string]string, len(stored.Sealed))}
	for _, f := range stored.Sealed {
		nonce := make([]byte, key.NonceSize(), key.NonceSize()+len(f.Value)+key.Overhead())
		rand.Read(nonce)
		ciphertext := key.Seal(nonce, nonce, f.Value, c.bound(s, id, stored.Name, f.Name))
		box.Fields[f.Name] = base64.RawURLEncoding.EncodeToString(ciphertext)
	}
	tail, err := json.Marshal(box)
	if err != nil {
		return nil, err
	}
	return splice(stored.Data, "sealed", tail), nil
}

// bound is what a sealed field is tied to: it opens nowhere else.
func (c *Codec) bound(s Stream, id uuid.UUID, typ, field string) []byte {
	b := make([]byte, 0, 64+len(s)+len(typ)+len(field))
	b = append(b, c.Log[:]...)
	b = append(b, id[:]...)
	for _, part := range []string{string(s), typ, field} {
		b = append(b, byte(len(part)>>8), byte(len(part)))
		b = append(b, part...)
	}
	return b
}

// splice adds a member to the end of a JSON object.
func splice(object []byte, name string, value []byte) []byte {
	end := bytes.LastIndexByte(object, '}')
	out := make([]byte, 0, len(object)+len(name)+len(value)+4)
	out = append(out, object[:end]...)
	if len(bytes.TrimSpace(object[:end])) > 1 {
		out = append(out, ',')
	}
	out = append(out, '"')
	out = append(out, name...)
	out = append(out, '"', ':')
	out = append(out, value...)
	return append(out, '}')
}

// Decode returns a stored event in today's form. Fields whose key was
// destroyed are empty and listed in Erased; a field that does not open under
// its key is an error.
func (c *Codec) Decode(ctx context.Context, e Event) (Decoded, error) {
	d := Decoded{Event: e}
	data, erased, err := c.open(ctx, e, e.Type, e.Data)
	if err != nil {
		return d, fmt.Errorf("open %s of %s: %w", e.Type, e.Stream, err)
	}
	if d.Body, err = c.Registry.Decode(e.Type, e.Version, data); err != nil {
		return d, err
	}
	meta, metaErased, err := c.open(ctx, e, "meta", e.Meta)
	if err != nil {
		return d, fmt.Errorf("open metadata of %s of %s: %w", e.Type, e.Stream, err)
	}
	d.Erased = append(erased, metaErased...)
	if d.Metadata, err = readMeta(meta); err != nil {
		return d, fmt.Errorf("metadata of %s: %w", e.Type, err)
	}
	return d, nil
}

// Body is Decode without the metadata, for folding a stream.
func (c *Codec) Body(ctx context.Context, e Event) (any, error) {
	data, _, err := c.open(ctx, e, e.Type, e.Data)
	if err != nil {
		return nil, fmt.Errorf("open %s of %s: %w", e.Type, e.Stream, err)
	}
	return c.Registry.Decode(e.Type, e.Version, data)
}
