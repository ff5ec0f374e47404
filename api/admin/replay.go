package admin

import (
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/projections"
)

// stateAt tells what a stream said of itself at a past moment.
func (s *Server) stateAt(c *call) (any, error) {
	if err := c.only("stream", "at"); err != nil {
		return nil, err
	}
	at, err := c.moment("at")
	if err != nil {
		return nil, err
	}
	stream, err := c.stream()
	if err != nil {
		return nil, err
	}
	state, err := s.Projections.Audit.StateAt(c.Context(), stream, at)
	if err == nil && len(state.Events) == 0 {
		return nil, notFound("the stream " + string(stream) + " has no event by then")
	}
	return state, err
}

// diff tells what changed in a stream between two moments.
func (s *Server) diff(c *call) (any, error) {
	if err := c.only("stream", "from", "to"); err != nil {
		return nil, err
	}
	from, err := c.moment("from")
	if err != nil {
		return nil, err
	}
	to, err := c.moment("to")
	if err != nil {
		return nil, err
	}
	stream, err := c.stream()
	if err != nil {
		return nil, err
	}
	return s.Projections.Audit.Diff(c.Context(), stream, from, to)
}

func (c *call) stream() (eventstore.Stream, error) {
	stream := eventstore.Stream(c.param("stream"))
	if stream.Category() == "" || stream.ID() == "" || len(stream) > eventstore.MaxStreamName {
		return "", invalid("stream must be a kind and an id, such as consent-0198")
	}
	return stream, nil
}

// moment reads a position, a time or "now".
func (c *call) moment(name string) (projections.Moment, error) {
	m, err := projections.ParseMoment(c.param(name))
	if err != nil {
		return m, invalid(name + ": " + err.Error())
	}
	return m, nil
}
