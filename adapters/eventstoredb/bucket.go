package eventstoredb

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
)

// A bucket is what this node knows of a stream of replay keys.
type bucket struct {
	log     *Log
	name    string
	turn    chan struct{} // one call at a time
	loaded  bool
	limited bool // whether the server is known to drop old entries
	stale   bool // whether an entry may be there of which the outcome is unknown
	last    eventstore.Revision
	until   int64 // when the last of all keys that were ever here has expired
	taken   map[[32]byte]use
	crowded int // keys at which those that have expired are dropped
}

// A use of a key ends when it expires.
type use struct {
	owner   owner
	expires int64
}

const minCrowd = 1024

func newBucket(l *Log, shard int) bucket {
	return bucket{
		log: l, name: l.bucket(shard), turn: make(chan struct{}, 1),
		last: eventstore.NoRevision, taken: map[[32]byte]use{}, crowded: minCrowd,
	}
}

// lock waits for the bucket's turn.
func (b *bucket) lock(ctx context.Context) error {
	select {
	case b.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *bucket) unlock() { <-b.turn }

// take takes keys for an owner, and reports whether it had some of them
// already.
func (b *bucket) take(ctx context.Context, o owner, keys []key) (again bool, err error) {
	if err := b.lock(ctx); err != nil {
		return false, err
	}
	defer b.unlock()
	for fresh := false; ; {
		if err := b.know(ctx); err != nil {
			return again, err
		}
		mine, other := b.whose(o, keys)
		again = again || mine > 0
		switch {
		case mine == len(keys):
			return again, nil
		case other != nil && fresh:
			return again, &eventstore.Replayed{Key: other.key}
		case other != nil: // it may have been given back meanwhile
			if err := b.update(ctx); err != nil {
				return again, err
			}
			fresh = true
			continue
		}
		err := b.add(ctx, entryTaken, o, keys)
		if !errors.Is(err, eventstore.ErrConflict) {
			return again, err
		}
		fresh = true
	}
}

// whose counts the keys that o has, and returns one that somebody else has.
func (b *bucket) whose(o owner, keys []key) (mine int, other *key) {
	now := b.log.now().UnixNano()
	for i, k := range keys {
		switch u, there := b.taken[k.key]; {
		case !there || u.expires <= now:
		case u.owner == o:
			mine++
		default:
			other = &keys[i]
		}
	}
	return mine, other
}

// release gives keys back that their owner has.
func (b *bucket) release(ctx context.Context, o owner, keys []key) error {
	if err := b.lock(ctx); err != nil {
		return err
	}
	defer b.unlock()
	for {
		if err := b.know(ctx); err != nil {
			return err
		}
		if mine, _ := b.whose(o, keys); mine == 0 {
			return nil
		}
		if err := b.add(ctx, entryReleased, o, keys); !errors.Is(err, eventstore.ErrConflict) {
			return err
		}
	}
}

// add appends an entry. After a conflict the bucket is known anew, and whoever
// called must judge again.
func (b *bucket) add(ctx context.Context, typ string, o owner, keys []key) error {
	e := entry{Owner: o[:], Until: b.until}
	for _, k := range keys {
		e.Keys = append(e.Keys, entryKey{k.key[:], k.expires})
		e.Until = max(e.Until, k.expires)
	}
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	event := esdb.EventData{EventID: uuid.New(), EventType: typ, ContentType: esdb.ContentTypeJson, Data: data}
	last, err := b.log.put(ctx, batch{b.name, b.last, []esdb.EventData{event}})
	switch {
	case errors.Is(err, eventstore.ErrConflict):
		if failure := b.catchUp(ctx); failure != nil {
			return failure
		}
		return err
	case err != nil:
		b.stale = true
		return err
	}
	b.last = last
	b.apply(typ, e)
	return nil
}

// catchUp reads what others have added. If nothing is to be read although the
// stream has moved, all of its entries have expired: a new one tells where it
// is.
func (b *bucket) catchUp(ctx context.Context) error {
	before := b.last
	if err := b.update(ctx); err != nil || b.last != before {
		return err
	}
	mark := esdb.EventData{EventID: uuid.New(), EventType: entryReleased, ContentType: esdb.ContentTypeJson, Data: []byte("{}")}
	_, err := persist(ctx, b.log, func(ctx context.Context, c *esdb.Client) (*esdb.WriteResult, error) {
		return c.AppendToStream(ctx, b.name, esdb.AppendToStreamOptions{ExpectedRevision: esdb.Any{}}, mark)
	})
	b.loaded = false
	return err
}

// apply folds an entry in.
func (b *bucket) apply(typ string, e entry) {
	o := owner(e.Owner)
	for _, k := range e.Keys {
		id := [32]byte(k.Key)
		switch {
		case typ == entryTaken:
			b.taken[id] = use{o, k.Expires}
		case b.taken[id].owner == o:
			delete(b.taken, id)
		}
	}
	b.until = max(b.until, e.Until)
	b.sweep()
}

// sweep drops keys that have expired, each time that there are twice as many.
func (b *bucket) sweep() {
	if len(b.taken) < b.crowded {
		return
	}
	now := b.log.now().UnixNano()
	for k, u := range b.taken {
		if u.expires <= now {
			delete(b.taken, k)
		}
	}
	b.crowded = max(minCrowd, 2*len(b.taken))
}

// know reads the bucket if this node has not done so yet: backwards, to the
// first entry before which every key has expired.
func (b *bucket) know(ctx context.Context) error {
	switch {
	case b.loaded && b.stale:
		return b.update(ctx)
	case b.loaded:
		return nil
	}
	now := b.log.now().UnixNano()
	var entries []*esdb.RecordedEvent
	from := esdb.StreamPosition(esdb.End{})
	for more := true; more; {
		p, err := b.log.readStream(ctx, b.name, esdb.ReadStreamOptions{Direction: esdb.Backwards, From: from}, allPage)
		if err != nil {
			return err
		}
		more = p.more
		for _, r := range p.events {
			e, err := parseEntry(r)
			if err != nil {
				return err
			}
			entries = append(entries, r)
			if r.EventNumber == 0 || r.EventType == entryTaken && e.Until <= now {
				more = false
				break
			}
			from = esdb.Revision(r.EventNumber - 1)
		}
	}
	if !b.limited {
		b.limit(ctx)
	}
	b.last, b.taken, b.until = eventstore.NoRevision, map[[32]byte]use{}, 0
	for i := len(entries) - 1; i >= 0; i-- {
		if err := b.read(entries[i]); err != nil {
			return err
		}
	}
	b.loaded = true
	return nil
}

// update reads what was added since.
func (b *bucket) update(ctx context.Context) error {
	for more := true; more; {
		p, err := b.log.readStream(ctx, b.name, esdb.ReadStreamOptions{From: esdb.Revision(uint64(b.last + 1))}, allPage)
		if err != nil {
			return err
		}
		more = p.more
		for _, r := range p.events {
			if err := b.read(r); err != nil {
				return err
			}
		}
	}
	b.stale = false
	return nil
}

func (b *bucket) read(r *esdb.RecordedEvent) error {
	e, err := parseEntry(r)
	if err != nil {
		return err
	}
	b.last = eventstore.Revision(r.EventNumber)
	b.apply(r.EventType, e)
	return nil
}

// limit lets the server drop entries once they are of no use, unless it was told
// before. Whether it worked is no matter of safety; if not, it is told again
// when the bucket is next read whole.
func (b *bucket) limit(ctx context.Context) {
	m := esdb.StreamMetadata{}
	m.SetMaxAge(maxKeyLife + time.Hour)
	ctx, done := context.WithTimeout(ctx, b.log.oneTry())
	defer done()
	_, err := call(ctx, b.log.clients, func(ctx context.Context, c *esdb.Client) (*esdb.WriteResult, error) {
		return c.SetStreamMetadata(ctx, b.name, esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}}, m)
	})
	v := classify(err)
	if b.limited = v == fine || v == conflict; !b.limited {
		b.log.log.Warn("replay keys will not be dropped by the server", "bucket", b.name, "err", err)
	}
}
