package api

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/oauth"
)

// A little haste of the network is not the client's.
func TestTheNetworkMayHurryALittle(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var p paces
	for _, poll := range []struct {
		at    time.Duration
		early bool
	}{{0, false}, {4800 * time.Millisecond, false}, {9 * time.Second, true}} {
		_, err := p.poll("r1", 5*time.Second, noon.Add(time.Hour), noon.Add(poll.at))
		if errors.Is(err, oauth.SlowDown) != poll.early {
			t.Errorf("after %s: %v", poll.at, err)
		}
	}
}

// The memory of paces is bounded, and what has expired leaves it first.
func TestPacesAreBounded(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var p paces
	for n := range maxPaces + 1 {
		p.poll(fmt.Sprint(n), 5*time.Second, noon.Add(time.Minute), noon)
	}
	if len(p.of) != maxPaces {
		t.Errorf("%d are remembered", len(p.of))
	}
	p.poll("later", 5*time.Second, noon.Add(time.Hour), noon.Add(sweepPaces))
	if len(p.of) != 1 {
		t.Errorf("%d are remembered of which one is pending", len(p.of))
	}
	p.forget("later")
	p.hold("later", true)
	if len(p.of) != 0 {
		t.Error("what is decided is remembered")
	}
}

// A request of which no interval is recorded has the one that its client
// assumes (CIBA §7.3).
func TestIntervalOfARequest(t *testing.T) {
	for recorded, want := range map[int]time.Duration{0: 5 * time.Second, -1: 5 * time.Second, 1: time.Second, 60: time.Minute} {
		if got := interval(backchannel.Requested{Interval: recorded}); got != want {
			t.Errorf("%d: %s", recorded, got)
		}
	}
}

// RFC 7240 §2 and §4.3.
func TestWaitWanted(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"":                              0,
		"wait=3":                        3 * time.Second,
		"WAIT = 3":                      3 * time.Second,
		`wait="3"`:                      3 * time.Second,
		"respond-async, wait=3":         3 * time.Second,
		"wait=3; why=not, handling=ok":  3 * time.Second,
		"wait=3, wait=9":                3 * time.Second,
		"wait=0":                        0,
		"wait=25":                       maxHold,
		"wait=4294967295":               maxHold,
		"wait=99999999999999999999":     0,
		"wait=-1":                       0,
		"wait":                          0,
		"wait=soon":                     0,
		"waiting=3":                     0,
		"handling=lenient; wait=3":      0,
		"respond-async,,,wait=1,":       time.Second,
		"return=minimal, wait=2.5, x=y": 0,
	} {
		if got := waitWanted(http.Header{"Prefer": {header}}); got != want {
			t.Errorf("%q: %s; want %s", header, got, want)
		}
	}
	if got := waitWanted(http.Header{"Prefer": {"respond-async", "wait=2"}}); got != 2*time.Second {
		t.Errorf("in a second header: %s", got)
	}
}

// Whatever is preferred, nobody is held longer than the server will.
func FuzzWaitWanted(f *testing.F) {
	f.Add("wait=3; x, wait=9")
	f.Fuzz(func(t *testing.T, header string) {
		if got := waitWanted(http.Header{"Prefer": {header}}); got < 0 || got > maxHold {
			t.Fatalf("%q: %s", header, got)
		}
	})
}
