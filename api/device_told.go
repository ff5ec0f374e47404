package api

import (
	"context"
	"slices"
	"sync"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/event"
)

// told is what an open page was told.
type told struct {
	version string   // of the list
	of      []string // requests
	noting  sync.WaitGroup
}

// noteTold records that an open page was told of requests, in so far as that is
// news. The page does not wait for it, and it is no failure of the page's if
// the log does not take it.
func (s *Server) noteTold(ctx context.Context, v *visit, who Session, page *told, waiting []PendingRequest) {
	var ids []string
	news := map[string]event.Meta{}
	for _, w := range waiting {
		ids = append(ids, w.ID)
		if slices.Contains(page.of, w.ID) {
			continue
		}
		m := s.meta(v, event.ActorSystem)
		m.Client, m.Subject, m.Session, m.Correlation = w.Client, who.Subject, who.ID, string(s.Backchannels.Stream(w.ID))
		news[w.ID] = m
	}
	page.of = ids
	if len(news) == 0 {
		return
	}
	page.noting.Go(func() {
		ctx, done := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
		defer done()
		for id, m := range news {
			cmd := backchannel.NotifyDevice{DeviceNotified: backchannel.DeviceNotified{Device: backchannel.PhonePage}}
			if _, err := s.Backchannels.Execute(ctx, m, id, cmd); err != nil {
				s.Log.WarnContext(ctx, "that a phone page was told is not recorded", "backchannel", id, "err", err)
			}
		}
	})
}
