package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

// refusals counts what authenticated clients were refused, one event a clause
// and minute. A crash loses at most the running minute. Each node counts its
// own, and the counts add up.
type refusals struct {
	mu     sync.Mutex
	counts map[refusalKey]int
}

type refusalKey struct {
	issuer, who, endpoint, code, clause string
	customer                            bool // who is a subject, not a client
	minute                              time.Time
}

const maxRefusals = 10_000

func (r *refusals) count(issuer, client, endpoint string, e *oauth.Error, at time.Time) {
	r.add(refusalKey{issuer, client, endpoint, string(e.Code), string(e.By), false, at.UTC().Truncate(time.Minute)})
}

// countLogin counts a failed login of a customer.
func (r *refusals) countLogin(issuer, subject, endpoint string, e *oauth.Error, at time.Time) {
	r.add(refusalKey{issuer, subject, endpoint, string(e.Code), string(e.By), true, at.UTC().Truncate(time.Minute)})
}

func (r *refusals) add(key refusalKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = map[refusalKey]int{}
	}
	if _, known := r.counts[key]; known || len(r.counts) < maxRefusals {
		r.counts[key]++
	}
}

// FlushRefusals appends the refusals of the minutes before now. Call it every
// minute, and at shutdown with a time past the running one. What could not be
// recorded is kept for the next call.
func (s *Server) FlushRefusals(ctx context.Context, now time.Time) error {
	due := s.refusals.before(now.UTC().Truncate(time.Minute))
	for key, count := range due {
		m := event.Meta{Issuer: key.issuer, Actor: event.ActorSystem, Client: key.who, Software: s.Software}
		if key.customer {
			m.Client, m.Subject = "", key.who
		}
		e := access.Refused{Endpoint: key.endpoint, Code: key.code, Clause: key.clause, Minute: key.minute, Count: count}
		stream := eventstore.Stream(access.RefusalStream(key.who, key.minute))
		draft := eventstore.Draft{Stream: stream, Expect: eventstore.Unchecked(), Events: []any{e}}
		_, err := s.Journal.Commit(ctx, m, draft)
		if err == nil || errors.Is(err, eventstore.ErrUnknownOutcome) {
			delete(due, key) // it may be there, and must not be counted twice
		}
		if err != nil {
			s.refusals.keep(due)
			return err
		}
	}
	return nil
}

func (r *refusals) keep(counts map[refusalKey]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, count := range counts {
		r.counts[key] += count
	}
}

func (r *refusals) before(minute time.Time) map[refusalKey]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	done := map[refusalKey]int{}
	for key, count := range r.counts {
		if key.minute.Before(minute) {
			done[key] = count
			delete(r.counts, key)
		}
	}
	return done
}
