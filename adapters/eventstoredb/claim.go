package eventstoredb

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// maxKeyLife is how long a replay key may be remembered: shorter than buckets
// keep their entries.
const maxKeyLife = 23 * time.Hour

// shards is the number of buckets. It is part of the data format.
const shards = 64

// An owner is whoever uses a key: a call, known by the ids of its events, so
// that a repeat of it finds its own keys taken by itself.
type owner [16]byte

// A claim are the replay keys of one call.
type claim struct {
	owner   owner
	buckets map[int][]key
}

type key struct {
	key     [32]byte
	expires int64
}

// newClaim gathers the keys of a call by the buckets that they are in. A key is
// in one bucket always, whatever the time.
func newClaim(appends []eventstore.Append, now time.Time) (claim, error) {
	c := claim{}
	seen := map[[32]byte]bool{}
	for _, a := range appends {
		for _, o := range a.Once {
			switch {
			case seen[o.Key]:
				return c, &eventstore.Replayed{Key: o.Key}
			case o.Expires.Sub(now) > maxKeyLife:
				return c, fmt.Errorf("%w: a replay key that lives until %s", eventstore.ErrInvalid, o.Expires)
			}
			seen[o.Key] = true
			if c.buckets == nil {
				c.buckets = map[int][]key{}
			}
			shard := int(o.Key[0]) % shards
			c.buckets[shard] = append(c.buckets[shard], key{o.Key, o.Expires.UnixNano()})
		}
	}
	if c.buckets != nil {
		c.owner = ownerOf(appends)
	}
	return c, nil
}

// ownerOf is random for a call without events, which has no repeats.
func ownerOf(appends []eventstore.Append) (o owner) {
	h := sha256.New()
	events := 0
	for _, a := range appends {
		for _, e := range a.Events {
			h.Write(e.ID[:])
			events++
		}
	}
	if events == 0 {
		rand.Read(o[:])
		return o
	}
	copy(o[:], h.Sum(nil))
	return o
}
