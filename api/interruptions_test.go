package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chirograph/chirograph/eventstore/storetest"
)

// Interruptions are what another node does before the nth append of a flow.
func TestInterruptions(t *testing.T) {
	tests := []struct {
		name  string
		times int // appends of the flow
		run   func(c *cluster, at int)
	}{
		{"a redemption by a replay", 3, redemptionByReplay},
		{"a redemption by the end of the consent", 3, redemptionByStop},
		{"a replay by a redemption that goes on", 3, replayByRedemption},
		{"a refresh by a revocation", 1, refreshByRevocation},
		{"a revocation by a refresh", 1, revocationByRefresh},
		{"an approval by a reload", 3, approvalByReload},
		{"an approval by a no", 3, approvalByNo},
		{"a completion by another", 2, completionByAnother},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for at := 1; at <= tt.times; at++ {
				c := newCluster(t)
				tt.run(c, at)
				c.lawful()
			}
		})
	}
}

func redemptionByReplay(c *cluster, at int) {
	code := c.approve(c.push())
	var other *httptest.ResponseRecorder
	c.log.Before(at, func() { other = c.at(1, c.redeeming(code)) })
	first := members(c.T, c.at(0, c.redeeming(code)))
	second := members(c.T, other)
	if first["error"] != "invalid_grant" {
		c.Errorf("before append %d: the first got %v", at, first)
	}
	if (second["error"] == nil) != (at == 1) {
		c.Errorf("before append %d: the second got %v", at, second)
	}
	if at == 1 {
		c.ended(second)
	}
	c.unissued(idOf(code))
}

func redemptionByStop(c *cluster, at int) {
	code := c.approve(c.push())
	c.log.Before(at, func() { c.stop(code) })
	if got := members(c.T, c.at(0, c.redeeming(code))); got["access_token"] != nil {
		c.ended(got)
	}
}

// The redemption stops before its tokens are issued, and goes on within the
// replay.
func replayByRedemption(c *cluster, at int) {
	code := c.approve(c.push())
	replay, goOn := make(chan struct{}), make(chan struct{})
	c.log.Before(2, func() { close(replay); <-goOn })
	var first *httptest.ResponseRecorder
	done := make(chan struct{})
	go func() {
		defer close(done)
		first = c.at(0, c.redeeming(code))
	}()
	<-replay
	c.log.Before(at, func() { close(goOn); <-done })
	second := members(c.T, c.at(1, c.redeeming(code)))
	if got := members(c.T, first); got["access_token"] != nil {
		c.ended(got)
	}
	if second["error"] != "invalid_grant" {
		c.Errorf("before append %d: the replay got %v", at, second)
	}
	c.unissued(idOf(code))
}

func refreshByRevocation(c *cluster, at int) {
	refresh := members(c.T, c.redeem(c.approve(c.push())))["refresh_token"].(string)
	c.log.Before(at, func() { c.at(1, c.request("budgetly", "/revoke", "token", refresh)) })
	if got := members(c.T, c.at(0, c.refreshing(refresh))); got["access_token"] == nil || c.active(got["access_token"].(string)) {
		c.Errorf("got %v", got)
	}
}

func revocationByRefresh(c *cluster, at int) {
	refresh := members(c.T, c.redeem(c.approve(c.push())))["refresh_token"].(string)
	var got map[string]any
	c.log.Before(at, func() { got = members(c.T, c.at(1, c.refreshing(refresh))) })
	if w := c.at(0, c.request("budgetly", "/revoke", "token", refresh)); w.Code != http.StatusOK || c.active(got["access_token"].(string)) {
		c.Errorf("revoked: %d, and the token of the refresh is %v", w.Code, got)
	}
}

func approvalByReload(c *cluster, at int) {
	page, again := c.consentPage()
	other := ""
	c.log.Before(at, func() { other = c.afterReload(again) })
	code, _ := c.answer(page, "approve")
	if code == "" {
		code = other
	}
	c.wholly(code)
}

func approvalByNo(c *cluster, at int) {
	page, _ := c.consentPage()
	refusal := ""
	c.log.Before(at, func() { _, refusal = c.answer(page, "cancel") })
	code, _ := c.answer(page, "approve")
	if (refusal != "") != (at == 1) || (code == "") != (at == 1) {
		c.Errorf("before append %d: the no got %q and the yes %q", at, refusal, code)
	}
}

func completionByAnother(c *cluster, at int) {
	page, again := c.consentPage()
	c.cutting(storetest.Cut{At: 1, Written: true, Err: errPower}, func() { c.answer(page, "approve") })
	decided, _ := c.browse("GET", again, nil)
	other := ""
	c.log.Before(at, func() { other = c.afterReload(again) })
	code, _ := c.answer(decided, "continue")
	if code == "" || other == "" {
		c.Fatalf("before append %d: the codes are %q and %q", at, code, other)
	}
	c.wholly(code)
	c.spent(other)
}
