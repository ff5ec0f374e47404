package turn_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/chirograph/chirograph/adapters/internal/turn"
	"github.com/chirograph/chirograph/eventstore"
)

// A desk is a writer's queue, and a caller at it.
type desk struct {
	queue chan *turn.Call
	ended chan struct{}
	told  chan error
	call  turn.Call
}

func wait(ctx context.Context, length int) *desk {
	d := &desk{queue: make(chan *turn.Call, length), ended: make(chan struct{}), told: make(chan error, 1)}
	d.call.Begin()
	go func() {
		_, err := turn.Wait(ctx, d.queue, &d.call, &d.call, d.ended)
		d.told <- err
	}()
	synctest.Wait()
	return d
}

func TestWait(t *testing.T) {
	failed := errors.New("the disk is full")
	tests := []struct {
		name   string
		length int // of the queue
		do     func(d *desk, giveUp func())
		want   error
		not    error
	}{
		{"a caller is told what was written", 1, func(d *desk, _ func()) { (<-d.queue).Take(); d.call.Answer() }, nil, nil},
		{"and why nothing was", 1, func(d *desk, _ func()) { (<-d.queue).Take(); d.call.Refuse(failed) }, failed, nil},
		{"who gives up before the queue has room knows the outcome", 0, func(_ *desk, giveUp func()) { giveUp() }, context.Canceled, eventstore.ErrUnknownOutcome},
		{"so does who gives up in the queue", 1, func(_ *desk, giveUp func()) { giveUp() }, context.Canceled, eventstore.ErrUnknownOutcome},
		{"not who gives up once it is taken", 1, func(d *desk, giveUp func()) { (<-d.queue).Take(); giveUp() }, eventstore.ErrUnknownOutcome, nil},
		{"but who was put back does", 1, func(d *desk, giveUp func()) { (<-d.queue).Take(); d.call.PutBack(); giveUp() }, context.Canceled, eventstore.ErrUnknownOutcome},
		{"a writer that ends refuses who waits for room", 0, func(d *desk, _ func()) { close(d.ended) }, eventstore.ErrClosed, nil},
		{"and who waits in the queue", 1, func(d *desk, _ func()) { close(d.ended) }, eventstore.ErrClosed, nil},
		{"but answers whom it took", 1, func(d *desk, _ func()) { (<-d.queue).Take(); close(d.ended); synctest.Wait(); d.call.Refuse(failed) }, failed, eventstore.ErrClosed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, giveUp := context.WithCancel(t.Context())
				defer giveUp()
				d := wait(ctx, tt.length)
				tt.do(d, giveUp)
				err := <-d.told
				if !errors.Is(err, tt.want) || tt.not != nil && errors.Is(err, tt.not) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
			})
		})
	}
}

func TestWhoHasGivenUpDoesNotQueue(t *testing.T) {
	ctx, giveUp := context.WithCancel(t.Context())
	giveUp()
	queue := make(chan *turn.Call, 1)
	var c turn.Call
	c.Begin()
	if _, err := turn.Wait(ctx, queue, &c, &c, nil); !errors.Is(err, context.Canceled) || len(queue) != 0 {
		t.Errorf("got %v with %d in the queue", err, len(queue))
	}
}

// What is withdrawn is never taken, and the other way round.
func TestOneOfTheTwo(t *testing.T) {
	for range 500 {
		ctx, giveUp := context.WithCancel(t.Context())
		queue := make(chan *turn.Call, 1)
		var c turn.Call
		c.Begin()
		told := make(chan error, 1)
		go func() {
			_, err := turn.Wait(ctx, queue, &c, &c, nil)
			told <- err
		}()
		waits := <-queue
		taken := make(chan bool)
		go func() {
			took := waits.Take()
			if took {
				waits.Answer()
			}
			taken <- took
		}()
		giveUp()
		took, err := <-taken, <-told
		withdrawn := errors.Is(err, context.Canceled) && !errors.Is(err, eventstore.ErrUnknownOutcome)
		if took == withdrawn {
			t.Fatalf("taken %v, withdrawn %v: %v", took, withdrawn, err)
		}
	}
}
