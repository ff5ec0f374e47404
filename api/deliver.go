package api

import (
	"context"

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

// Schedule schedules what an event obliges the platform to tell others, and
// returns the ids of the deliveries that it scheduled. It may be called again
// with the same event: what is scheduled already is not scheduled twice.
func (s *Server) Schedule(ctx context.Context, e eventstore.Decoded) ([]string, error) {
	return nil, nil
}

// Compose returns what a delivery sends, the same bytes each time. [ErrGone]
// if what is to be sent is no longer kept.
func (s *Server) Compose(ctx context.Context, id string, d delivery.State) (Message, error) {
	return Message{}, ErrGone
}
