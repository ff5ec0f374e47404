package standin

import "sync/atomic"

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
