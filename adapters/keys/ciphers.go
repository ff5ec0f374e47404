package keys

import (
	"crypto/cipher"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"
)

// ciphers keeps the ciphers last used in memory, and surely forgets those
// whose key was destroyed: one that was read before a destruction is not kept
// after it.
type ciphers struct {
	lru  *lru.Cache[string, cipher.AEAD]
	mu   sync.Mutex
	lost uint64 // counts destructions
}

func (c *ciphers) of(holder string) (cipher.AEAD, bool) { return c.lru.Get(holder) }

// epoch is asked before a key is read, and told to keep after it.
func (c *ciphers) epoch() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

func (c *ciphers) keep(holder string, aead cipher.AEAD, since uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if since == c.lost {
		c.lru.Add(holder, aead)
	}
}

func (c *ciphers) forget(holders []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost++
	for _, h := range holders {
		c.lru.Remove(h)
	}
}
