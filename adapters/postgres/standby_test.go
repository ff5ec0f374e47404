package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/eventstore"
)

const standbyWaits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"

// A ghosted server waits at every commit for a standby that is not there.
type ghosted struct {
	url string
	t   *testing.T
}

func (g *ghosted) standby(name string) {
	g.t.Helper()
	execute(g.t, g.url, "ALTER SYSTEM SET synchronous_standby_names = '"+name+"'")
	execute(g.t, g.url, "SELECT pg_reload_conf()")
	eventually(g.t, "the server knows of its standby", func() bool {
		var is string
		query(g.t, g.url, "SHOW synchronous_standby_names", &is)
		return is == name
	})
}

func (g *ghosted) waiting(n int) {
	g.t.Helper()
	var waits int
	eventually(g.t, "commits wait for the standby", func() bool {
		query(g.t, g.url, standbyWaits, &waits)
		return waits == n
	})
}

// appending begins an append whose outcome is to be told.
func appending(t *testing.T, log eventstore.Log, a eventstore.Append) <-chan error {
	told := make(chan error, 1)
	go func() { _, err := log.Append(context.WithoutCancel(t.Context()), a); told <- err }()
	return told
}

// What no standby has is not acknowledged, however its commit ends and however
// often it is asked for.
func TestACommitWithoutItsStandby(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  string
	}{
		{"the server ends the connection", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"},
		{"somebody cancels it", "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := &ghosted{pgtest.Start(t, pgtest.Settings{}).New(t), t}
			log := opened(t, postgres.Options{URL: g.url})
			g.standby("ghost")
			defer g.standby("")
			a := add("test-a", eventstore.Absent(), 1, 10)
			first := appending(t, log, a)
			g.waiting(1)
			execute(t, g.url, tt.end)
			if err := <-first; !errors.Is(err, eventstore.ErrUnknownOutcome) {
				t.Fatalf("who appended is told %v", err)
			}
			again := appending(t, log, a)
			g.waiting(1)
			select {
			case err := <-again:
				t.Errorf("who repeats is told %v", err)
			default:
			}
			g.standby("")
			if err := <-again; err != nil {
				t.Errorf("when no standby is asked for any more: %v", err)
			}
			if n := len(all(t, log)); n != 1 {
				t.Errorf("%d events", n)
			}
		})
	}
}

// A node that gives up does not make the server give up its standby.
func TestNoCommitIsCancelled(t *testing.T) {
	g := &ghosted{pgtest.Start(t, pgtest.Settings{}).New(t), t}
	p := proxied(t, g.url)
	log := opened(t, postgres.Options{URL: p.url})
	db := openedSQL(t, p.url, "chirograph_a")
	if _, err := db.Exec("CREATE TABLE x(n int)"); err != nil {
		t.Fatal(err)
	}
	g.standby("ghost")
	defer g.standby("")
	soon, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := db.ExecContext(soon, "INSERT INTO x VALUES (1)"); err == nil {
		t.Error("a row was acknowledged")
	}
	a := add("test-a", eventstore.Absent(), 1, 10)
	first := appending(t, log, a)
	g.waiting(2)
	p.cut()
	if err := <-first; !errors.Is(err, eventstore.ErrUnknownOutcome) {
		t.Errorf("who appended is told %v", err)
	}
	again := appending(t, log, a)
	eventually(t, "the repeat waits for the commit before it", func() bool {
		var waits int
		query(t, g.url, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'", &waits)
		return waits == 1
	})
	g.waiting(2)
	g.standby("")
	if err := <-again; err != nil {
		t.Errorf("who repeats is told %v", err)
	}
	eventually(t, "the row is there", func() bool {
		var rows int
		query(t, g.url, "SELECT count(*) FROM chirograph_a.x", &rows)
		return rows == 1
	})
}
