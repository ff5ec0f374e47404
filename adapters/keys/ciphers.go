package keys

import (
	"crypto/cipher"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Trusted is how long what was read from a shared keyring may be used without
// asking it again: so long a key that was destroyed through one node can still
// be used through another one.
const Trusted = time.Second

// ciphers keeps the ciphers last used in memory, and surely forgets those
// whose key was destroyed: one that was read before a destruction is not kept
// after it.
type ciphers struct {
	lru    *lru.Cache[string, known]
	shared bool // other nodes destroy keys too
	mu     sync.Mutex
	lost   uint64 // counts destructions on this node
}

// A known cipher is one that was read at a time.
type known struct {
	aead cipher.AEAD
	read time.Time
}

// A moment is when a key began to be read.
type moment struct {
	lost uint64
	at   time.Time
}

func (c *ciphers) of(holder string, now time.Time) (cipher.AEAD, bool) {
	k, found := c.lru.Get(holder)
	if found && c.shared && (now.Before(k.read) || now.Sub(k.read) >= Trusted) {
		return nil, false
	}
	return k.aead, found
}

// begin is asked before a key is read, and told to keep after it.
func (c *ciphers) begin(now time.Time) moment {
	c.mu.Lock()
	defer c.mu.Unlock()
	return moment{c.lost, now}
}

func (c *ciphers) keep(holder string, aead cipher.AEAD, since moment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if since.lost == c.lost {
		c.lru.Add(holder, known{aead, since.at})
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
