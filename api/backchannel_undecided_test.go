package api_test

import (
	"context"
	"iter"
	"net/http"
	"testing"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

// A readLog counts how often streams of one category are read.
type readLog struct {
	observed
	category string
	reads    int
}

// countingReads is a town whose log counts.
func countingReads(t *testing.T, category string) (*town, *readLog) {
	to := newTownOn(t, func(l eventstore.Log) eventstore.Log { return l })
	log := &readLog{observed: to.Journal.Log.(observed), category: category}
	journal := *to.Journal
	journal.Log = log
	to.Server = api.New(&journal, to.Outside)
	return to, log
}

func (l *readLog) ReadStream(ctx context.Context, s eventstore.Stream, from eventstore.Revision) iter.Seq2[eventstore.Event, error] {
	if s.Category() == l.category {
		l.reads++
	}
	return l.observed.ReadStream(ctx, s, from)
}

// A node that has the log alone reads a request once for all polls that only
// wait, and again as soon as anybody has decided: what a poll gets is from the
// log.
func TestPollsThatWaitReadTheLogOnce(t *testing.T) {
	to, log := countingReads(t, "backchannel")
	c := counterIn(t, to)
	id := c.requested("poller")
	polled := func(want oauth.Code) int {
		t.Helper()
		before := log.reads
		c.refused(c.poll("poller", id), want)
		c.pass(5 * time.Second)
		return log.reads - before
	}
	polled(oauth.AuthorizationPending)
	for range 3 {
		if n := polled(oauth.AuthorizationPending); n > 0 {
			t.Errorf("a poll that waits reads the request %d times", n)
		}
	}
	guess := id
	guess.Secret[0]++
	c.refused(c.poll("poller", guess), oauth.InvalidGrant)
	c.refused(c.poll("pinger", id), oauth.InvalidGrant)
	c.approved(id.ID)
	before := log.reads
	if w := c.poll("poller", id); w.Code != http.StatusOK || log.reads == before {
		t.Errorf("a decided request is answered with %d after reading it %d times", w.Code, log.reads-before)
	}
	if n := polled(oauth.InvalidGrant); n == 0 {
		t.Error("that it was redeemed is not read")
	}
}
