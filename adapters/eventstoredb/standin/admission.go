package standin

import (
	"context"
	"encoding/base64"
	"strings"

	"google.golang.org/grpc/metadata"
)

// authenticate refuses wrong passwords. Callers without one are let through:
// discovery is for everybody.
func (n *Node) authenticate(ctx context.Context) error {
	given := metadata.ValueFromIncomingContext(ctx, "authorization")
	if n.cluster.options.User == "" || len(given) == 0 {
		return nil
	}
	pair, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(given[0], "Basic "))
	if err != nil || string(pair) != n.cluster.options.User+":"+n.cluster.options.Password {
		return unauthenticated
	}
	return nil
}

// admit is what every call of the Streams service passes when its first
// message has come.
func (n *Node) admit(ctx context.Context, stream string) error {
	md, _ := metadata.FromIncomingContext(ctx)
	n.header.Store(&md)
	if n.cluster.options.User != "" && len(md.Get("authorization")) == 0 {
		return Denied
	}
	return n.hit(ctx, AnyCall, stream, 0)
}

// mayRead refuses reads while the node goes down, and those that want the
// leader. A node without a leader serves others.
func (n *Node) mayRead(ctx context.Context) error {
	if serves, _ := n.serving(); !serves {
		return NotReady
	}
	if n.wantsLeader(ctx) {
		return n.cluster.notLeader()
	}
	return nil
}

// mayWrite refuses writes without a leader. A follower hands others on to the
// leader, unless the caller wants it to lead.
func (n *Node) mayWrite(ctx context.Context) error {
	if serves, _ := n.serving(); !serves || n.cluster.Leader() < 0 {
		return NotReady
	}
	if n.wantsLeader(ctx) {
		return n.cluster.notLeader()
	}
	return nil
}

// wantsLeader reports whether a caller asked for the leader and got another.
func (n *Node) wantsLeader(ctx context.Context) bool {
	v := metadata.ValueFromIncomingContext(ctx, "requires-leader")
	return len(v) > 0 && strings.EqualFold(v[0], "true") && n.cluster.Leader() != n.index
}
