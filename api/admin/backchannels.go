package admin

import (
	"slices"

	"github.com/chirograph/chirograph/projections"
)

// requestStates are those by which backchannel requests can be listed.
var requestStates = []string{"", "requested", "shown", "approved", "denied", "redeemed", "failed", "expired"}

func (s *Server) listBackchannels(c *call) (any, error) {
	page, err := s.paged(c, "client", "subject", "status")
	if err != nil {
		return nil, err
	}
	if !slices.Contains(requestStates, c.param("status")) {
		return nil, invalid("status must be requested, shown, approved, denied, redeemed, failed or expired")
	}
	return s.Projections.Backchannels.List(c.Context(), projections.BackchannelQuery{
		Client: c.param("client"), Subject: c.param("subject"), Status: c.param("status"), Page: page,
	})
}

func (s *Server) getBackchannel(c *call) (any, error) {
	if err := s.Current(c.Context()); err != nil {
		return nil, err
	}
	id := c.PathValue("backchannel")
	found, known, err := s.Projections.Backchannels.Get(c.Context(), id)
	if err == nil && !known {
		err = notFound("there is no backchannel request " + id)
	}
	return found, err
}
