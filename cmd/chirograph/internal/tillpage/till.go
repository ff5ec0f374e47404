// Package tillpage is the screen of a shop's till that asks a customer of the
// bank to approve something on a phone (CIBA): the other side of the bank's
// phone page, for the development server.
//
//	GET  /till                what to ask, and whom
//	POST /till                asks
//	GET  /till/{sale}         what to compare with the phone, and what became of it
//	POST /till/notifications  where the till is pinged
//
// It keeps the latest few sales in memory, and nothing else.
package tillpage

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
	"github.com/chirograph/chirograph/domain/oauth"
)

// Path is where the till is.
const Path = "/till"

// Notifications is where its client in the mode ping is called.
const Notifications = Path + "/notifications"

// maxSales bounds what is kept. One more displaces the oldest.
const maxSales = 64

// A Till asks as one of two clients, of which one is pinged.
type Till struct {
	Poll, Ping *story.Client
	Bank       string // base URL of the accounts API
	Phone      string // the bank's phone page
	Style      []byte // the bank's, in which the page is written
	Now        func() time.Time

	mu    sync.Mutex
	sales []*sale // the oldest first
	over  bool
	asked sync.WaitGroup
}

// Close forgets every sale and waits until nothing is asked any more.
func (t *Till) Close() {
	t.mu.Lock()
	t.over = true
	for _, s := range t.sales {
		s.leave()
	}
	t.sales = nil
	t.mu.Unlock()
	t.asked.Wait()
}

// ask starts a sale, which goes on after the answer to whoever started it.
func (t *Till) ask(ctx context.Context, mode string, ask story.Ask) (*sale, error) {
	s := &sale{ID: rand.Text(), Client: t.Poll, Mode: mode, Ask: ask, state: waiting}
	if mode == oauth.Ping {
		s.Client, s.Ask.Token = t.Ping, rand.Text()
		s.receiver = story.NewReceiver(Notifications, s.Ask.Token)
	}
	asked, err := s.Client.Authenticate(ctx, s.Ask)
	if err != nil {
		return nil, err
	}
	s.asked, s.Until = asked, t.Now().Add(time.Duration(asked.Expires)*time.Second)
	lasting, leave := context.WithCancel(context.WithoutCancel(ctx))
	s.leave = leave
	if !t.keep(s) {
		leave()
		return nil, context.Canceled
	}
	t.asked.Go(func() {
		defer leave()
		s.follow(lasting, t.Bank)
	})
	return s, nil
}

func (t *Till) keep(s *sale) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return false
	}
	if len(t.sales) >= maxSales {
		t.sales[0].leave()
		t.sales = t.sales[1:]
	}
	t.sales = append(t.sales, s)
	return true
}

func (t *Till) find(is func(*sale) bool) *sale {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.sales {
		if is(s) {
			return s
		}
	}
	return nil
}

// notified hands a ping to the sale whose token it shows.
func (t *Till) notified(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s := t.find(func(s *sale) bool { return s.receiver != nil && s.Ask.Token == token })
	if s == nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.receiver.ServeHTTP(w, r)
}
