package api_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/chirograph/chirograph/adapters/limits"
)

// CIBA §13: unknown_user_id says who is no customer. A client that guesses is
// told of nobody before long, whether it guesses right or not.
func TestAClientThatGuessesIsToldOfNobody(t *testing.T) {
	c := newCounter(t)
	l, err := limits.New(map[string]limits.Rate{"unknown": {PerSecond: 1, Burst: 3}}, 10)
	c.must(err)
	c.Limits = l
	tests := []struct {
		name, as, hint string
		status         int
		says           string
	}{
		{"a guess", "poller", "zoe", 400, "unknown_user_id"},
		{"who is right is not held back", "poller", zeldaLogin, 200, "auth_req_id"},
		{"another guess", "poller", "zed", 400, "unknown_user_id"},
		{"and the last", "poller", "zac", 400, "unknown_user_id"},
		{"one too many", "poller", "zuri", 429, "temporarily_unavailable"},
		{"a right one is answered alike", "poller", zeldaLogin, 429, "temporarily_unavailable"},
		{"other clients are not concerned", "pinger", zeldaLogin, 200, "auth_req_id"},
	}
	for _, tt := range tests {
		w := c.ask(tt.as, "login_hint", tt.hint)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) {
			t.Errorf("%s: %d %s", tt.name, w.Code, w.Body)
		}
		if w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") != "1" {
			t.Errorf("%s: wait for %q", tt.name, w.Header().Get("Retry-After"))
		}
	}
}

// Guesses that are made at once are no more than the limit either.
func TestGuessesAtOnceAreCounted(t *testing.T) {
	c := newCounter(t)
	l, err := limits.New(map[string]limits.Rate{"unknown": {PerSecond: 1, Burst: 3}}, 10)
	c.must(err)
	c.Limits = l
	var together sync.WaitGroup
	var told atomic.Int32
	for range 16 {
		r := c.asking("poller", "login_hint", "zoe")
		together.Go(func() {
			if w := c.serve(r); w.Code == http.StatusBadRequest {
				told.Add(1)
			}
		})
	}
	together.Wait()
	if told.Load() != 3 {
		t.Errorf("%d guesses are answered", told.Load())
	}
}
