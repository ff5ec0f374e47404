package projections

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"

	"github.com/chirograph/chirograph/eventstore"
)

// MaxLimit bounds every listing.
const MaxLimit = 500

const defaultLimit = 50

// A Listing is one page of an answer.
type Listing[T any] struct {
	Items []T                 `json:"items"`
	Next  string              `json:"next,omitempty"` // cursor of the next page, empty on the last
	AsOf  eventstore.Position `json:"as_of"`          // the answer is that of this position
	Lag   uint64              `json:"lag"`            // positions of the log that the projection has not yet seen
}

// A Page says which part of a listing is wanted.
type Page struct {
	Cursor string // as in [Listing.Next]; empty for the first page
	Limit  int    // at most [MaxLimit]
}

func (p Page) limit() int {
	if p.Limit <= 0 {
		return defaultLimit
	}
	return min(p.Limit, MaxLimit)
}

// A cursor is where a page ended. Listings go on from a key, never from an
// offset, so a page neither repeats nor misses what was there when the first
// one was read.
type cursor struct {
	question uint64 // hash of what was asked
	asOf     eventstore.Position
	last     eventstore.Position
}

// question hashes what was asked, so that a cursor is good for that alone.
func question(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return h.Sum64()
}

const cursorVersion = 1

func (c cursor) String() string {
	b := []byte{cursorVersion}
	b = binary.BigEndian.AppendUint64(b, c.question)
	b = binary.AppendUvarint(b, uint64(c.asOf))
	b = binary.AppendUvarint(b, uint64(c.last))
	return base64.RawURLEncoding.EncodeToString(b)
}

// maxCursor is the length of the longest cursor.
const maxCursor = 40

// parseCursor reads a cursor of one question.
func parseCursor(text string, question uint64) (cursor, error) {
	if len(text) > maxCursor {
		return cursor{}, ErrCursor
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) < 11 || b[0] != cursorVersion {
		return cursor{}, ErrCursor
	}
	c := cursor{question: binary.BigEndian.Uint64(b[1:])}
	asOf, n := binary.Uvarint(b[9:])
	if n <= 0 {
		return cursor{}, ErrCursor
	}
	last, m := binary.Uvarint(b[9+n:])
	c.asOf, c.last = eventstore.Position(asOf), eventstore.Position(last)
	if m <= 0 || c.question != question || c.String() != text || c.last > c.asOf || c.asOf >= eventstore.Unnumbered {
		return cursor{}, ErrCursor
	}
	return c, nil
}

// list returns a page of rows that are told apart and ordered by a position,
// the newest first. Read returns at most n rows before a position.
func list[T any](ctx context.Context, f *follower, page Page, asked uint64,
	read func(tx *Tx, before eventstore.Position, n int) ([]T, error), position func(T) eventstore.Position,
) (Listing[T], error) {
	var l Listing[T]
	before := eventstore.Position(math.MaxInt64)
	if page.Cursor != "" {
		c, err := parseCursor(page.Cursor, asked)
		if err != nil {
			return l, err
		}
		before = c.last
	}
	err := f.read(ctx, func(tx *Tx, at eventstore.Position) (err error) {
		l.AsOf = at
		l.Items, err = read(tx, before, page.limit()+1)
		return err
	})
	if err != nil {
		return l, err
	}
	if len(l.Items) > page.limit() {
		l.Items = l.Items[:page.limit()]
		l.Next = cursor{asked, l.AsOf, position(l.Items[len(l.Items)-1])}.String()
	}
	l.Lag, err = f.lag(ctx, l.AsOf)
	return l, err
}
