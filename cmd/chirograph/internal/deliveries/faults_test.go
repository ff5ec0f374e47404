package deliveries

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// TestReceiversThatFail has each of them be told of an approval, all at once,
// and reads in the log what came of it.
func TestReceiversThatFail(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	tests := []struct {
		client string // what it does
		play   func(http.ResponseWriter, int)
		life   time.Duration
		want   string // of the first attempt
		first  int    // attempts, at least
		parked string // why; "" if it is delivered
	}{
		{"answers-204", answer(http.StatusNoContent), time.Minute, "204 ", 1, ""},
		{"answers-200-and-talks", func(w http.ResponseWriter, _ int) { fmt.Fprint(w, "thank you") }, time.Minute, "200 thank you", 1, ""},
		{"floods", r.flood, time.Minute, "200 " + strings.Repeat("x", 256), 1, ""},
		{"trickles", r.trickle, time.Minute, "200 slow", 1, ""},
		{"redirects", r.redirect, time.Minute, "302 ", 1, "the receiver answered 302"},
		{"answers-400", answer(http.StatusBadRequest), time.Minute, "400 ", 1, "the receiver answered 400"},
		{"answers-401", answer(http.StatusUnauthorized), time.Minute, "401 ", 1, "the receiver answered 401"},
		{"answers-500", answer(http.StatusInternalServerError), 10 * time.Second, "500 ", 2, "no time is left for another attempt"},
		{"closes", raw(func(net.Conn) {}), 10 * time.Second, "0 the connection broke before there was an answer", 2, "no time is left for another attempt"},
		{"hangs", r.hang, 12 * time.Second, "0 no answer in time", 2, "no time is left for another attempt"},
		{"dawdles", r.dawdle, 12 * time.Second, "0 no answer in time", 2, "no time is left for another attempt"},
		{"far", nil, time.Minute, "0 the receiver's address is not public", 1, "the receiver's address is not public"},
		{"heals", func(w http.ResponseWriter, n int) { w.WriteHeader(map[bool]int{true: 503, false: 204}[n < 3]) }, time.Minute, "503 ", 3, ""},
	}
	r.plays = map[string]func(http.ResponseWriter, int){}
	clients := map[string]string{}
	for _, tt := range tests {
		clients[tt.client] = oauth.Ping
		if tt.play != nil {
			r.plays[tt.client] = tt.play
		}
	}
	b := newBank(t, r, clients)
	b.start(t)
	asked := make([]request, len(tests))
	var together sync.WaitGroup
	for i, tt := range tests {
		together.Go(func() {
			var err error
			if asked[i], err = b.ask(tt.client, i, tt.life); err == nil {
				err = b.decide(asked[i], map[bool]string{true: "allow", false: "deny"}[i%2 == 0]) // a denial is pinged too
			}
			if err != nil {
				t.Errorf("%s: %v", tt.client, err)
			}
		})
	}
	together.Wait()
	var told map[string]story
	eventually(t, "every delivery has ended", func() bool {
		told = b.stories(t)
		for _, a := range asked {
			if s := told[idOf(a)]; !s.delivery.Delivered() && !s.delivery.Parked() {
				return false
			}
		}
		return true
	})
	b.stop(t)
	for i, tt := range tests {
		t.Run(tt.client, func(t *testing.T) {
			s := told[idOf(asked[i])]
			if len(s.attempts) < tt.first || tt.first == 1 && len(s.attempts) != 1 {
				t.Errorf("%d attempts are recorded", len(s.attempts))
			}
			if len(s.attempts) > 0 {
				a := s.attempts[0]
				if got := fmt.Sprintf("%d %s%s", a.Status, a.Failure, a.Answer); got != tt.want {
					t.Errorf("the first attempt is %q", got)
				}
			}
			if s.delivery.Delivered() != (tt.parked == "") || s.delivery.Reason() != tt.parked {
				t.Errorf("it is %s: %s", s.delivery.Status(), s.delivery.Reason())
			}
			if calls := r.of(tt.client); tt.play != nil && len(calls) != len(s.attempts) {
				t.Errorf("%d attempts are recorded, and %d came", len(s.attempts), len(calls))
			}
			pinged(t, r, asked[i])
		})
	}
	if len(r.of("elsewhere")) > 0 {
		t.Error("a redirect was followed")
	}
}

// pinged checks that whatever came for a request is a ping (CIBA, Section 10.2).
func pinged(t *testing.T, r *receiver, asked request) {
	t.Helper()
	for _, c := range r.of(asked.client) {
		if len(c.body) != 1 || c.body["auth_req_id"] != asked.authReqID || c.bearer != asked.token || c.media != "application/json" {
			t.Errorf("it got %s, authenticated as %s, as %s", c.raw, c.bearer, c.media)
		}
	}
}
