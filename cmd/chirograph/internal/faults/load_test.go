package faults

import (
	"context"
	"math/rand/v2"
	"net/url"
	"sync"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
)

// A load plays clients against all nodes until it is stopped.
type load struct {
	*players
	stop    context.CancelFunc
	workers sync.WaitGroup
	gate    sync.RWMutex // held by whoever wants silence
}

// Workers of a load, and how long each rests after a request, so that the
// machine is busy and not drowned.
const (
	journeying = 4
	collecting = 3 // one at each node
	rest       = 15 * time.Millisecond
)

func (p *players) load(seed uint64) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{players: p, stop: stop}
	for i := range journeying + collecting {
		w := l.worker(seed, i)
		what := w.journey
		if i >= journeying {
			what, w.choose = w.collect, func() int { return i - journeying }
		}
		l.workers.Go(func() { w.again(ctx, what) })
	}
	return l
}

func (l *load) worker(seed uint64, i int) *worker {
	w := &worker{load: l, random: rand.New(rand.NewPCG(seed, uint64(i))), person: l.person(i), choose: l.over.next, races: 3}
	if i%2 == 1 {
		w.choose = func() int { return w.random.IntN(len(l.over.names)) }
	}
	return w
}

func (l *load) end() {
	l.stop()
	l.workers.Wait()
}

// A worker does one thing after the other.
type worker struct {
	*load
	random *rand.Rand
	person *person
	choose func() int // the node that is asked first
	races  int        // one code in so many is raced for, 0 for none
}

func (w *worker) again(ctx context.Context, what func(context.Context)) {
	for ctx.Err() == nil {
		what(ctx)
	}
}

const (
	attempts  = 40
	firstRest = 50 * time.Millisecond
	lastRest  = time.Second
)

// step tries until there is an answer, each time at another node, as clients
// behind a balancer do. What was begun is finished even if the load ends.
func (w *worker) step(ctx context.Context, try func(ctx context.Context, at int, o operation) operation) (ok bool) {
	at, again := w.choose(), firstRest
	for attempt := 1; attempt <= attempts; attempt++ {
		w.gate.RLock()
		o := try(context.WithoutCancel(ctx), (at+attempt-1)%len(w.over.names), operation{Attempt: attempt})
		w.gate.RUnlock()
		if o.Outcome != unknown {
			pause(ctx, rest)
			return o.Outcome == accepted
		}
		if attempt > 1 {
			if !pause(ctx, again) {
				return false
			}
			again = min(2*again, lastRest)
		}
	}
	return false
}

// collect gets a token for the client itself, and mostly ends it.
func (w *worker) collect(ctx context.Context) {
	var token string
	if !w.step(ctx, func(ctx context.Context, at int, o operation) operation {
		o, token = w.credentials(ctx, at, o)
		return o
	}) {
		return
	}
	w.look(ctx, token)
	if w.random.IntN(2) == 0 {
		w.finish(ctx, operation{Token: jti(token)}, token, token)
	}
}

// look asks a resource server's question at some node.
func (w *worker) look(ctx context.Context, token string) {
	w.step(ctx, func(ctx context.Context, at int, o operation) operation { return w.introspect(ctx, at, o, token) })
}

// finish revokes a token and looks whether another has ended with it.
func (w *worker) finish(ctx context.Context, what operation, presented, ended string) {
	if w.step(ctx, func(ctx context.Context, at int, o operation) operation {
		o.Token, o.Refresh = what.Token, what.Refresh
		return w.revoke(ctx, at, o, presented)
	}) {
		w.look(ctx, ended)
	}
}

// journey goes from the pushed request to the revocation of the refresh token,
// or to a race for its code.
func (w *worker) journey(ctx context.Context) {
	var request story.Request
	var answer url.Values
	ok := w.step(ctx, func(ctx context.Context, at int, o operation) operation {
		o, request = w.push(ctx, at, o, nil)
		return o
	}) && w.step(ctx, func(ctx context.Context, _ int, o operation) operation {
		o, answer = w.approve(ctx, w.person, o, request)
		return o
	})
	if !ok {
		return
	}
	if w.races > 0 && w.random.IntN(w.races) == 0 {
		w.race(ctx, request, answer)
		return
	}
	var got story.Tokens
	if w.step(ctx, func(ctx context.Context, at int, o operation) operation {
		o.Journey = journeyOf(request.URL)
		o, got = w.redeem(ctx, at, o, request, answer)
		return o
	}) {
		w.use(ctx, got)
	}
}

func (w *worker) use(ctx context.Context, got story.Tokens) {
	w.look(ctx, got.Access)
	token := got.Access
	if !w.step(ctx, func(ctx context.Context, at int, o operation) operation {
		var fresh string
		if o, fresh = w.refresh(ctx, at, o, got.Refresh); fresh != "" {
			token = fresh
		}
		return o
	}) {
		return
	}
	w.look(ctx, token)
	w.finish(ctx, operation{Refresh: identity(got.Refresh)}, got.Refresh, token)
	w.look(ctx, got.Access)
}

// race presents a code at all nodes at once, twice at one of them.
func (w *worker) race(ctx context.Context, request story.Request, answer url.Values) {
	w.gate.RLock()
	defer w.gate.RUnlock()
	first := w.choose()
	var racers sync.WaitGroup
	for i := range len(w.over.names) + 1 {
		at := (first + i) % len(w.over.names)
		racers.Go(func() {
			o := operation{Attempt: 1, Journey: journeyOf(request.URL)}
			o, got := w.redeem(context.WithoutCancel(ctx), at, o, request, answer)
			if o.Outcome == accepted {
				w.introspect(context.WithoutCancel(ctx), (at+1)%len(w.over.names), operation{Attempt: 1}, got.Access)
			}
		})
	}
	racers.Wait()
}
