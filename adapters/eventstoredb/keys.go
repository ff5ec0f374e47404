package eventstoredb

import (
	"context"
	"sync"
)

// keys remember which replay keys are taken, in buckets that all nodes share.
//
// A bucket is a stream of the server. What a node knows of it is exact when its
// next entry is accepted at the revision after the last that it has read: so of
// all calls with one key one wins, on whatever nodes they are. Which bucket a
// key is in depends on nothing but the key.
type keys struct {
	log     *Log
	buckets [shards]bucket
}

func newKeys(l *Log) *keys {
	k := &keys{log: l}
	for i := range k.buckets {
		k.buckets[i] = newBucket(l, i)
	}
	return k
}

// take takes the keys of a claim, and reports whether its owner had some of
// them already. [eventstore.ErrReplay] if one of them is another's: those that
// were taken nevertheless must be given back.
func (k *keys) take(ctx context.Context, c claim) (again bool, err error) {
	if len(c.buckets) == 1 {
		for shard, keys := range c.buckets {
			return k.buckets[shard].take(ctx, c.owner, keys)
		}
	}
	var wait sync.WaitGroup
	var mu sync.Mutex
	for shard, keys := range c.buckets {
		wait.Go(func() {
			had, failure := k.buckets[shard].take(ctx, c.owner, keys)
			mu.Lock()
			defer mu.Unlock()
			again = again || had
			if failure != nil {
				err = worse(err, failure)
			}
		})
	}
	wait.Wait()
	return again, err
}

// worse prefers a refusal, which is certain, to what is not.
func worse(a, b error) error {
	if a == nil || !refused(a) && refused(b) {
		return b
	}
	return a
}

// release gives the keys of a refused call back, also when its caller has gone.
// If the server does not answer they stay taken until they expire.
func (k *keys) release(ctx context.Context, c claim) {
	if len(c.buckets) == 0 {
		return
	}
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), k.log.oneTry())
	defer done()
	var wait sync.WaitGroup
	for shard, keys := range c.buckets {
		wait.Go(func() {
			if err := k.buckets[shard].release(ctx, c.owner, keys); err != nil {
				k.log.log.Warn("replay keys of a refused request stay taken", "keys", len(keys), "err", err)
			}
		})
	}
	wait.Wait()
}
