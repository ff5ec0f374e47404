package standin

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/status"
)

// An Effect is what a fault does that is more than a refusal.
type Effect string

const (
	// Silent leaves the call open and mute until the caller gives it up.
	Silent Effect = "silent"
	// Drop cuts the caller's connection, and every other call on it.
	Drop Effect = "connection dropped"
	// Crash kills the node at once.
	Crash Effect = "node crashed"
	// DiskFull lets a commit fail as it does when nothing can be written: the
	// leader ends itself, and who waits for it is not answered.
	DiskFull Effect = "disk full"
	// ToLeader refuses with the address of the leader.
	ToLeader Effect = "not leader"
)

func (e Effect) Error() string { return string(e) }

// slow is the result of Slow.
type slow time.Duration

func (s slow) Error() string { return "slow" }

// Slow delays what happens, and lets it happen.
func Slow(d time.Duration) error { return slow(d) }

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
