package projections

import (
	"encoding/json"
	"time"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/signingkey"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/domain/token"
)

// fields is the state of an aggregate as a person wants to read it. Digests of
// secrets and the evidence of single requests are not part of it.
type fields map[string]any

// describe folds the events of a stream of some category and tells the state,
// judged at an instant, in the types of JSON. It knows nothing of categories
// without an aggregate.
func describe(category string, bodies []any, at time.Time) (map[string]any, error) {
	var f fields
	switch category {
	case "consent":
		f = describeConsent(folded[consent.State, consent.Event](bodies), at)
	case "client":
		f = describeClient(folded[client.State, client.Event](bodies))
	case "token":
		f = describeToken(folded[token.State, token.Event](bodies), at)
	case "refresh":
		f = describeRefresh(folded[token.Refresh, token.RefreshEvent](bodies), at)
	case "authorization":
		f = describeJourney(folded[authorization.State, authorization.Event](bodies))
	case "backchannel":
		f = describeRequest(folded[backchannel.State, backchannel.Event](bodies), at)
	case "delivery":
		f = describeDelivery(folded[delivery.State, delivery.Event](bodies))
	case "issuer":
		f = describeIssuer(folded[issuer.State, issuer.Event](bodies))
	case "signingkey":
		f = describeKey(folded[signingkey.State, signingkey.Event](bodies), at)
	case "subject":
		f = describeSubject(folded[subject.State, subject.Event](bodies))
	default:
		return nil, nil
	}
	return f.json()
}

// json turns the fields into the types of JSON and leaves empty ones out.
func (f fields) json() (map[string]any, error) {
	text, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	var plain map[string]any
	if err := json.Unmarshal(text, &plain); err != nil {
		return nil, err
	}
	for name, v := range plain {
		switch v := v.(type) {
		case nil:
			delete(plain, name)
		case string:
			if v == "" {
				delete(plain, name)
			}
		case []any:
			if len(v) == 0 {
				delete(plain, name)
			}
		}
	}
	return plain, nil
}

func folded[S evolver[S, E], E any](bodies []any) S {
	var s S
	for _, b := range bodies {
		if own, ok := b.(E); ok {
			s = s.Evolve(own)
		}
	}
	return s
}

// when leaves out an instant that was never set.
func when(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC()
}

func describeConsent(s consent.State, at time.Time) fields {
	return fields{
		"status": s.Status(), "permits": s.Alive(at), "client_id": s.Client(), "sub": s.Subject(),
		"scope": s.Scope(), "authorization_details": s.Details(), "expires_at": when(s.Expires()),
	}
}

func describeClient(s client.State) fields {
	status := "deleted"
	switch {
	case s.Active():
		status = "active"
	case s.Suspended():
		status = "suspended"
	}
	return fields{"status": status, "issuer": s.Issuer(), "metadata": s.Metadata()}
}

func describeToken(s token.State, at time.Time) fields {
	t := s.Issued()
	return fields{
		"status": lifeOf(s.Revoked(), t.Expires, at), "client_id": t.Client, "sub": t.Subject, "consent_id": t.Consent,
		"authorization": t.Authorization, "refresh": t.Refresh, "scope": t.Scope, "authorization_details": t.Details,
		"aud": t.Audience, "cnf": t.Confirmation, "kid": t.Key, "acr": t.ACR,
		"auth_time": when(t.AuthTime), "expires_at": when(t.Expires),
	}
}

func describeRefresh(s token.Refresh, at time.Time) fields {
	t := s.Issued()
	return fields{
		"status": lifeOf(s.Revoked(), t.Expires, at), "client_id": t.Client, "sub": t.Subject, "consent_id": t.Consent,
		"authorization": t.Authorization, "scope": t.Scope, "resource": t.Resources, "expires_at": when(t.Expires),
	}
}

func lifeOf(revoked bool, expires, at time.Time) string {
	switch {
	case revoked:
		return "revoked"
	case !at.Before(expires):
		return "expired"
	}
	return "issued"
}

func describeJourney(s authorization.State) fields {
	r, person, grant, spent := s.Request(), s.Person(), s.Grant(), s.Redeemed()
	return fields{
		"status": s.Status(), "client_id": s.Client(), "scope": r.Scope, "redirect_uri": r.RedirectURI,
		"request_expires_at": when(s.Expires()), "sub": person.Subject, "acr": person.ACR, "amr": person.AMR,
		"auth_time": when(person.AuthTime), "consent_id": grant.Consent, "granted_scope": grant.Scope,
		"granted_details": grant.Details, "token": spent.Token, "refresh": spent.Refresh,
	}
}

func describeIssuer(s issuer.State) fields {
	status := "suspended"
	if s.Active() {
		status = "active"
	}
	return fields{
		"status": status, "issuer": s.URL(), "profile": s.Profile(), "settings": s.Settings(), "key_policy": s.KeyPolicy(),
	}
}

func describeKey(s signingkey.State, at time.Time) fields {
	k := s.Announced()
	return fields{
		"status": s.Status(), "compromised": s.Compromised(), "published": s.Published(at),
		"issuer": k.Issuer, "alg": k.Algorithm, "use": k.Use, "jwk": k.JWK,
	}
}

func describeSubject(s subject.State) fields {
	status := "enrolled"
	if s.Erased() {
		status = "erased"
	}
	return fields{"status": status, "issuer": s.Issuer(), "name": s.Name(), "roles": s.Roles(), "on_hold": s.Held()}
}
