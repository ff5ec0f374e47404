// Package turn lets many callers wait for the one writer of a log. A call that
// waits is either taken by the writer or withdrawn by its caller, never both:
// who withdraws knows that nothing was written, and who cannot any more does
// not know the outcome until the writer answers.
package turn

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/chirograph/chirograph/eventstore"
)

// A Call is what a caller waits with. What it asks for is in the struct that
// embeds it. Begin comes first.
type Call struct {
	// What the caller will be told. They belong to the writer until Answer.
	Receipts []eventstore.Receipt
	Err      error

	settled  atomic.Bool
	answered chan struct{}
}

// Begin makes c ready to wait.
func (c *Call) Begin() { c.answered = make(chan struct{}) }

// Take reports whether the caller still waits and can no longer withdraw.
func (c *Call) Take() bool { return c.settled.CompareAndSwap(false, true) }

// PutBack lets a call that was taken wait again, and be withdrawn.
func (c *Call) PutBack() { c.settled.Store(false) }

// withdraw reports whether the call will never be carried out.
func (c *Call) withdraw() bool { return c.settled.CompareAndSwap(false, true) }

// Answer tells the caller what is in Receipts and Err. It is called once.
func (c *Call) Answer() { close(c.answered) }

// Refuse tells the caller that nothing came of the call but err.
func (c *Call) Refuse(err error) {
	c.Receipts, c.Err = nil, err
	c.Answer()
}

// Answered is closed by Answer.
func (c *Call) Answered() <-chan struct{} { return c.answered }

// Wait puts a call into the queue of a writer and returns what it is told. If
// ctx ends first, nothing was written, or the outcome is unknown because the
// writer has taken the call. ended is closed when the writer takes no more:
// [eventstore.ErrClosed].
func Wait[R any](ctx context.Context, queue chan<- R, r R, c *Call, ended <-chan struct{}) ([]eventstore.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case queue <- r:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-ended:
		return nil, eventstore.ErrClosed
	}
	select {
	case <-c.answered:
	case <-ctx.Done():
		if c.withdraw() {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: %w", eventstore.ErrUnknownOutcome, ctx.Err())
	case <-ended:
		if c.withdraw() {
			return nil, eventstore.ErrClosed
		}
		<-c.answered
	}
	return c.Receipts, c.Err
}
