package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

// readRegistration returns a client's registration (RFC 7592, Section 2.1).
func (s *Server) readRegistration(v *visit) error {
	state, management, err := s.managed(v)
	if err != nil {
		return err
	}
	known, err := s.describeClient(v.Request().Context(), v, management, state.Metadata())
	if err != nil {
		return err
	}
	return v.JSON(http.StatusOK, known)
}

// updateRegistration replaces a client's metadata as a whole: what is left out
// is as if it had never been registered (RFC 7592, Section 2.2).
func (s *Server) updateRegistration(v *visit) error {
	_, management, err := s.managed(v)
	if err != nil {
		return err
	}
	sent, err := registrationBody(v.Request())
	if err != nil {
		return err
	}
	if sent.client != management.ID {
		return oauth.Refuse(oauth.InvalidClientMetadata, "RFC 7592 §2.2", "client_id must be that of the registration")
	}
	m, err := s.acceptable(v, sent)
	if err != nil {
		return err
	}
	ctx := v.Request().Context()
	_, err = s.Clients.Execute(ctx, s.managing(v, management), management.ID, client.Update{Updated: client.Updated{
		Metadata: m, Statement: m.SoftwareStatement, Body: sent.raw, Via: viaRegistration,
	}})
	if err != nil {
		return s.unlessGone(v, tooLarge(err))
	}
	known, err := s.describeClient(ctx, v, management, m)
	if err != nil {
		return err
	}
	return v.JSON(http.StatusOK, known)
}

// deleteRegistration ends a client and with it every token it holds (RFC 7592,
// Section 2.3).
func (s *Server) deleteRegistration(v *visit) error {
	_, management, err := s.managed(v)
	if err != nil {
		return err
	}
	end := client.Delete{Deleted: client.Deleted{By: "client"}}
	if _, err := s.Clients.Execute(v.Request().Context(), s.managing(v, management), management.ID, end); err != nil {
		return s.unlessGone(v, err)
	}
	return v.NoContent(http.StatusNoContent)
}

func (s *Server) managing(v *visit, management oauth.Artefact) event.Meta {
	v.caller = management.ID
	return s.meta(v, event.ActorClient)
}

// managed returns the client whose registration access token was presented, if
// the request is about that client. A client that is unknown, another issuer's,
// suspended or deleted gets the answer to a bad token (RFC 7592, Section 2).
func (s *Server) managed(v *visit) (client.State, oauth.Artefact, error) {
	p, err := resource.Present(v.Request(), nil, nil)
	if err != nil {
		return client.State{}, oauth.Artefact{}, s.unmanaged(v, err)
	}
	presented, wellFormed := oauth.ParseArtefact(p.Token)
	if !wellFormed || presented.ID != v.Param("client") || !strings.EqualFold(p.Scheme, "Bearer") {
		return client.State{}, presented, s.unmanaged(v, errNotManaged)
	}
	state, err := s.managedBy(v.Request().Context(), v, presented)
	return state, presented, s.unmanaged(v, err)
}

var errNotManaged error = oauth.Refuse(oauth.InvalidToken, "RFC 7592 §2", "the registration access token is not valid for this client")

func (s *Server) managedBy(ctx context.Context, v *visit, presented oauth.Artefact) (client.State, error) {
	state, _, err := s.Clients.Get(ctx, presented.ID)
	if err != nil {
		return state, err
	}
	if !state.Active() || state.Issuer() != v.Tenant.ID || !presented.Matches(state.Management()) {
		return client.State{}, errNotManaged
	}
	return state, nil
}

// unmanaged challenges for a registration access token, which is a bearer
// token and nothing else.
func (s *Server) unmanaged(v *visit, err error) error {
	refusal, known := errors.AsType[*oauth.Error](err)
	if known {
		challenge := "Bearer"
		if err != resource.ErrNoToken {
			challenge += ` error="` + string(refusal.Code) + `", error_description="` + describe(refusal) + `"`
		}
		v.Response().Header().Set("WWW-Authenticate", challenge)
	}
	return err
}

// unlessGone answers who was deleted meanwhile.
func (s *Server) unlessGone(v *visit, err error) error {
	if errors.Is(err, client.ErrDeleted) || errors.Is(err, client.ErrUnknown) {
		return s.unmanaged(v, errNotManaged)
	}
	return err
}
