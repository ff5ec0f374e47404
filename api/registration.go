package api

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/chirograph/chirograph/domain/oauth"
)

// A registrationRequest is the metadata of a client as it was sent.
type registrationRequest struct {
	raw      string // byte for byte
	metadata oauth.ClientMetadata
	client   string // client_id, in an update only
}

// neverSent are members that only the server may fill (RFC 7592, Section 2.2).
// They are refused rather than ignored, because the log keeps the body as it
// was received, and no live secret may come into the log.
var neverSent = []string{
	"registration_access_token", "registration_client_uri", "client_id_issued_at", "client_secret", "client_secret_expires_at",
}

// registrationBody reads the metadata in a JSON body of at most 64 KiB. Members
// that the server does not know are ignored, and so are those whose name
// differs from a registered one in the case of a letter (RFC 7591, Section 2).
func registrationBody(r *http.Request) (registrationRequest, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		e := oauth.Refuse(oauth.InvalidClientMetadata, "RFC 7591 §3.1", "the media type must be application/json")
		return registrationRequest{}, &httpError{e, http.StatusUnsupportedMediaType, 0}
	}
	raw, err := body(r)
	if err != nil {
		return registrationRequest{}, err
	}
	return parseRegistration(raw)
}

func parseRegistration(raw []byte) (registrationRequest, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil || members == nil || !utf8.Valid(raw) {
		return registrationRequest{}, oauth.Refuse(oauth.InvalidClientMetadata, "RFC 7591 §3.1", "the body must be a JSON object")
	}
	for name := range members {
		if slices.ContainsFunc(neverSent, func(n string) bool { return strings.EqualFold(n, name) }) {
			return registrationRequest{}, oauth.Refuse(oauth.InvalidClientMetadata, "RFC 7592 §2.2", "the server's own members and secrets must not be sent")
		}
		if strings.ContainsFunc(name, notInMember) {
			delete(members, name) // the decoder would take it for the name in lower case
		}
	}
	sent := registrationRequest{raw: string(raw)}
	exact, err := json.Marshal(members)
	if err == nil {
		err = json.Unmarshal(exact, &sent.metadata)
	}
	if err == nil && members["client_id"] != nil {
		err = json.Unmarshal(members["client_id"], &sent.client)
	}
	if err != nil {
		return sent, wrongType(err)
	}
	return sent, nil
}

func notInMember(c rune) bool { return !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_') }

func wrongType(err error) error {
	name := "a member"
	if bad, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && bad.Field != "" {
		name = bad.Field
	}
	return oauth.Refuse(oauth.InvalidClientMetadata, "RFC 7591 §2", name+" has a value of the wrong type")
}

// acceptable returns the metadata with which a client is registered, or the
// first reason why the issuer's profile does not permit it.
func (s *Server) acceptable(v *visit, sent registrationRequest) (oauth.ClientMetadata, error) {
	m := sent.metadata
	switch scopes := strings.Fields(m.Scope); {
	case len(m.Resources) > 0:
		return m, oauth.Refuse(oauth.InvalidClientMetadata, "RFC 7662 §4", "resource servers are registered by the operator only")
	case slices.ContainsFunc(scopes, handedOut):
		return m, oauth.Refuse(oauth.InvalidClientMetadata, "RFC 7591 §2", "scope has a value that only the operator grants")
	case m.SoftwareStatement != "" && !compactJWS(m.SoftwareStatement):
		return m, oauth.Refuse(oauth.InvalidSoftwareStatement, "RFC 7591 §2.3", "software_statement must be a signed JWT of at most 16 KiB")
	case len(scopes) == 0:
		m.Scope = strings.Join(slices.DeleteFunc(slices.Clone(v.Tenant.Settings.Scopes), handedOut), " ")
	}
	m, err := s.ClientKeys.Check(m.Defaults(v.Tenant.Profile))
	if _, refused := errors.AsType[*oauth.Error](err); err != nil && !refused {
		return m, &oauth.Error{Code: oauth.InvalidClientMetadata, By: "RFC 7591 §2", Description: "jwks or the registered subject could never verify", Cause: err}
	}
	if err != nil {
		return m, err
	}
	if err := v.Tenant.Profile.CheckClient(m, v.Tenant.Server()); err != nil {
		return m, err
	}
	if err := s.CheckSector(v.Request().Context(), v.Tenant, m); err != nil {
		return m, err
	}
	return m, s.CheckSigning(v.Request().Context(), v.Tenant.ID, m)
}

const maxStatement = 16 << 10

// compactJWS reports whether a software statement has the form of one. It is
// kept as received: no authority is configured whose signature would mean
// anything, so its claims are not believed and override nothing.
func compactJWS(s string) bool {
	parts := strings.Split(s, ".")
	if len(s) > maxStatement || len(parts) != 3 {
		return false
	}
	for i, part := range parts {
		raw, err := base64.RawURLEncoding.DecodeString(part)
		var object map[string]json.RawMessage
		if err != nil || len(raw) == 0 || i < 2 && json.Unmarshal(raw, &object) != nil {
			return false
		}
	}
	return true
}
