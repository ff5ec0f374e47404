// Package openid holds the profiles of OpenID Connect that are not FAPI's, one
// line a demand.
package openid

import (
	"time"

	. "github.com/chirograph/chirograph/domain/oauth"
)

// CIBA is OpenID Connect Client-Initiated Backchannel Authentication, Core
// 1.0, in every delivery mode. Clients that no profile of FAPI binds may sign
// with more algorithms, leave their requests unsigned and have bearer tokens.
// What such a client does by redirect follows RFC 9700.
var CIBA = Profile{
	Name:                "openid-ciba-core",
	Title:               "OpenID Connect CIBA Core 1.0",
	ConfidentialClients: Must("CIBA §4"),
	ClientAuth:          Only("private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth").SaidBy("RFC 9700 §2.5"),
	SigningAlgs:         Only("ES256", "PS256", "EdDSA", "Ed25519").SaidBy("CIBA §4"),
	GrantTypes:          Only(GrantCIBA, "authorization_code", "refresh_token", "client_credentials").SaidBy("CIBA §4"),
	DeliveryModes:       Only(Poll, Ping, Push).SaidBy("CIBA §5"),
	SignedRequestLife:   AtMost(24 * time.Hour).SaidBy("CIBA §7.1.1"),
	NoRotation:          Must("RFC 9700 §2.2.2"),
	ResponseTypes:       Only("code").SaidBy("RFC 9700 §2.1.2"),
	PushedOnly:          Must("RFC 9126 §5"),
	PKCE:                Only("S256").SaidBy("RFC 9700 §2.1.1"),
	RedirectURI:         Must("OIDC-Core §3.1.2.1"),
	SecureRedirect:      Must("RFC 9700 §2.6"),
	IssParameter:        Must("RFC 9207 §2"),
	HeaderTokens:        Must("RFC 9700 §4.3.2"),
	CodeLifetime:        AtMost(10 * time.Minute).SaidBy("RFC 6749 §4.1.2"),
	PushedLifetime:      AtMost(599 * time.Second).SaidBy("RFC 9126 §2.2"),
	ClockAhead:          AtMost(60 * time.Second).SaidBy("RFC 7519 §4.1.5"),
	ClockAccept:         AtMost(10 * time.Second).SaidBy("RFC 7519 §4.1.5"),
}

// Profiles are those of this package, by name.
var Profiles = map[string]Profile{CIBA.Name: CIBA}
