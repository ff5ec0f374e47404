package login

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

var (
	errTampered   = errors.New("login: a sealed field does not open")
	errIdentifier = errors.New("login: an identifier has 1 to 255 bytes of text")
)

// seal seals plain under the key of a subject, for one purpose. It fails with
// eventstore.ErrErased if the subject is erased.
func (s *Store) seal(ctx context.Context, purpose, subject string, plain []byte) ([]byte, error) {
	key, err := s.keys.Sealer(ctx, "subject:"+subject)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, key.NonceSize(), key.NonceSize()+len(plain)+key.Overhead())
	rand.Read(nonce)
	return key.Seal(nonce, nonce, plain, []byte(purpose+"\x00"+subject)), nil
}

func (s *Store) open(ctx context.Context, purpose, subject string, sealed []byte) ([]byte, error) {
	key, err := s.keys.Opener(ctx, "subject:"+subject)
	if err != nil {
		return nil, err
	}
	n := key.NonceSize()
	if len(sealed) < n {
		return nil, fmt.Errorf("%w: %s of %s", errTampered, purpose, subject)
	}
	plain, err := key.Open(nil, sealed[:n], sealed[n:], []byte(purpose+"\x00"+subject))
	if err != nil {
		return nil, fmt.Errorf("%w: %s of %s", errTampered, purpose, subject)
	}
	return plain, nil
}

// named bounds the identifiers that rows are found by.
func named(ids ...string) error {
	for _, id := range ids {
		if id == "" || len(id) > 255 || strings.ContainsRune(id, 0) || !utf8.ValidString(id) {
			return errIdentifier
		}
	}
	return nil
}
