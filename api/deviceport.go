package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"
)

// ACRDevice is an answer that the key of the customer's own device signed.
const ACRDevice = "urn:chirograph:acr:device"

// deviceScope lets an app of the bank act for a device of its customer. Only
// issuers that name it among their scopes have a device port.
const deviceScope = "device"

func (t Tenant) devicePort() bool {
	return t.backchannel() && slices.Contains(t.Settings.Scopes, deviceScope)
}

// A devicePortCall serves the app that holds an access token of a customer.
type devicePortCall func(*Server, *visit, portCaller) error

// A portCaller is an app and whose it is.
type portCaller struct {
	client  string
	subject string
	known   string // sub by which the app knows the customer
	state   subject.State
}

// onPort admits calls with an access token that has the scope device, from the
// holder of the key it is bound to, whatever else the profile permits.
func onPort(serve devicePortCall) func(*Server, *visit) error {
	return func(s *Server, v *visit) error {
		if !v.Tenant.devicePort() {
			return nothingThere("this issuer has no device port")
		}
		return s.challenged(v, deviceScope, s.servePort(v, serve))
	}
}

func (s *Server) servePort(v *visit, serve devicePortCall) error {
	ctx := v.Request().Context()
	if err := arrived(v.Request()); err != nil {
		return err
	}
	v.At = s.Now() // token and devices count as they are when all has arrived
	presented, err := s.presented(v, v.Request().URL.Path)
	if err != nil {
		return err
	}
	pass, err := s.admitToken(ctx, v, presented)
	if err != nil {
		return err
	}
	e := pass.live.token.Issued()
	if e.Subject == "" || !slices.Contains(strings.Fields(e.Scope), deviceScope) {
		return oauth.Refuse(oauth.InsufficientScope, "RFC 6750 §3.1", "the access token does not have the scope device")
	}
	if !e.Confirmation.Bound() { // a resource server that it was sent to could answer for the customer
		return oauth.Refuse(oauth.InvalidToken, "RFC 9700 §2.2.1", "the device port takes no access token but one that is bound to a key")
	}
	if err := s.rememberKeys(ctx, e.Client, pass.once); err != nil {
		return proofReplayed(err)
	}
	if len(pass.once) > 0 {
		s.offerNonce(v)
	}
	v.caller = e.Client
	state, _, err := s.Subjects.Get(ctx, e.Subject)
	if err != nil {
		return err
	}
	if !state.Active() || state.Issuer() != v.Tenant.ID {
		return oauth.Refuse(oauth.InvalidToken, "RFC 6750 §3.1", "the customer of the access token is none of this issuer's")
	}
	return portRefusal(serve(s, v, portCaller{e.Client, e.Subject, s.subjectFor(pass.live.holder, e.Subject), state}))
}

// portRefusal says of a request that cannot be answered why not. A request of
// another customer is one that does not exist.
func portRefusal(err error) error {
	conflict := func(description string) error {
		return &httpError{oauth.Refuse(oauth.InvalidRequest, "RFC 9110 §15.5.10", description), http.StatusConflict, 0}
	}
	switch {
	case errors.Is(err, backchannel.ErrUnknown), errors.Is(err, backchannel.ErrOtherSubject):
		return nothingThere("there is no such request")
	case errors.Is(err, backchannel.ErrDecided):
		return conflict("the request was answered before")
	case errors.Is(err, backchannel.ErrExpired):
		return conflict("the request has run out")
	case errors.Is(err, oauth.InvalidClient): // not the app
		return conflict("the client that asked may not act now")
	case errors.Is(err, backchannel.ErrNotShown):
		return conflict("shown is not what would be shown now: fetch the request again, and ask again")
	case errors.Is(err, errNoChoice):
		return oauth.Refuse(oauth.InvalidRequest, "RFC 9396 §6", "accounts must name at least one of those that were offered")
	}
	return err
}

// portMeta is the metadata of what an app does for its customer.
func (s *Server) portMeta(v *visit, c portCaller) event.Meta {
	m := s.meta(v, event.ActorCustomer)
	m.Client, m.Subject = c.client, c.subject
	m.Correlation = string(s.Subjects.Stream(c.subject))
	return m
}

// arrived reads a body to its end and puts it back.
func arrived(r *http.Request) error {
	raw, err := body(r)
	r.Body = io.NopCloser(bytes.NewReader(raw))
	return err
}

// portBody reads a body of one media type.
func portBody(r *http.Request, media string) ([]byte, error) {
	sent, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || sent != media {
		e := oauth.Refuse(oauth.InvalidRequest, "RFC 9110 §15.5.16", "the media type must be "+media)
		return nil, &httpError{e, http.StatusUnsupportedMediaType, 0}
	}
	return body(r)
}

// portJSON reads a JSON object that has no members but those of into.
func portJSON(r *http.Request, into any) error {
	raw, err := portBody(r, "application/json")
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return oauth.Refuse(oauth.InvalidRequest, "RFC 8259 §4", "the body is not the JSON object that is asked for")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return oauth.Refuse(oauth.InvalidRequest, "RFC 8259 §2", "something follows the JSON object")
	}
	return nil
}
