package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"strings"
)

// errTampered means that wrapped bytes were altered, moved to another owner,
// or wrapped under another master key.
var errTampered = errors.New("keys: a wrapped key does not open")

// A wrapper wraps keys with AES-256-GCM. What it wraps is bound to its owner.
type wrapper struct{ aead cipher.AEAD }

func newWrapper(m *Master, label string) wrapper {
	key := m.Derive(label)
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // only for another key length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // only for another block size
	}
	return wrapper{aead}
}

func (w wrapper) wrap(plain []byte, owner ...string) []byte {
	return w.aead.Seal(nil, nil, plain, bound(owner))
}

func (w wrapper) unwrap(wrapped []byte, owner ...string) ([]byte, error) {
	plain, err := w.aead.Open(nil, nil, wrapped, bound(owner))
	if err != nil {
		return nil, errTampered
	}
	return plain, nil
}

// bound joins the names of an owner; none of them holds a NUL.
func bound(owner []string) []byte { return []byte(strings.Join(owner, "\x00")) }

// cipherOf returns the cipher of a holder's key and forgets the key itself.
func cipherOf(key []byte) (cipher.AEAD, error) {
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, errTampered
	}
	return cipher.NewGCM(block)
}
