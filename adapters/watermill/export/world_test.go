package export_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/watermill/export"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"

	"github.com/google/uuid"
)

const patience = 30 * time.Second

// A desk is a log whose events are exported to one target.
type desk struct {
	*testing.T
	export *export.Export
	log    *memory.Log
	kept   *kept
	mu     sync.Mutex
	said   []error
}

func newDesk(t *testing.T, to export.Target) *desk {
	d := &desk{T: t, log: memory.New(time.Now), kept: &kept{at: map[string]eventstore.Position{}}}
	d.export = &export.Export{Name: "e", Target: to, Log: d.log, Checkpoints: d.kept, Failed: func(err error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.said = append(d.said, err)
	}}
	return d
}

// running exports until the test or the returned function ends it.
func (d *desk) running() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); d.export.Run(ctx) }()
	d.until("it runs", d.export.Running)
	end = sync.OnceFunc(func() { cancel(); <-ended })
	d.Cleanup(end)
	return end
}

// write appends events of several streams in turn.
func (d *desk) write(n int) {
	d.Helper()
	for i := range n {
		stream := eventstore.Stream([]string{"consent-a", "token-b", "consent-c"}[i%3])
		_, err := d.log.Append(context.Background(), eventstore.Append{Stream: stream, Expect: eventstore.Unchecked(), Events: []eventstore.Proposed{{
			ID: uuid.New(), Type: "thing.happened", Version: 1, Data: fmt.Appendf(nil, `{"n":%d,"sealed":{"holder":"subject:x","fields":{"name":"b2paque"}}}`, i), Meta: []byte(`{"iss":"x"}`),
		}}})
		if err != nil {
			d.Fatal(err)
		}
	}
}

// written are the events of the log.
func (d *desk) written() (all []eventstore.Event) {
	d.Helper()
	for e, err := range d.log.ReadAll(context.Background(), 0, eventstore.Filter{}) {
		if err != nil {
			d.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// until waits until something holds.
func (d *desk) until(what string, holds func() bool) {
	d.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.Fatalf("never: %s; failed: %v", what, errors.Join(d.said...))
		}
		<-time.After(5 * time.Millisecond)
	}
}

// caughtUp waits until the target has everything.
func (d *desk) caughtUp() {
	d.Helper()
	d.until("everything is exported", func() bool {
		behind, err := d.export.Behind(context.Background())
		return err == nil && behind == 0
	})
}

func (d *desk) failures() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.said)
}

// kept are checkpoints in memory.
type kept struct {
	mu sync.Mutex
	at map[string]eventstore.Position
}

func (k *kept) Begin(_ context.Context, name string, head eventstore.Position) (eventstore.Position, bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	at, known := k.at[name]
	if known && at <= head {
		return at, false, nil
	}
	k.at[name] = head
	return head, true, nil
}

func (k *kept) Save(_ context.Context, name string, at eventstore.Position) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.at[name] = max(k.at[name], at)
	return nil
}

// back puts the checkpoint back, as a crash before it was saved does.
func (k *kept) back(to eventstore.Position) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for name := range k.at {
		k.at[name] = to
	}
}
