package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
)

// RFC 7240 §4.3: who would like to wait is answered as soon as the customer has.
func TestAPollIsHeldUntilThereIsAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t)
		id := c.requested("poller")
		began, done := time.Now(), make(chan *httptest.ResponseRecorder, 1)
		go func() { done <- c.serve(c.held("poller", id, "respond-async, wait=9; x=y")) }()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		c.approved(id.ID)
		w := <-done
		if took := time.Since(began); w.Code != http.StatusOK || took > 4*time.Second || took < 3*time.Second {
			t.Errorf("%d after %s: %s", w.Code, took, w.Body)
		}
		if got := w.Header().Get("Preference-Applied"); got != "wait=9" {
			t.Errorf("applied %q", got)
		}
		time.Sleep(2 * time.Second)
	})
}

func (c *counter) held(as string, id oauth.Artefact, prefer string) *http.Request {
	r := c.polling(as, id.Text())
	r.Header.Set("Prefer", prefer)
	return r
}

// A poll is not held for ever, nor by a server that ends, nor twice at a time.
// The interval runs from one poll to the next: who waited that long may ask
// again at once, who waited less may not (CIBA §10.1).
func TestWhenAHeldPollEnds(t *testing.T) {
	tests := []struct {
		name   string
		prefer string
		then   func(*counter)
		after  time.Duration
	}{
		{"when the client does not want to wait longer", "wait=4", func(*counter) {}, 4 * time.Second},
		{"after as long as the interval", "wait=5", func(*counter) {}, 5 * time.Second},
		{"when the server does not", "wait=3600", func(*counter) {}, 10 * time.Second},
		{"when the server ends", "wait=9", func(c *counter) { time.Sleep(time.Second); c.EndWaits() }, time.Second},
		{"at once if it is no time", "wait=soon", func(*counter) {}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCounter(t)
				id := c.requested("poller")
				began, done := time.Now(), make(chan *httptest.ResponseRecorder, 1)
				go func() { done <- c.serve(c.held("poller", id, tt.prefer)) }()
				synctest.Wait()
				tt.then(c)
				c.refused(<-done, oauth.AuthorizationPending)
				if took := time.Since(began); took != tt.after {
					t.Errorf("answered after %s; want %s", took, tt.after)
				}
				c.pass(tt.after) // the clock of the town stood still
				want := oauth.AuthorizationPending
				if tt.after < 5*time.Second {
					want = oauth.SlowDown
				}
				c.refused(c.poll("poller", id), want)
				time.Sleep(2 * time.Second)
			})
		})
	}
}

// Who waits until auth_req_id expires is told that it has.
func TestAHeldPollEndsWithItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t)
		id := c.requested("poller", "requested_expiry", "4")
		began, done := time.Now(), make(chan *httptest.ResponseRecorder, 1)
		go func() { done <- c.serve(c.held("poller", id, "wait=9")) }()
		time.Sleep(3900 * time.Millisecond)
		c.pass(4 * time.Second)
		c.refused(<-done, oauth.ExpiredToken)
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("answered after %s", took)
		}
		time.Sleep(2 * time.Second)
	})
}

// Nobody waits for a client that has left, and one that comes back is waited for
// again.
func TestAPollIsHeldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t)
		id := c.requested("poller")
		for _, stays := range []time.Duration{time.Second, time.Hour, time.Hour} {
			ctx, leaves := context.WithTimeout(t.Context(), stays)
			began := time.Now()
			c.serve(c.held("poller", id, "wait=6").WithContext(ctx))
			leaves()
			if took := time.Since(began); took != min(stays, 6*time.Second) {
				t.Errorf("who stays for %s was held for %s", stays, took)
			}
			c.pass(6 * time.Second)
		}
		time.Sleep(2 * time.Second)
	})
}

// Who was suspended while a poll was held gets nothing for it.
func TestASuspensionEndsAHeldPoll(t *testing.T) {
	tests := []struct {
		name     string
		suspends func(c *counter) error
		want     int
	}{
		{"the client", func(c *counter) error {
			_, err := c.Clients.Execute(c.Context(), event.Meta{}, "poller", client.Suspend{Suspended: client.Suspended{Reason: "fraud"}})
			return err
		}, http.StatusUnauthorized},
		{"its issuer", func(c *counter) error {
			_, err := c.Issuers.Execute(c.Context(), event.Meta{}, "ciba", issuer.Suspend{Suspended: issuer.Suspended{Reason: "incident"}})
			return err
		}, http.StatusServiceUnavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCounter(t)
				id := c.requested("poller")
				done := make(chan *httptest.ResponseRecorder, 1)
				go func() { done <- c.serve(c.held("poller", id, "wait=9")) }()
				synctest.Wait()
				c.must(tt.suspends(c))
				c.approved(id.ID)
				if w := <-done; w.Code != tt.want || slices.Contains(c.written(), "token.issued") {
					t.Errorf("got %d %s", w.Code, w.Body)
				}
				time.Sleep(2 * time.Second)
			})
		})
	}
}

// Two polls for one request are not held both.
func TestOnePollIsHeldForARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t)
		id := c.requested("poller")
		done := make(chan *httptest.ResponseRecorder, 1)
		go func() { done <- c.serve(c.held("poller", id, "wait=9")) }()
		synctest.Wait()
		c.pass(6 * time.Second)
		began := time.Now()
		c.refused(c.serve(c.held("poller", id, "wait=9")), oauth.AuthorizationPending)
		if time.Since(began) != 0 {
			t.Error("the second was held, too")
		}
		<-done
		time.Sleep(2 * time.Second)
	})
}
