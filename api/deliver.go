package api

import (
	"context"
	"fmt"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/eventstore"
)

// A Message is what a delivery sends: a POST.
type Message struct {
	Issuer string // id, for the rules of outbound requests
	URL    string
	Media  string
	Bearer string // client_notification_token, "" for none
	Accept string
	Body   []byte
}

// Obliging are the categories of the streams whose events [Server.Schedule]
// has something to do for.
var Obliging = []string{"backchannel", "consent", "delivery"}

// Schedule schedules what an event obliges the platform to tell others, and
// returns the ids of the deliveries that it scheduled. It may be called again
// with the same event: what is scheduled already is not scheduled twice.
func (s *Server) Schedule(ctx context.Context, e eventstore.Decoded) ([]string, error) {
	switch body := e.Body.(type) {
	case backchannel.Requested:
		return s.tellDevices(ctx, e, body)
	case backchannel.Approved, backchannel.Denied, backchannel.Failed, backchannel.Expired:
		return s.tellAnswer(ctx, e)
	case delivery.Delivered:
		return nil, s.afterDelivery(ctx, e)
	}
	if what, told := changed(e.Body); told {
		return s.tellChange(ctx, e, what)
	}
	return nil, nil
}

// Compose returns what a delivery sends, the same bytes each time. [ErrGone]
// if what is to be sent is no longer kept, or is no longer for the receiver.
func (s *Server) Compose(ctx context.Context, _ string, d delivery.State) (m Message, err error) {
	told := d.Scheduled()
	m = Message{URL: told.Receiver, Media: told.Media, Body: []byte(told.Body)}
	switch told.Kind {
	case delivery.Device:
		m.Issuer, err = s.issuerOfDevice(ctx, told)
	default:
		m.Issuer, err = s.issuerOfClient(ctx, told)
	}
	if err == nil {
		err = s.mayTell(ctx, m.Issuer)
	}
	if err != nil {
		return Message{}, err
	}
	switch told.Kind {
	case delivery.Ping, delivery.Push:
		m.Bearer, m.Body, err = s.answer(ctx, told)
	case delivery.Webhook:
		m.Accept = "application/json" // RFC 8935 §2.1
	}
	if err == nil && digest(m.Body) != told.Digest {
		err = fmt.Errorf("%w: what is kept is not what was scheduled", ErrGone)
	}
	if err != nil {
		return Message{}, err
	}
	return m, nil
}

// issuerOfClient returns whose client it is, if it is to be told anything, and
// still there: an endpoint that it gave up may be somebody else's by now.
func (s *Server) issuerOfClient(ctx context.Context, told delivery.Scheduled) (string, error) {
	c, _, err := s.Clients.Get(ctx, told.Client)
	to := c.Metadata().NotificationEndpoint
	if told.Kind == delivery.Webhook {
		to = c.Metadata().EventEndpoint
	}
	switch {
	case err != nil:
	case !c.Active():
		err = fmt.Errorf("%w: the client is suspended or deleted", ErrGone)
	case to != told.Receiver:
		err = fmt.Errorf("%w: the client has another endpoint now, or none", ErrGone)
	}
	return c.Issuer(), err
}

// mayTell returns why an issuer tells nobody anything.
func (s *Server) mayTell(ctx context.Context, issuer string) error {
	t, found, err := s.Tenant(ctx, issuer)
	if err == nil && (!found || !t.Active) {
		err = fmt.Errorf("%w: the issuer is suspended", ErrGone)
	}
	return err
}
