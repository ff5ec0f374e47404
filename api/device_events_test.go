package api

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
)

// A hall is a bank without a network, where time passes.
type hall struct {
	*bank
	served http.Handler
}

func newHall(t *testing.T) *hall {
	b := &bank{t: t, url: "https://bank.example/north"}
	b.desk = newDesk(b)
	log := memory.New(time.Now)
	b.log = &breakable{Log: log}
	journal := &eventstore.Journal{Log: log, Codec: &eventstore.Codec{Registry: catalogue.Events, Keys: &memory.Keys{}, Log: log.ID()}}
	b.Server = New(journal, Outside{
		Profiles: fapi.Profiles, Logins: b.desk, Sessions: b.desk, Directory: b.desk, Pending: b.desk,
		Limits: b.desk, Metrics: b.desk, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	b.clock = &stoppedClock{now: time.Now()}
	b.register()
	return &hall{b, b.Handler(http.NotFoundHandler())}
}

func lasting(d time.Duration) func(*backchannel.Requested) {
	return func(r *backchannel.Requested) { r.Expires = time.Now().Add(d) }
}

// A tab is a page that stays open. What the bank tells it comes on told, which
// is closed when the bank hangs up.
type tab struct {
	header http.Header
	status int
	text   strings.Builder
	until  atomic.Pointer[time.Time] // deadline of a write; none, or zero, if there is none
	told   chan news
	leave  context.CancelFunc
}

// news is what arrives, and how long the browser had to take it.
type news struct {
	text string
	left time.Duration
}

func (w *tab) Header() http.Header                 { return w.header }
func (w *tab) WriteHeader(status int)              { w.status = status }
func (w *tab) Write(p []byte) (int, error)         { return w.text.Write(p) }
func (w *tab) SetWriteDeadline(at time.Time) error { w.until.Store(&at); return nil }
func (w *tab) Flush() {
	w.told <- news{w.text.String(), time.Until(*w.until.Load())}
	w.text.Reset()
}

// open opens a page of a customer's and returns it with its session.
func (h *hall) open(subject string) (*tab, string) {
	h.t.Helper()
	cookie := "none"
	if subject != "" {
		var err error
		cookie, err = h.desk.Start(h.t.Context(), Session{Realm: "north", Subject: subject}, time.Now())
		h.must(err)
	}
	ctx, leave := context.WithCancel(h.t.Context())
	w := &tab{header: http.Header{}, told: make(chan news, 64), leave: leave}
	r := httptest.NewRequestWithContext(ctx, "GET", h.url+"/device/events", nil)
	r.AddCookie(&http.Cookie{Name: "__Host-session-north", Value: cookie})
	go func() {
		h.served.ServeHTTP(w, r)
		close(w.told)
	}()
	return w, cookie
}

func (w *tab) isTold(t *testing.T, want string) {
	t.Helper()
	got := <-w.told
	if !strings.HasPrefix(got.text, want) {
		t.Errorf("told %q; want %q", got.text, want)
	}
	if got.left != patience {
		t.Errorf("the browser had %s to take it", got.left)
	}
	synctest.Wait()
	if until := *w.until.Load(); !until.IsZero() {
		t.Errorf("the page is cut off in %s if nothing happens", time.Until(until))
	}
}

func TestOpenPage(t *testing.T) {
	const changed, here = "event: requests\ndata: ", ": here\n\n"
	none, start := versionOf(nil), time.Time{}
	passed := func(t *testing.T, want time.Duration) {
		t.Helper()
		if got := time.Since(start); got != want {
			t.Errorf("after %s; want %s", got, want)
		}
	}
	tests := []struct {
		name string
		then func(t *testing.T, h *hall, w *tab, session string)
	}{
		{"is told at once that a request came, and that it was answered", func(t *testing.T, h *hall, w *tab, _ string) {
			id := h.till(lasting(time.Minute))
			w.isTold(t, changed+versionOf([]PendingRequest{{ID: id}}))
			_, err := h.Backchannels.Execute(t.Context(), event.Meta{Subject: "alice"}, id, backchannel.Deny{
				Denied: backchannel.Denied{By: backchannel.System}, At: time.Now()})
			h.must(err)
			w.isTold(t, changed+none)
			passed(t, 0)
		}},
		{"is told at once that a request ran out", func(t *testing.T, h *hall, w *tab, _ string) {
			h.till(lasting(20 * time.Second))
			w.isTold(t, changed)
			w.isTold(t, here)
			w.isTold(t, changed+none)
			passed(t, 20*time.Second)
		}},
		{"is told now and then that the bank is there, for as long as one likes", func(t *testing.T, h *hall, w *tab, _ string) {
			for range 240 {
				w.isTold(t, here)
			}
			passed(t, time.Hour)
		}},
		{"is not told of other customers' requests", func(t *testing.T, h *hall, w *tab, _ string) {
			h.till(lasting(time.Minute), func(r *backchannel.Requested) { r.Subject = "ben" })
			w.isTold(t, here)
			passed(t, beat)
		}},
		{"is told that the session is over", func(t *testing.T, h *hall, w *tab, session string) {
			h.must(h.desk.End(t.Context(), "north", session))
			w.isTold(t, "event: over\n")
			passed(t, beat)
			if _, open := <-w.told; open {
				t.Error("it stays open")
			}
		}},
		{"is left when the server ends", func(t *testing.T, h *hall, w *tab, _ string) {
			h.EndWaits()
			if _, open := <-w.told; open {
				t.Error("it stays open")
			}
			passed(t, 0)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHall(t)
				start = time.Now()
				w, session := h.open("alice")
				w.isTold(t, changed+none)
				if w.header.Get("Content-Type") != "text/event-stream" || w.header.Get("Cache-Control") != "no-store" {
					t.Errorf("got %d %v", w.status, w.header)
				}
				tt.then(t, h, w, session)
				w.leave()
				for range w.told {
				}
				if len(h.kept.count) > 0 || h.changes.count > 0 {
					t.Error("who left is still counted")
				}
			})
		})
	}
}

// A list that is slower than the customer is patient.
type slowList struct{}

func (slowList) Pending(ctx context.Context, _ string, _ time.Time) ([]PendingRequest, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestWhoLeavesIsNoFailure(t *testing.T) {
	for name, leaves := range map[string]bool{"a page is closed": true, "the list takes too long": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHall(t)
				var said strings.Builder
				h.Pending, h.Log = slowList{}, slog.New(slog.NewTextHandler(&said, nil))
				w, _ := h.open("alice")
				synctest.Wait()
				if leaves {
					w.leave()
				}
				for range w.told {
				}
				w.leave()
				if failed := strings.Contains(said.String(), "cannot be read"); failed == leaves {
					t.Errorf("the log says %q", said.String())
				}
			})
		})
	}
}

func TestNoMorePages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		stranger, _ := h.open("")
		if <-stranger.told; stranger.status != http.StatusNoContent {
			t.Errorf("signed out: got %d", stranger.status)
		}
		var all []*tab
		for range maxOpen {
			w, _ := h.open("alice")
			<-w.told
			all = append(all, w)
		}
		more, _ := h.open("alice")
		if <-more.told; more.status != http.StatusTooManyRequests || more.header.Get("Retry-After") == "" {
			t.Errorf("one more: got %d %v", more.status, more.header)
		}
		bens, _ := h.open("ben")
		bens.isTold(t, "event: requests")
		for _, w := range append(slices.Clone(all), bens) {
			w.leave()
			for range w.told {
			}
		}
		again, _ := h.open("alice")
		again.isTold(t, "event: requests")
		again.leave()
		synctest.Wait()
	})
}
