package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

// register serves the client registration endpoint (RFC 7591, Section 3), which
// an access token with the scope "registration" opens.
func (s *Server) register(v *visit) error {
	if !v.Tenant.Settings.Registration {
		e := oauth.Refuse(oauth.InvalidRequest, "RFC 9110 §15.5.5", "this issuer does not register clients on request")
		return &httpError{e, http.StatusNotFound, 0}
	}
	by, err := s.mayRegister(v)
	if err != nil {
		return s.challenged(v, registrationScope, err)
	}
	sent, err := registrationBody(v.Request())
	if err != nil {
		return err
	}
	m, err := s.acceptable(v, sent)
	if err != nil {
		return err
	}
	known, err := s.admitClient(v, by, m, sent)
	if errors.Is(err, eventstore.ErrReplay) {
		return s.challenged(v, registrationScope, proofReplayed(err))
	}
	if err != nil {
		return err
	}
	return v.JSON(http.StatusCreated, known) // RFC 7591 §3.2.1
}

// admitClient records a new client. Its id is also that of its registration
// access token, so that the token names the stream it is good for.
func (s *Server) admitClient(v *visit, by registrar, m oauth.ClientMetadata, sent registrationRequest) (registration, error) {
	ctx := v.Request().Context()
	management := newArtefact()
	meta := s.meta(v, event.ActorClient)
	meta.Client, meta.Correlation = management.ID, string(s.Tokens.Stream(by.token))
	_, err := s.Clients.Execute(ctx, meta, management.ID, client.Register{Registered: client.Registered{
		Issuer: v.Tenant.ID, Metadata: m, Management: management.Digest(),
		Statement: m.SoftwareStatement, Body: sent.raw, Via: viaRegistration,
	}}, by.once...)
	if err != nil {
		return registration{}, tooLarge(err)
	}
	return s.describeClient(ctx, v, management, m)
}

const viaRegistration = "registration"

func tooLarge(err error) error {
	if !errors.Is(err, eventstore.ErrTooLarge) {
		return err
	}
	e := &oauth.Error{Code: oauth.InvalidClientMetadata, By: "RFC 7591 §3.2.2", Description: "the metadata is too long to be recorded", Cause: err}
	return &httpError{e, http.StatusRequestEntityTooLarge, 0}
}

// describeClient is the client information response (RFC 7591, Section 3.2.1;
// RFC 7592, Section 3). The log says when the client was registered.
func (s *Server) describeClient(ctx context.Context, v *visit, management oauth.Artefact, m oauth.ClientMetadata) (registration, error) {
	r := registration{
		Client: management.ID, ClientMetadata: m, AccessToken: management.Text(),
		URI: v.Tenant.URL + "/register/" + management.ID,
	}
	for first, err := range s.Journal.Log.ReadStream(ctx, s.Clients.Stream(management.ID), 0) {
		if err != nil {
			return r, err
		}
		r.IssuedAt = first.Recorded.Unix()
		break
	}
	return r, nil
}

// registration is RFC 7591, Section 3.2.1 with RFC 7592, Section 3.
type registration struct {
	Client   string `json:"client_id"`
	IssuedAt int64  `json:"client_id_issued_at"`
	oauth.ClientMetadata
	AccessToken string `json:"registration_access_token"`
	URI         string `json:"registration_client_uri"`
}
