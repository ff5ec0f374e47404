// Package fapi holds the profiles of FAPI, one line a demand.
//
// Clauses of FAPI2-SP are those of the Final edition; the clause "§5.3.2.2-2.5"
// is at https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.3.2.2-2.5.
package fapi

import (
	"time"

	. "github.com/chirograph/chirograph/domain/oauth"
)

// SecurityProfile is the FAPI 2.0 Security Profile, Final.
var SecurityProfile = Profile{
	Name:                "fapi2-security-profile-final",
	Title:               "FAPI 2.0 Security Profile (Final)",
	ConfidentialClients: Must("FAPI2-SP §5.3.2.1-2.3"),
	ClientAuth:          Only("private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth").SaidBy("FAPI2-SP §5.3.2.1-2.6"),
	AssertionAudience:   Must("FAPI2-SP §5.3.2.1-2.8"),
	SigningAlgs:         Only("ES256", "PS256", "EdDSA", "Ed25519").SaidBy("FAPI2-SP §5.4.1-2.1"),
	SenderBinding:       Only("dpop", "mtls").SaidBy("FAPI2-SP §5.3.2.1-2.5"),
	CodeBinding:         Must("FAPI2-SP §5.3.2.1-2.12"),
	GrantTypes:          Only("authorization_code", "refresh_token", "client_credentials").SaidBy("FAPI2-SP §5.3.2.1-2.2"),
	NoRotation:          Must("FAPI2-SP §5.3.2.1-2.9"),
	ResponseTypes:       Only("code").SaidBy("FAPI2-SP §5.3.2.2-2.1"),
	PushedOnly:          Must("FAPI2-SP §5.3.2.2-2.3"),
	PKCE:                Only("S256").SaidBy("FAPI2-SP §5.3.2.2-2.5"),
	RedirectURI:         Must("FAPI2-SP §5.3.2.2-2.6"),
	SecureRedirect:      Must("FAPI2-SP §5.3.2.2-2.8"),
	IssParameter:        Must("FAPI2-SP §5.3.2.2-2.7"),
	HeaderTokens:        Must("FAPI2-SP §5.3.4-2.2"),
	CodeLifetime:        AtMost(60 * time.Second).SaidBy("FAPI2-SP §5.3.2.1-2.11"),
	PushedLifetime:      AtMost(599 * time.Second).SaidBy("FAPI2-SP §5.3.2.2-2.12"),
	ClockAhead:          AtMost(60 * time.Second).SaidBy("FAPI2-SP §5.3.2.1-2.13"),
	ClockAccept:         AtMost(10 * time.Second).SaidBy("FAPI2-SP §5.3.2.1-2.13"),
}

// CIBA is FAPI's profile of Client-Initiated Backchannel Authentication,
// Implementer's Draft 1. It stands on FAPI 1.0 for the token endpoint. What a
// client of such an issuer does by redirect is held to the FAPI 2.0 Security
// Profile.
var CIBA = Profile{
	Name:                "fapi-ciba-id1",
	Title:               "FAPI: Client Initiated Backchannel Authentication Profile (Implementer's Draft 1)",
	ConfidentialClients: Must("FAPI-CIBA-ID1 §5.2.2-1"),
	ClientAuth:          Only("private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth").SaidBy("FAPI1-ADV §5.2.2-14"),
	SigningAlgs:         Only("PS256", "ES256").SaidBy("FAPI1-ADV §8.6-1"),
	SenderBinding:       Only("mtls").SaidBy("FAPI1-ADV §5.2.2-5"),
	GrantTypes:          Only(GrantCIBA, "authorization_code", "refresh_token", "client_credentials").SaidBy("FAPI-CIBA-ID1 §5.2.2-4"),
	DeliveryModes:       Only(Poll, Ping).SaidBy("FAPI-CIBA-ID1 §5.2.2-3"),
	SignedBackchannel:   Must("FAPI-CIBA-ID1 §5.2.2-6"),
	BackchannelContext:  Must("FAPI-CIBA-ID1 §5.2.2-2"),
	SignedRequestLife:   AtMost(60 * time.Minute).SaidBy("FAPI-CIBA-ID1 §5.2.2-9"),
	NoRotation:          Must("FAPI2-SP §5.3.2.1-2.9"),
	ResponseTypes:       Only("code").SaidBy("FAPI2-SP §5.3.2.2-2.1"),
	PushedOnly:          Must("FAPI2-SP §5.3.2.2-2.3"),
	PKCE:                Only("S256").SaidBy("FAPI2-SP §5.3.2.2-2.5"),
	RedirectURI:         Must("FAPI2-SP §5.3.2.2-2.6"),
	SecureRedirect:      Must("FAPI2-SP §5.3.2.2-2.8"),
	IssParameter:        Must("FAPI2-SP §5.3.2.2-2.7"),
	HeaderTokens:        Must("FAPI1-BASE §6.2.1-3"),
	CodeLifetime:        AtMost(60 * time.Second).SaidBy("FAPI2-SP §5.3.2.1-2.11"),
	PushedLifetime:      AtMost(599 * time.Second).SaidBy("FAPI2-SP §5.3.2.2-2.12"),
	ClockAhead:          AtMost(60 * time.Second).SaidBy("FAPI2-SP §5.3.2.1-2.13"),
	ClockAccept:         AtMost(10 * time.Second).SaidBy("FAPI2-SP §5.3.2.1-2.13"),
}

// Profiles are the profiles an issuer may have, by name.
var Profiles = map[string]Profile{SecurityProfile.Name: SecurityProfile, CIBA.Name: CIBA}
