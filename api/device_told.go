package api

import (
	"context"
	"slices"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/event"
)

// told is what an open page was told.
type told struct {
	version string   // of the list
	of      []string // requests
}

// tellWithin bounds how long a page waits for the log to take that it is told.
const tellWithin = time.Second

// noteTold records that an open page is told of requests, in so far as that is
// news, before it is: so that the log has it before what the customer does next.
// If the log does not take it, the page is told all the same.
func (s *Server) noteTold(left context.Context, v *visit, who Session, page *told, waiting []PendingRequest) {
	before := page.of
	page.of = nil
	ctx, done := context.WithTimeout(left, tellWithin)
	defer done()
	slow := false
	for _, w := range waiting {
		page.of = append(page.of, w.ID)
		if slices.Contains(before, w.ID) {
			continue
		}
		m := s.meta(v, event.ActorSystem)
		m.Client, m.Subject, m.Session, m.Correlation = w.Client, who.Subject, who.ID, string(s.Backchannels.Stream(w.ID))
		cmd := backchannel.NotifyDevice{DeviceNotified: backchannel.DeviceNotified{Device: backchannel.PhonePage}}
		_, err := s.Backchannels.Execute(ctx, m, w.ID, cmd)
		if err != nil && left.Err() == nil && !slow {
			s.Log.WarnContext(ctx, "that a phone page is told is not recorded", "backchannel", w.ID, "err", err)
			slow = ctx.Err() != nil // and no other request has time either
		}
	}
}
