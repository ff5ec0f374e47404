package api

import (
	"net/http"
	"slices"
	"sync"
	"testing"
)

// together sends the requests at the same time.
func (p *person) together(requests ...*http.Request) []screen {
	got := make([]screen, len(requests))
	var all sync.WaitGroup
	start := make(chan struct{})
	for n, r := range requests {
		all.Go(func() {
			<-start
			got[n] = p.send(r)
		})
	}
	close(start)
	all.Wait()
	return got
}

// Of many answers to one request exactly one counts. The others are told so.
func TestRacers(t *testing.T) {
	tests := []struct {
		name    string
		buttons []string
		goOn    string // what every loser is offered
	}{
		{"the customer presses approve eight times", slices.Repeat([]string{"approve"}, 8), `id="continue"`},
		{"approve and decline meet", []string{"approve", "cancel", "approve", "cancel"}, ""},
		{"decline is pressed twice", []string{"cancel", "cancel"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t)
			opener, p := b.push(), b.person()
			page := p.signIn(p.get(opener), "alice")
			var requests []*http.Request
			for _, button := range tt.buttons {
				requests = append(requests, p.pressing(page, button, "account", "acc-1"))
			}
			winners := 0
			for _, s := range p.together(requests...) {
				if s.left != nil {
					winners++
				} else if s.status != http.StatusConflict || !s.has("already been decided") || !s.has(tt.goOn) {
					t.Errorf("a loser got %d:\n%s", s.status, s.body)
				}
			}
			_, types := b.journey(opener)
			decisions := slices.DeleteFunc(slices.Clone(types), func(s string) bool { return s != "granted" && s != "denied" })
			if winners != 1 || len(decisions) != 1 {
				t.Errorf("%d winners, the log has %v", winners, types)
			}
		})
	}
}

// An answer that comes between a decision and its append wins, and the decision
// is made again.
func TestOvertaken(t *testing.T) {
	tests := []struct {
		name, first, overtaking string
		goOn                    bool
	}{
		{"a yes by a yes", "approve", "approve", true},
		{"a yes by a no", "approve", "cancel", false},
		{"a no by a yes", "cancel", "approve", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBank(t)
			p, page, _ := b.consentPage()
			b.log.meanwhile(func() {
				if won := p.press(page, tt.overtaking, "account", "acc-1"); won.left == nil {
					t.Errorf("the winner got %d", won.status)
				}
			})
			lost := p.press(page, tt.first, "account", "acc-1")
			if lost.status != http.StatusConflict || lost.has(`id="continue"`) != tt.goOn {
				t.Errorf("the loser got %d:\n%s", lost.status, lost.body)
			}
		})
	}
}

// A yes that is overtaken by nothing but another sign-in still counts.
func TestOvertakenBySignIn(t *testing.T) {
	b := newBank(t)
	p, page, opener := b.consentPage()
	b.log.meanwhile(func() {
		b.clock.pass(1)
		p.signIn(p.get(b.url+"/login"), "alice")
		p.get(b.url + "/interaction?i=" + p.ticketOf(page))
	})
	answers(t, p.press(page, "approve", "account", "acc-1"), map[string]string{"error": ""})
	if _, types := b.journey(opener); len(types) != 5 {
		t.Errorf("the log has %v", types)
	}
}

// Two browsers that sign in for one request at the same time: one is bound.
func TestBindingRace(t *testing.T) {
	b := newBank(t)
	opener := b.push()
	people := []*person{b.person(), b.person(), b.person()}
	logins, got := make([]screen, len(people)), make([]screen, len(people))
	for n, p := range people {
		logins[n] = p.get(opener)
	}
	var all sync.WaitGroup
	for n, p := range people {
		all.Go(func() { got[n] = p.signIn(logins[n], "alice") })
	}
	all.Wait()
	bound := 0
	for _, s := range got {
		if s.has(`id="consent"`) {
			bound++
		} else if s.status != http.StatusForbidden {
			t.Errorf("a loser got %d", s.status)
		}
	}
	if _, types := b.journey(opener); bound != 1 || len(types) != 2 {
		t.Errorf("%d browsers are bound, the log has %v", bound, types)
	}
}
