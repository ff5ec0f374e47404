package watermill

import (
	"errors"
	"net/url"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	maxBreakers = 1_024
	tripsAfter  = 10              // failures in a row
	staysOpen   = 2 * time.Second // until the next probe
)

// breakers stop sending to receivers that do not answer, so that who does is
// not kept waiting, and who comes back is not run over. There is one for each
// receiver that was sent to lately.
type breakers struct {
	mu  sync.Mutex
	all map[string]*gobreaker.TwoStepCircuitBreaker[any]
}

func newBreakers() *breakers {
	return &breakers{all: map[string]*gobreaker.TwoStepCircuitBreaker[any]{}}
}

// What was learned of a receiver, if not that it answers.
var (
	errNoAnswer = errors.New("the receiver did not answer, or failed")
	errNothing  = errors.New("nothing was sent")
)

// state is that of a receiver's breaker.
func (b *breakers) state(receiver string) gobreaker.State {
	b.mu.Lock()
	defer b.mu.Unlock()
	if one, found := b.all[receiver]; found {
		return one.State()
	}
	return gobreaker.StateClosed
}

// allow reports whether something may be sent to a receiver now. Then done must
// be told what was learned of it.
func (b *breakers) allow(receiver string) (done func(error), allowed bool) {
	done, err := b.of(receiver).Allow()
	return done, err == nil
}

func (b *breakers) of(receiver string) *gobreaker.TwoStepCircuitBreaker[any] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if one, found := b.all[receiver]; found {
		return one
	}
	if len(b.all) >= maxBreakers {
		b.makeRoom()
	}
	one := gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		Timeout:     staysOpen,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tripsAfter },
		IsExcluded:  func(err error) bool { return errors.Is(err, errNothing) },
	})
	b.all[receiver] = one
	return one
}

// makeRoom forgets a breaker, one that is closed if there is any: what it would
// lose is a count of failures.
func (b *breakers) makeRoom() {
	for receiver, one := range b.all {
		if one.State() == gobreaker.StateClosed {
			delete(b.all, receiver)
			return
		}
	}
	for receiver := range b.all {
		delete(b.all, receiver)
		return
	}
}

func (b *breakers) open() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range b.all {
		if one.State() != gobreaker.StateClosed {
			n++
		}
	}
	return n
}

// origin is the part of a URL that tells receivers apart.
func origin(receiver string) string {
	u, err := url.Parse(receiver)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
