package api

import (
	"context"
	"flag"
	"fmt"
	"iter"
	"os"
	"sync/atomic"
	"testing"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/storetest"
)

// nodesShare is true while the tests run on a log as nodes share it.
var nodesShare = false

// TestMain runs everything twice: on a log whose calls are all or nothing, as
// one node has it, and on one that does no more than its port promises.
func TestMain(m *testing.M) {
	code := m.Run()
	if flag.Lookup("test.fuzz").Value.String() == "" {
		nodesShare = true
		fmt.Println("and on a log that nodes share:")
		code = max(code, m.Run())
	}
	os.Exit(code)
}

// Engine is the log on which a test is to run, with the events of another.
func Engine(log eventstore.Log) eventstore.Log {
	if nodesShare {
		log = &Shared{Log: &storetest.Stepwise{Log: log}}
	}
	return log
}

// Shared is a log that numbers its events later: until somebody asks for the
// head. It is not [eventstore.Observable].
type Shared struct {
	eventstore.Log
	numbered atomic.Uint64
}

// Append returns receipts that say nothing of the place.
func (l *Shared) Append(ctx context.Context, appends ...eventstore.Append) ([]eventstore.Receipt, error) {
	receipts, err := l.Log.Append(ctx, appends...)
	for i := range receipts {
		receipts[i].Position, receipts[i].Leaf = eventstore.Unnumbered, -1
	}
	return receipts, err
}

// ReadStream yields events of which the last may be unnumbered.
func (l *Shared) ReadStream(ctx context.Context, s eventstore.Stream, from eventstore.Revision) iter.Seq2[eventstore.Event, error] {
	numbered := eventstore.Position(l.numbered.Load())
	return func(yield func(eventstore.Event, error) bool) {
		for e, err := range l.Log.ReadStream(ctx, s, from) {
			if e.Position > numbered {
				e.Position, e.Leaf = eventstore.Unnumbered, -1
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// Head numbers what is there.
func (l *Shared) Head(ctx context.Context) (eventstore.Position, error) {
	head, err := l.Log.Head(ctx)
	l.numbered.Store(uint64(head))
	return head, err
}
