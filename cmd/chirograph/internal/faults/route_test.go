package faults

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// A balancer stands before the nodes, as the one of a bank does that ends TLS.
type balancer struct {
	names    []string
	carriers []http.RoundTripper // to each node
	turn     atomic.Uint64
}

// answerTime is how long a client waits.
const answerTime = 5 * time.Second

// balanced is a balancer over nodes that listen.
func balanced(all []*node) *balancer {
	b := &balancer{}
	for _, n := range all {
		b.names = append(b.names, n.name)
		b.carriers = append(b.carriers, carrier{n.public, &http.Transport{DisableKeepAlives: true}})
	}
	return b
}

// next is the node whose turn it is.
func (b *balancer) next() int { return int(b.turn.Add(1) % uint64(len(b.names))) }

// A carrier brings requests for the bank to one node, without TLS.
type carrier struct {
	address string
	inner   http.RoundTripper
}

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) {
	to := r.Clone(r.Context())
	to.Host = r.URL.Host
	to.URL.Scheme, to.URL.Host = "http", c.address
	return c.inner.RoundTrip(to)
}

// A trip is the way of one operation: to which node, and the last status.
type trip struct {
	node   int
	status atomic.Int64
}

type tripKey struct{}

func (t *trip) context(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithValue(ctx, tripKey{}, t), answerTime)
}

// RoundTrip goes where the operation goes. The steps of a browser go round, and
// what a node does not take the next one gets.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	t, ok := r.Context().Value(tripKey{}).(*trip)
	if !ok {
		t = &trip{node: everywhere}
	}
	at := t.node
	if at == everywhere {
		at = b.next()
	}
	t.status.Store(0)
	answer, err := b.carriers[at].RoundTrip(r)
	if failed, ok := errors.AsType[*net.OpError](err); ok && failed.Op == "dial" && t.node == everywhere {
		answer, err = b.carriers[b.next()].RoundTrip(again(r))
	}
	if err == nil {
		t.status.Store(int64(answer.StatusCode))
	}
	return answer, err
}

// again is a request that was not sent.
func again(r *http.Request) *http.Request {
	fresh := r.Clone(r.Context())
	if r.GetBody != nil {
		fresh.Body, _ = r.GetBody() // a reader of what is in memory
	}
	return fresh
}
