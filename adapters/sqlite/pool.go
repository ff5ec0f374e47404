package sqlite

import (
	"context"
	"sync"

	"github.com/chirograph/chirograph/eventstore"

	"zombiezen.com/go/sqlite"
)

// readConns bounds how many reads run at once; each has its own page cache.
const readConns = 4

// A pool keeps read connections. They are opened when first needed and held
// for one page of a read, never while a caller looks at events, so that reads
// inside of reads cannot starve each other.
type pool struct {
	path   string
	tokens chan struct{}

	mu     sync.Mutex
	idle   []*sqlite.Conn
	closed bool
}

func newPool(path string) (*pool, error) {
	c, err := openReader(path)
	if err != nil {
		return nil, err
	}
	p := &pool{path: path, tokens: make(chan struct{}, readConns), idle: []*sqlite.Conn{c}}
	return p, nil
}

func (p *pool) get(ctx context.Context) (*sqlite.Conn, error) {
	select {
	case p.tokens <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c, err := p.take()
	if err != nil {
		<-p.tokens
	}
	return c, err
}

func (p *pool) take() (*sqlite.Conn, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, eventstore.ErrClosed
	}
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return c, nil
	}
	p.mu.Unlock()
	return openReader(p.path)
}

func (p *pool) put(c *sqlite.Conn) {
	p.mu.Lock()
	p.idle = append(p.idle, c)
	p.mu.Unlock()
	<-p.tokens
}

// close waits for the reads under way.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	for range cap(p.tokens) {
		p.tokens <- struct{}{}
	}
	for _, c := range p.idle {
		c.Close()
	}
	p.idle = nil
	for range cap(p.tokens) {
		<-p.tokens
	}
}
