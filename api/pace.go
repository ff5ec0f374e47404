package api

import (
	"sync"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// paces know how often clients may poll for pending requests (CIBA, Section
// 11). They are this node's own, bounded, and forgotten when it ends: no
// decision depends on them, and whatever is answered is answered however early
// it is asked for.
type paces struct {
	mu    sync.Mutex
	of    map[string]*pace // by id of the request
	swept time.Time
}

// A pace is how fast one request may be polled for.
type pace struct {
	last     time.Time // when the poll before came
	interval time.Duration
	early    int  // polls that came too early
	held     bool // a poll is held until there is an answer
	until    time.Time
}

const (
	slower     = 5 * time.Second // is what slow_down adds, for all later polls
	tolerance  = 250 * time.Millisecond
	maxEarly   = 20
	maxPaces   = 100_000
	sweepPaces = time.Minute

	// defaultInterval is what a client assumes that was told none (CIBA,
	// Section 7.3).
	defaultInterval = 5 * time.Second
)

// poll notes a poll for a pending request, which expires at until, and refuses
// one that comes too early: each makes the next wait longer, and who does not
// listen is told to stop. The time is that between arrivals, which the network
// may shorten a little. It also tells whether the poll may be held; one for each
// request is, and whoever holds it ends that by release.
func (p *paces) poll(id string, interval time.Duration, until, now time.Time) (mayHold bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.of[id]
	if at == nil {
		at = p.add(id, &pace{interval: interval, until: until}, now)
	}
	soon := !at.last.IsZero() && now.Sub(at.last) < at.interval-tolerance
	at.last = now
	if !soon {
		return !at.held, nil
	}
	at.interval += slower
	if at.early++; at.early > maxEarly {
		return false, oauth.Refuse(oauth.InvalidRequest, "CIBA §11", "the client polls too fast again and again and must stop")
	}
	return false, oauth.Refuse(oauth.SlowDown, "CIBA §11", "the client polls too fast: the interval is 5 seconds longer from now on")
}

// hold notes that a poll is held, so that those that overlap it are not.
func (p *paces) hold(id string, held bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.of[id]
	if at == nil {
		return
	}
	at.held = held
}

// forget ends the pace of a request that is decided.
func (p *paces) forget(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.of, id)
}

// add makes room first: for what has expired, and if need be for any.
func (p *paces) add(id string, one *pace, now time.Time) *pace {
	if p.of == nil {
		p.of = map[string]*pace{}
	}
	if since := now.Sub(p.swept); since < 0 || since >= sweepPaces {
		p.swept = now
		for id, old := range p.of {
			if !now.Before(old.until) {
				delete(p.of, id)
			}
		}
	}
	for old := range p.of {
		if len(p.of) < maxPaces {
			break
		}
		delete(p.of, old)
	}
	p.of[id] = one
	return one
}
