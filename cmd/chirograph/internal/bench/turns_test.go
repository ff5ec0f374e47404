package bench

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"

	"github.com/jackc/pgx/v5"
)

// A party asks one server, one request after the other.
type party struct {
	told     ready
	platform *platform.Platform
	client   *http.Client
}

// joined starts a server. What is recorded once, such as the client's key, is
// recorded when it returns.
func joined(t testing.TB) *party {
	t.Helper()
	told, p := serveHere(t)
	s := &party{told, p, httpClient(nil)}
	s.credentials(t)
	s.redeem(t)
	return s
}

func (s *party) credentials(t testing.TB) { s.ask(t, s.asking()) }

func (s *party) asking() call {
	issuer := "https://" + s.told.Public + "/fapi2"
	form := benchClient.authenticated("bench", issuer, url.Values{"grant_type": {"client_credentials"}, "scope": {"accounts"}})
	return call{url: issuer + "/token", form: form, dpop: benchClient.proof("POST", issuer+"/token")}
}

func (s *party) redeem(t testing.TB) { s.ask(t, s.redeeming(t)) }

func (s *party) redeeming(t testing.TB) call {
	code, verifier := granted(t, s.platform)
	return redemption(s.told, code, verifier)
}

func (s *party) ask(t testing.TB, c call) {
	t.Helper()
	if status, body := c.try(s.client); status != http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}
}

// A watch is what an EventStoreDB stand-in was asked to append, and when. Every
// append takes a while, so that those that can go out together do.
type watch struct {
	mu    sync.Mutex
	began map[string]time.Time
	turns []turn
}

type turn struct{ began, ended time.Time }

const while = 30 * time.Millisecond

func (w *watch) see(at standin.Point, stream string, _ int) error {
	if strings.HasPrefix(stream, "$$") { // how long a bucket of replay keys is kept is said once
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch at {
	case standin.BeforeCommit:
		w.began[stream] = time.Now()
		return standin.Slow(while)
	case standin.AfterCommit:
		w.turns = append(w.turns, turn{w.began[stream], time.Now()})
	}
	return nil
}

// inTurn counts the appends that went out one after another during f.
func (w *watch) inTurn(f func()) (n int) {
	w.mu.Lock()
	w.began, w.turns = map[string]time.Time{}, nil
	w.mu.Unlock()
	f()
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortFunc(w.turns, func(a, b turn) int { return a.ended.Compare(b.ended) })
	var last time.Time
	for _, t := range w.turns {
		if !t.began.Before(last) {
			n, last = n+1, t.ended
		}
	}
	return n
}

// A code is redeemed in two more appends than a client's own token takes: that
// of the code, and that of the refresh token.
func TestRedemptionTakesTwoMoreAppends(t *testing.T) {
	events := standin.New(t, standin.Options{CaughtUp: true})
	share(t, pgtest.New(t), events.URL())
	s := joined(t)
	w := &watch{}
	w.inTurn(func() {})
	defer events.Inject(w.see)()
	alone := w.inTurn(func() { s.credentials(t) })
	c := s.redeeming(t)
	redeemed := w.inTurn(func() { s.ask(t, c) })
	t.Logf("appends in turn: %d for client_credentials, %d for a code", alone, redeemed)
	if alone == 0 || redeemed > alone+2 {
		t.Errorf("a code takes %d appends in turn, a client's own token %d", redeemed, alone)
	}
}

// On PostgreSQL everything that a redemption writes is one commit.
func TestRedemptionTakesOneCommit(t *testing.T) {
	url := pgtest.New(t)
	share(t, url, "")
	s := joined(t)
	for name, c := range map[string]call{"a client's own token": s.asking(), "a code": s.redeeming(t)} {
		before := commits(t, url)
		s.ask(t, c)
		if n := commits(t, url) - before; n != 1 {
			t.Errorf("%s takes %d commits", name, n)
		}
	}
}

// commits counts the transactions that have written what the log holds.
func commits(t *testing.T, url string) (n int) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	const count = "SELECT count(*) FROM (SELECT xmin::text FROM chirograph_log.event UNION SELECT xmin::text FROM chirograph_log.once) AS written"
	if err := c.QueryRow(t.Context(), count).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
