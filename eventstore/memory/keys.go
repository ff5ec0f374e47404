package memory

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"sync"

	"github.com/chirograph/chirograph/eventstore"
)

// Keys is a keyring in memory. The zero Keys is empty and ready.
type Keys struct {
	mu        sync.Mutex
	keys      map[string]cipher.AEAD
	destroyed map[string]bool
}

var _ eventstore.Keyring = (*Keys)(nil)

// Sealer returns the cipher of a holder and makes its key if there is none yet.
func (k *Keys) Sealer(_ context.Context, holder string) (cipher.AEAD, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.destroyed[holder] {
		return nil, eventstore.ErrErased
	}
	if key, there := k.keys[holder]; there {
		return key, nil
	}
	secret := make([]byte, 32)
	rand.Read(secret)
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	key, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	if k.keys == nil {
		k.keys = map[string]cipher.AEAD{}
	}
	k.keys[holder] = key
	return key, nil
}

// Opener returns the cipher of a holder.
func (k *Keys) Opener(_ context.Context, holder string) (cipher.AEAD, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if key, there := k.keys[holder]; there {
		return key, nil
	}
	return nil, eventstore.ErrErased
}

// Destroy ends a holder's key for good.
func (k *Keys) Destroy(holder string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.destroyed == nil {
		k.destroyed = map[string]bool{}
	}
	k.destroyed[holder] = true
	delete(k.keys, holder)
}
