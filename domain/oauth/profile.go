package oauth

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Choice is what a profile permits for one parameter, and who says so. The
// zero Choice leaves the parameter free.
type Choice struct {
	Of []string
	By Clause
}

// A Limit is the longest life a profile permits for something. The zero Limit
// sets none.
type Limit struct {
	Max time.Duration
	By  Clause
}

// A Duty is something a profile may demand.
type Duty struct {
	Demanded bool
	By       Clause
}

func Only(values ...string) Choice       { return Choice{Of: values} }
func AtMost(d time.Duration) Limit       { return Limit{Max: d} }
func Must(by Clause) Duty                { return Duty{Demanded: true, By: by} }
func (c Choice) SaidBy(by Clause) Choice { c.By = by; return c }
func (l Limit) SaidBy(by Clause) Limit   { l.By = by; return l }

// Demanded reports whether the profile restricts the parameter at all.
func (c Choice) Demanded() bool { return len(c.Of) > 0 }

// Permits reports whether value is one of the choices.
func (c Choice) Permits(value string) bool { return !c.Demanded() || slices.Contains(c.Of, value) }

func (c Choice) check(name, value string, code Code) error {
	return refusal(!c.Permits(value), code, c.By, fmt.Sprintf("%s must be one of %s", name, strings.Join(c.Of, ", ")))
}

func (c Choice) checkAll(name string, values []string, code Code) error {
	for _, v := range values {
		if err := c.check(name, v, code); err != nil {
			return err
		}
	}
	return nil
}

// A Profile is a security profile as data. Request rules, lifetimes, client
// registration, the discovery document and docs/conformance.md are all read
// from it, so the server cannot advertise what it does not enforce.
type Profile struct {
	Name  string
	Title string

	ConfidentialClients Duty   // no token_endpoint_auth_method "none"
	ClientAuth          Choice // token_endpoint_auth_methods_supported
	AssertionAudience   Duty   // aud of an assertion is the issuer, as a string
	SigningAlgs         Choice // of everything signed, by clients and by us
	SenderBinding       Choice // "dpop", "mtls"
	CodeBinding         Duty   // dpop_jkt at the pushed request binds the code
	GrantTypes          Choice // grant_types_supported
	DeliveryModes       Choice // backchannel_token_delivery_modes_supported, where the CIBA grant is
	SignedBackchannel   Duty   // authentication requests are signed
	BackchannelContext  Duty   // a unique authorization context, or binding_message
	SignedRequestLife   Limit  // from nbf to exp of a signed authentication request
	NoRotation          Duty   // refresh tokens are not rotated

	ResponseTypes  Choice // response_types_supported
	PushedOnly     Duty   // require_pushed_authorization_requests
	PKCE           Choice // code_challenge_methods_supported
	RedirectURI    Duty   // in the pushed request, even if one is registered
	SecureRedirect Duty   // https, or loopback http of a native client
	IssParameter   Duty   // iss in every authorization response
	HeaderTokens   Duty   // access tokens in the Authorization header only

	CodeLifetime   Limit
	PushedLifetime Limit
	ClockAhead     Limit // how far ahead iat and nbf of received JWTs may be
	ClockAccept    Limit // how far ahead they must be accepted
}

// A Demand is one line of a profile: what it demands and who says so.
type Demand struct {
	Field  string
	Demand string
	By     Clause
}

// Demands lists every demand of p in the order of its fields.
func (p Profile) Demands() []Demand {
	choice := func(field string, c Choice) Demand { return Demand{field, strings.Join(c.Of, ", "), c.By} }
	duty := func(field, text string, d Duty) Demand { return Demand{field, text, d.By} }
	limit := func(field string, l Limit) Demand { return Demand{field, "at most " + l.Max.String(), l.By} }
	all := []Demand{
		duty("ConfidentialClients", "confidential clients only", p.ConfidentialClients),
		choice("ClientAuth", p.ClientAuth),
		duty("AssertionAudience", "the issuer identifier only, as a string", p.AssertionAudience),
		choice("SigningAlgs", p.SigningAlgs),
		choice("SenderBinding", p.SenderBinding),
		duty("CodeBinding", "dpop_jkt or the proof at the pushed request binds the code", p.CodeBinding),
		choice("GrantTypes", p.GrantTypes),
		choice("DeliveryModes", p.DeliveryModes),
		duty("SignedBackchannel", "authentication requests are signed", p.SignedBackchannel),
		duty("BackchannelContext", "authorization_details, or else binding_message, in every authentication request", p.BackchannelContext),
		limit("SignedRequestLife", p.SignedRequestLife),
		duty("NoRotation", "refresh tokens are not rotated", p.NoRotation),
		choice("ResponseTypes", p.ResponseTypes),
		duty("PushedOnly", "authorization requests are pushed", p.PushedOnly),
		choice("PKCE", p.PKCE),
		duty("RedirectURI", "redirect_uri in every pushed request", p.RedirectURI),
		duty("SecureRedirect", "no http redirect URI but loopback", p.SecureRedirect),
		duty("IssParameter", "iss in every authorization response", p.IssParameter),
		duty("HeaderTokens", "access tokens in the Authorization header only", p.HeaderTokens),
		limit("CodeLifetime", p.CodeLifetime),
		limit("PushedLifetime", p.PushedLifetime),
		limit("ClockAhead", p.ClockAhead),
		{"ClockAccept", "at least " + p.ClockAccept.Max.String(), p.ClockAccept.By},
	}
	return slices.DeleteFunc(all, func(d Demand) bool { return d.By == "" })
}
