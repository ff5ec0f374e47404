package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/oauth"
)

// maxHold is how long a poll is held at most: shorter than answerWithin, and
// than the 30 seconds of CIBA, Section 10.1.
const maxHold = 10 * time.Second

// holdPoll waits for the customer's answer as long as the client would like
// (RFC 7240, Section 4.3), and then says what there is to say. It is over
// earlier if the request expires, the client leaves or the server ends.
func (s *Server) holdPoll(v *visit, cmd backchannel.Redeem, state backchannel.State, wait time.Duration) (backchannel.State, error) {
	ctx, id := v.Request().Context(), cmd.AuthReqID.ID
	pending := state.Redeemable(cmd)
	moved, leave, ok := s.changes.watch(ofRequest(id))
	if !ok {
		return state, pending
	}
	defer leave()
	s.paces.hold(id, true)
	defer s.paces.hold(id, false)
	v.Response().Header().Set("Preference-Applied", fmt.Sprintf("wait=%d", wait/time.Second))
	over := time.NewTimer(min(wait, state.Requested().Expires.Sub(v.At)))
	defer over.Stop()
	for last := false; ; {
		var err error
		if state, _, err = s.Backchannels.Load(ctx, id); err != nil {
			return state, err
		}
		v.At = s.Now()
		cmd.At = v.At
		if err = state.Redeemable(cmd); last || !errors.Is(err, oauth.AuthorizationPending) {
			return state, err
		}
		select {
		case <-moved:
		case <-over.C:
			last = true
		case <-s.changes.ended:
			return state, err
		case <-ctx.Done():
			return state, err
		}
	}
}

// stillMay refuses a client that was suspended while it waited, or whose issuer
// was.
func (s *Server) stillMay(v *visit, c *caller) error {
	ctx := v.Request().Context()
	t, _, err := s.Tenant(ctx, v.Tenant.ID)
	if err == nil {
		err = t.open()
	}
	if err == nil {
		_, err = s.knownClient(ctx, t, c.ID)
	}
	return err
}

// interval is what the client was told to leave between polls.
func interval(asked backchannel.Requested) time.Duration {
	if asked.Interval <= 0 {
		return defaultInterval
	}
	return time.Duration(asked.Interval) * time.Second
}

// waitWanted returns how long a client prefers to wait for an answer, 0 if it
// does not say (RFC 7240, Section 4.3). The first preference counts.
func waitWanted(h http.Header) time.Duration {
	for _, line := range h.Values("Prefer") {
		for preference := range strings.SplitSeq(line, ",") {
			preference, _, _ = strings.Cut(preference, ";")
			name, value, _ := strings.Cut(preference, "=")
			if !strings.EqualFold(strings.TrimSpace(name), "wait") {
				continue
			}
			seconds, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(value), `"`), 10, 32)
			if err != nil {
				return 0
			}
			return min(time.Duration(seconds)*time.Second, maxHold)
		}
	}
	return 0
}
