package platform

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb"
	"github.com/chirograph/chirograph/adapters/postgres"

	"golang.org/x/sync/errgroup"
)

// numbered is a log whose leaves are numbered beside it, by one node at a time.
type numbered struct {
	*eventstoredb.Log
	table *postgres.Table
}

func (p *Platform) openEventStoreDB(ctx context.Context) error {
	if err := p.openShared(ctx); err != nil {
		return err
	}
	url, err := p.Config.Store.EventStoreDBURL()
	if err != nil {
		return err
	}
	table, err := p.openTable(ctx)
	if err != nil {
		return err
	}
	log, err := eventstoredb.Open(ctx, eventstoredb.Options{
		URL: url, Table: table, ID: table.ID(), Now: p.Now, Log: p.Options.Log, Metrics: p.Metrics,
	})
	if err != nil {
		return errors.Join(err, table.Close())
	}
	p.Log = numbered{log, table}
	return nil
}

func (p *Platform) openTable(ctx context.Context) (*postgres.Table, error) {
	o := postgres.TableOptions{URL: p.shared.url, ID: p.id, ReadOnly: p.ReadOnly || !p.Create}
	table, err := postgres.OpenTable(ctx, o)
	if err == nil && o.ReadOnly && !p.ReadOnly { // it is there, so opening it makes nothing
		if err = table.Close(); err == nil {
			o.ReadOnly = false
			table, err = postgres.OpenTable(ctx, o)
		}
	}
	if errors.Is(err, postgres.ErrNoLog) {
		err = errNoShared
	}
	return table, err
}

func (n numbered) Close() error { return errors.Join(n.Log.Close(), n.table.Close()) }

// Halted is also why nothing can be numbered.
func (n numbered) Halted() error { return errors.Join(n.Log.Halted(), n.table.Halted()) }

// number adds leaves as events come, until ctx ends. It returns an error only
// if the log turns out to be altered, or not the one that was numbered.
func (n numbered) number(ctx context.Context) error {
	if err := n.Follow(ctx); ctx.Err() == nil {
		return err
	}
	return nil
}

// complete returns when everything that was acknowledged before the call is
// numbered, by whoever does so.
func (n numbered) complete(ctx context.Context) error {
	head, err := n.Head(ctx)
	if err != nil {
		return err
	}
	if reached, err := n.reaches(ctx, int64(head), time.Second); reached || err != nil {
		return err
	}
	ctx, done := context.WithCancel(ctx) // no node governs
	var numbering errgroup.Group
	numbering.Go(func() error { return n.number(ctx) })
	reached, err := n.reaches(ctx, int64(head), numberingTime)
	done()
	if err = errors.Join(err, numbering.Wait()); err == nil && !reached {
		err = fmt.Errorf("not all of the log could be numbered in %s", numberingTime)
	}
	return err
}

// numberingTime bounds how long somebody waits for the numbering of what was
// just written.
const numberingTime = time.Minute

// reaches waits until a size is numbered.
func (n numbered) reaches(ctx context.Context, size int64, atMost time.Duration) (bool, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(atMost); ; {
		have, err := n.Size(ctx)
		if err != nil || have >= size {
			return err == nil, err
		}
		select {
		case <-tick.C:
		case <-deadline:
			return false, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
}
