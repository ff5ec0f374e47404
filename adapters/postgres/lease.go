package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Lead runs f whenever this holder is the leader of a name, until ctx ends:
// of all nodes one at a time. The context of f ends as soon as another node
// could lead, which is ttl after the last renewal that succeeded; f is to
// return then. The database's clock alone says when a lease has run out, so a
// node that was paused, or whose clock is wrong, does not lead beside another
// once it looks at its context.
//
// When f returns, or ctx ends, the lease is given back, and others follow.
// Each call of Lead is a holder of its own, even under the same name.
func (n *Nodes) Lead(ctx context.Context, name, holder string, ttl time.Duration, f func(context.Context)) {
	n.leading.Add(1)
	defer n.leading.Done()
	ctx, done := context.WithCancel(ctx)
	defer done()
	defer context.AfterFunc(n.ended, done)()
	l := lease{nodes: n, name: name, holder: holder + "/" + uuid.NewString(), ttl: ttl}
	for ctx.Err() == nil {
		if until, held, _ := l.ask(ctx); held { // whoever is not told that it leads does not
			l.lead(ctx, until, f)
			l.giveBack()
		}
		pause(ctx, ttl/3)
	}
}

type lease struct {
	nodes        *Nodes
	name, holder string
	ttl          time.Duration
}

// lead runs f and renews the lease meanwhile.
func (l lease) lead(ctx context.Context, until time.Time, f func(context.Context)) {
	t := newTerm(ctx, until)
	defer t.end()
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		f(t)
	}()
	tick := time.NewTicker(l.ttl / 3)
	defer tick.Stop()
	for t.Err() == nil {
		select {
		case <-tick.C:
			until, held, err := l.ask(t)
			switch {
			case held:
				t.prolong(until)
			case err == nil: // somebody else leads
				t.end()
			}
		case <-t.Done():
		case <-returned:
			return
		}
	}
	<-returned
}

// ask takes the lease, or keeps it, and says until when: by our clock, and
// from before the request, so never later than the database thinks.
func (l lease) ask(ctx context.Context) (until time.Time, held bool, err error) {
	const take = `INSERT INTO lease(name, holder, expires) VALUES ($1, $2, clock_timestamp() + $3 * interval '1 microsecond')
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires
		WHERE lease.holder = excluded.holder OR lease.expires <= clock_timestamp()`
	ctx, done := context.WithTimeout(ctx, l.ttl/3)
	defer done()
	until = time.Now().Add(l.ttl)
	err = l.nodes.reach(ctx, func(ctx context.Context, c *pgx.Conn) error {
		tag, err := c.Exec(ctx, take, l.name, l.holder, l.ttl.Microseconds())
		held = tag.RowsAffected() == 1
		return err
	})
	return until, held && err == nil, err
}

// giveBack lets others follow at once. If it fails they wait until the lease
// has run out.
func (l lease) giveBack() {
	const end = "UPDATE lease SET expires = clock_timestamp() WHERE name = $1 AND holder = $2 AND expires > clock_timestamp()"
	ctx, done := context.WithTimeout(context.Background(), l.ttl/3)
	defer done()
	_ = l.nodes.once(ctx, func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, end, l.name, l.holder)
		return err
	})
}
