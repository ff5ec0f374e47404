package standin

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/status"
)

// A Point is where a fault may strike.
type Point int

const (
	AnyCall             Point = iota // of the Streams service, when its first message has come
	AppendHeader                     // an append has named its stream; its events are not read yet
	BeforeCommit                     // an append or deletion, complete, not written
	AfterCommit                      // written, and not acknowledged yet
	ReadMessage                      // before message n of a read, from 0
	SubscriptionMessage              // before message n of a subscription; 0 confirms it
	Discovery                        // gossip, and the question for the server's features
)

// A Fault decides whether something fails: it returns nil, or one of the
// results below, or any error of gRPC. The stream of a read of everything is
// "$all", n counts the messages that the call has sent. Faults are called from
// many goroutines.
type Fault func(at Point, stream string, n int) error

var (
	// Silent leaves the call open and mute until the caller gives it up.
	Silent = errors.New("silent")
	// Drop cuts the caller's connection, and every other call on it.
	Drop = errors.New("connection dropped")
	// Crash kills the node at once.
	Crash = errors.New("node crashed")
	// DiskFull lets a commit fail as it does when nothing can be written: the
	// leader ends itself, and who waits for it is not answered.
	DiskFull = errors.New("disk full")
	// ToLeader refuses with the address of the leader.
	ToLeader = errors.New("not leader")
)

// slow is the result of Slow.
type slow time.Duration

func (s slow) Error() string { return "slow" }

// Slow delays what happens, and lets it happen.
func Slow(d time.Duration) error { return slow(d) }

// At is a fault at one point, on any stream, always.
func At(p Point, result error) Fault {
	return func(at Point, _ string, _ int) error {
		if at == p {
			return result
		}
		return nil
	}
}

// On limits a fault to one stream.
func On(stream string, f Fault) Fault {
	return func(at Point, s string, n int) error {
		if s == stream {
			return f(at, s, n)
		}
		return nil
	}
}

// Message limits a fault to message n of a read or a subscription.
func Message(n int, f Fault) Fault {
	return func(at Point, s string, i int) error {
		if i == n {
			return f(at, s, i)
		}
		return nil
	}
}

// Next is a fault that strikes as often as it says and no more: Next(3,
// At(AfterCommit, Silent)).
func Next(times int, f Fault) Fault {
	var left atomic.Int64
	left.Store(int64(times))
	return func(at Point, s string, n int) error {
		if left.Load() <= 0 {
			return nil
		}
		err := f(at, s, n)
		if err == nil || left.Add(-1) < 0 {
			return nil
		}
		return err
	}
}

// faults are what was injected into a node.
type faults struct {
	mu   sync.Mutex
	list atomic.Pointer[[]*Fault]
}

// inject adds a fault behind the others.
func (fs *faults) inject(f Fault) (heal func()) {
	fs.set(func(list []*Fault) []*Fault { return append(slices.Clone(list), &f) })
	return func() {
		fs.set(func(list []*Fault) []*Fault {
			return slices.DeleteFunc(slices.Clone(list), func(other *Fault) bool { return other == &f })
		})
	}
}

func (fs *faults) set(change func([]*Fault) []*Fault) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	var list []*Fault
	if old := fs.list.Load(); old != nil {
		list = *old
	}
	list = change(list)
	fs.list.Store(&list)
}

// hit lets the faults strike, in order, until one ends the call.
func (n *Node) hit(ctx context.Context, at Point, stream string, message int) error {
	list := n.faults.list.Load()
	if list == nil {
		return nil
	}
	for _, f := range *list {
		if err := n.suffer(ctx, (*f)(at, stream, message)); err != nil {
			return err
		}
	}
	return nil
}

// suffer does what the result of a fault says. Nil lets the call go on.
func (n *Node) suffer(ctx context.Context, result error) error {
	var s slow
	switch {
	case errors.As(result, &s):
		select {
		case <-time.After(time.Duration(s)):
			return nil
		case <-ctx.Done():
		}
	case errors.Is(result, Silent):
		<-ctx.Done()
	case errors.Is(result, Drop):
		n.sockets.cut(caller(ctx))
		<-ctx.Done()
	case errors.Is(result, Crash):
		go n.Kill()
		<-ctx.Done()
	case errors.Is(result, DiskFull):
		if i := n.cluster.Leader(); i >= 0 {
			go n.cluster.nodes[i].Kill()
		}
		<-ctx.Done()
	case errors.Is(result, ToLeader):
		return n.cluster.notLeader()
	default:
		return result
	}
	return status.FromContextError(ctx.Err()).Err()
}
