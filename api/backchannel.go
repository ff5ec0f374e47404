package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
)

// authenticateBackchannel serves the backchannel authentication endpoint
// (CIBA, Section 7), in the order of Section 7.2. A request that is refused
// writes nothing.
func (s *Server) authenticateBackchannel(v *visit) error {
	if !v.Tenant.backchannel() {
		e := oauth.Refuse(oauth.InvalidRequest, "RFC 9110 §15.5.5", "this issuer offers no backchannel authentication")
		return &httpError{e, http.StatusNotFound, 0}
	}
	params, raw, err := form(v.Request())
	if err != nil {
		return err
	}
	c, err := s.authenticate(v, params)
	if err != nil {
		return err
	}
	asked, err := s.asked(v, c, params)
	if err != nil {
		return err
	}
	bound, err := s.keyShown(v, c)
	if err != nil {
		return err
	}
	if asked.subject, err = s.askedCustomer(v, c, asked.BackchannelRequest); err != nil {
		return err
	}
	asked.body = withoutCredentials(raw, "client_notification_token", "user_code")
	answer, err := s.acknowledge(v, c, asked, bound)
	if err != nil {
		return err
	}
	return v.JSON(http.StatusOK, answer) // CIBA §7.3
}

// backchannel reports whether an issuer offers backchannel authentication.
func (t Tenant) backchannel() bool {
	return t.Profile.DeliveryModes.Demanded() && t.Profile.GrantTypes.Permits(oauth.GrantCIBA)
}

// An asking is an authentication request that the profile permits, whom it
// means, and what is kept of it.
type asking struct {
	oauth.BackchannelRequest
	key     client.KeySeen // that signed the request
	subject string
	body    string
}

// asked reads the request out of the form, or out of the signed request in it,
// and checks it.
func (s *Server) asked(v *visit, c *caller, params url.Values) (asking, error) {
	issuer, profile, compact := v.Tenant.Server(), v.Tenant.Profile, params.Get("request")
	issuer.Now = v.At
	if err := oauth.CheckBackchannelClient(c.Client); err != nil {
		return asking{}, err
	}
	if err := profile.CheckSigning(compact != "", c.Client); err != nil {
		return asking{}, err
	}
	if err := c.ProvesSector(compact != ""); err != nil {
		return asking{}, err
	}
	a := asking{BackchannelRequest: oauth.ParseBackchannelForm(params)}
	if compact != "" {
		var err error
		if a, err = s.signedRequest(v, c, params, compact); err != nil {
			return a, err
		}
	}
	if err := profile.CheckBackchannel(a.BackchannelRequest, c.Client, issuer); err != nil {
		return a, err
	}
	if a.AuthorizationDetails != "" && !v.Tenant.Settings.Accounts {
		return a, oauth.Refuse(oauth.InvalidAuthorizationDetails, "RFC 9396 §5", "this issuer offers no authorization_details")
	}
	return a, nil
}

// signedRequest verifies a signed request (CIBA, Section 7.1.1). It is good
// once.
func (s *Server) signedRequest(v *visit, c *caller, params url.Values, compact string) (asking, error) {
	ctx := v.Request().Context()
	if err := oauth.CheckSignedForm(params); err != nil {
		return asking{}, err
	}
	fact, key, err := s.ClientKeys.Request(ctx, c.Client, v.Tenant, compact)
	if err != nil {
		return asking{}, &oauth.Error{Code: oauth.InvalidRequest, By: "CIBA §7.1.1", Description: "the signed request does not verify", Cause: err}
	}
	if err := v.Tenant.Profile.CheckSignedRequest(fact, c.Client, oauth.Judging{Now: v.At, Issuer: v.Tenant.URL}); err != nil {
		return asking{}, err
	}
	r, err := oauth.ParseBackchannelClaims(fact.Claims)
	if err != nil {
		return asking{}, err
	}
	c.guard(onceKey(fact.Expires, v.At, "request", v.Tenant.ID, c.ID, fact.ID),
		oauth.Refuse(oauth.InvalidRequest, "CIBA §7.1.1", "the signed request was used before"))
	return asking{BackchannelRequest: r, key: key}, nil
}

// keyShown returns the key that the client shows here, which binds the tokens
// that will be pushed (CIBA, Section 5). A client that polls shows it again at
// the token endpoint.
func (s *Server) keyShown(v *visit, c *caller) (token.Confirmation, error) {
	proof, err := s.proof(v, c, "/bc-authorize")
	pushed := c.DeliveryMode == oauth.Push
	switch {
	case err != nil:
		return token.Confirmation{}, err
	case proof != nil:
		return token.Confirmation{JKT: proof.Thumbprint}, nil
	case pushed && c.DPoPBoundTokens:
		return token.Confirmation{}, oauth.Refuse(oauth.InvalidDPoPProof, "CIBA §5", "a DPoP proof is required, which the pushed tokens are bound to")
	case c.TLSBoundTokens && c.Certificate != nil:
		return s.bindToCertificate(v, c)
	case pushed && c.TLSBoundTokens:
		return token.Confirmation{}, oauth.Refuse(oauth.InvalidRequest, "CIBA §5", "a client certificate is required on the mutual-TLS endpoint")
	}
	return token.Confirmation{}, nil
}

// acknowledge records a request and hands out its auth_req_id. What the client
// will be called with is kept before, because the log must not have it.
func (s *Server) acknowledge(v *visit, c *caller, a asking, bound token.Confirmation) (acknowledgement, error) {
	ctx, settings := v.Request().Context(), v.Tenant.Settings
	id, life := newArtefact(), a.Lifetime(settings.BackchannelLifetime, settings.BackchannelLongest)
	stream := s.Backchannels.Stream(id.ID)
	answer := acknowledgement{AuthReqID: id.Text(), ExpiresIn: seconds(life)}
	e := a.requested(c, id, v.At.Add(life), bound)
	if c.DeliveryMode != oauth.Push {
		answer.Interval = seconds(settings.BackchannelInterval)
		e.Interval = int(answer.Interval)
	}
	if err := s.recordKeys(ctx, c, a.key); err != nil {
		return answer, err
	}
	if err := s.keepWaiting(ctx, string(stream), e, id, a.NotificationToken); err != nil {
		return answer, err
	}
	c.Meta.Subject, c.Meta.Correlation = a.subject, string(stream)
	_, err := s.Journal.Commit(ctx, c.Meta, eventstore.Draft{Stream: stream, Expect: eventstore.Absent(), Events: []any{e}, Once: c.Once})
	if errors.Is(err, eventstore.ErrReplay) { // certainly not written
		err = errors.Join(replayed(c, err), s.forgetWaiting(ctx, string(stream), e))
	}
	return answer, err
}

// requested is the event of a request.
func (a asking) requested(c *caller, id oauth.Artefact, expires time.Time, bound token.Confirmation) backchannel.Requested {
	e := backchannel.Requested{
		Client: c.ID, Subject: a.subject, Digest: id.Digest(), Expires: expires, Mode: c.DeliveryMode, Hint: a.Hints()[0],
		Scope: strings.Join(a.Scopes(), " "), Resources: a.Resource, ACRValues: strings.Fields(a.ACRValues),
		Details: a.AuthorizationDetails, BindingMessage: a.BindingMessage,
		Body: a.body, RequestKey: a.key.Thumbprint, JKT: bound.JKT, X5TS: bound.X5TS, Evidence: c.Evidence,
	}
	if a.RequestContext != "" {
		e.Context = json.RawMessage(a.RequestContext)
	}
	if c.DeliveryMode != oauth.Poll {
		sum := sha256.Sum256([]byte(a.NotificationToken))
		e.Notification = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return e
}

// A waiting is what is kept of a request until the client was told (CIBA,
// Section 10.2), because the log must not have it.
type waiting struct {
	AuthReqID         string `json:"auth_req_id"`
	NotificationToken string `json:"client_notification_token"`
}

func (s *Server) keepWaiting(ctx context.Context, stream string, e backchannel.Requested, id oauth.Artefact, token string) error {
	if e.Mode == oauth.Poll {
		return nil
	}
	secret, err := json.Marshal(waiting{id.Text(), token})
	if err != nil {
		return err
	}
	return s.Waiting.Keep(ctx, stream, secret, e.Expires.Add(lateness))
}

func (s *Server) forgetWaiting(ctx context.Context, stream string, e backchannel.Requested) error {
	if e.Mode == oauth.Poll {
		return nil
	}
	return s.Waiting.Forget(ctx, stream)
}

// acknowledgement is CIBA, Section 7.3.
type acknowledgement struct {
	AuthReqID string `json:"auth_req_id"`
	ExpiresIn int64  `json:"expires_in"`
	Interval  int64  `json:"interval,omitempty"` // of poll and ping
}
