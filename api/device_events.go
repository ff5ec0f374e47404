package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

const (
	// beat is how often a page that stays open is told that it still is, so that
	// nothing on the way closes it.
	beat = 15 * time.Second

	// patience is how long a browser may take to receive what it is told.
	patience = 10 * time.Second

	// maxOpen is how many pages of one customer may stay open at a time.
	maxOpen = 8
)

// streamRequests tells a page that stays open when its list of requests is old
// (HTML, Section 9.2, Server-sent events).
func (s *Server) streamRequests(v *visit) error {
	who, err := s.peek(v.Request().Context(), v)
	if errors.Is(err, ErrNoSession) {
		return v.NoContent(http.StatusNoContent) // the browser does not ask again
	}
	if err != nil {
		return err
	}
	close, ok := s.kept.one(who.Subject)
	if !ok {
		return busy("as many pages are open as may be")
	}
	defer close()
	woken, stop, ok := s.changes.watch(ofCustomer(who.Subject))
	if !ok {
		return busy("too many pages wait")
	}
	defer stop()
	h := v.Response().Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // proxies pass on what comes when it comes
	v.Response().WriteHeader(http.StatusOK)
	if v.Request().Method == http.MethodHead {
		return nil
	}
	s.stream(connection(v.Request().Context()), v, who, woken)
	return nil
}

func busy(description string) error {
	return &httpError{oauth.Refuse(oauth.TemporarilyUnavailable, "RFC 6585 §4", description), http.StatusTooManyRequests, beat}
}

// stream tells the version of the list each time it is another one, and now and
// then that it is still there, until the browser leaves, the session ends or
// the server does.
func (s *Server) stream(ctx context.Context, v *visit, who Session, woken <-chan struct{}) {
	every := time.NewTicker(beat)
	defer every.Stop()
	expiry := time.NewTimer(0)
	defer expiry.Stop()
	page := told{}
	message := ""
	for {
		waiting, next, err := s.listed(ctx, v, who)
		version := versionOf(waiting)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, ErrNoSession):
			message = "event: over\ndata: the session has ended\n\n"
		case err != nil:
			s.Log.ErrorContext(ctx, "a list of requests cannot be read", "err", err)
			return
		case version != page.version:
			page.version, message = version, "event: requests\ndata: "+version+"\n\n"
		}
		if err == nil {
			s.noteTold(ctx, v, who, &page, waiting)
		}
		if message != "" && write(v.Response(), message) != nil || err != nil {
			return
		}
		expiry.Reset(next)
		message = ""
		select {
		case <-woken:
		case <-every.C:
			message = ": here\n\n"
		case <-expiry.C:
		case <-s.changes.ended:
			return
		case <-ctx.Done():
			return
		}
	}
}

// listed returns a customer's list and how long nothing on it runs out, as long
// as the session goes on.
func (s *Server) listed(ctx context.Context, v *visit, who Session) (waiting []PendingRequest, next time.Duration, err error) {
	ctx, done := context.WithTimeout(ctx, answerWithin)
	defer done()
	still, err := s.peek(ctx, v)
	if err == nil && still.Subject != who.Subject {
		err = ErrNoSession
	}
	if err != nil {
		return nil, 0, err
	}
	now := s.Now()
	waiting, err = s.waitingFor(ctx, who.Subject, now)
	next = time.Hour
	for _, w := range waiting {
		next = min(next, max(w.Expires.Sub(now), time.Millisecond))
	}
	return waiting, next, err
}

// write sends a message at once, however long the connection has been open. The
// deadline ends with it: HTTP/2 cuts off a stream at its deadline even if there
// is nothing to send.
func write(w http.ResponseWriter, message string) error {
	c := http.NewResponseController(w)
	if err := c.SetWriteDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := io.WriteString(w, message); err != nil {
		return err
	}
	if err := c.Flush(); err != nil {
		return err
	}
	if err := c.SetWriteDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// openPages counts the pages that customers keep open.
type openPages struct {
	mu    sync.Mutex
	count map[string]int
}

// one counts one more page of a customer until it is closed. It is not ok if
// too many are open.
func (p *openPages) one(subject string) (close func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count[subject] >= maxOpen {
		return nil, false
	}
	if p.count == nil {
		p.count = map[string]int{}
	}
	p.count[subject]++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.count[subject]--; p.count[subject] == 0 {
			delete(p.count, subject)
		}
	}, true
}
