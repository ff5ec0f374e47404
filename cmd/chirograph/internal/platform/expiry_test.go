package platform

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/projections"
)

// opened opens a platform on an empty folder whose clock can be moved.
func opened(t *testing.T) (*Platform, func(time.Duration)) {
	t.Helper()
	var ahead atomic.Int64
	c := config.Default()
	c.DataDir = t.TempDir()
	p, err := Open(t.Context(), Options{Config: c, Create: true, Version: "test", Now: func() time.Time {
		return time.Now().Add(time.Duration(ahead.Load()))
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p, func(d time.Duration) { ahead.Add(int64(d)) }
}

func TestExpiryIsNotedOnce(t *testing.T) {
	p, later := opened(t)
	yes := consent.Authorized{Client: "budgetly", Subject: "alice", Scope: "openid", Expires: p.Now().Add(time.Hour)}
	if _, err := p.API.Consents.Execute(t.Context(), p.Meta("test"), "c1", consent.Authorize{Authorized: yes, At: p.Now()}); err != nil {
		t.Fatal(err)
	}
	noted := func() int {
		t.Helper()
		if err := p.Current(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.noteExpiry(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := p.Current(t.Context()); err != nil {
			t.Fatal(err)
		}
		found, err := p.Projections.Audit.Search(t.Context(), projections.Query{Consent: "c1", Type: "consent.expired"})
		if err != nil {
			t.Fatal(err)
		}
		return len(found.Items)
	}
	if n := noted(); n != 0 {
		t.Errorf("noted %d times before the end", n)
	}
	later(time.Hour)
	if first, second := noted(), noted(); first != 1 || second != 1 {
		t.Errorf("noted %d times, then %d", first, second)
	}
}
