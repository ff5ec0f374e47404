package conformance

import (
	"time"

	"github.com/chirograph/chirograph/adapters/mtls"
	"github.com/chirograph/chirograph/domain/oauth"
)

// backchannelIssuers are those where customers are asked on their phones.
var backchannelIssuers = []string{"ciba", "fapi-ciba"}

// backchannelCast are the clients of these issuers. At FAPI's there are two for
// each way to authenticate and each delivery mode; the other has one of each
// kind that FAPI does not permit.
func backchannelCast(now time.Time, authority *mtls.Authority, add func(*client) *client) {
	for mode, name := range map[string]string{oauth.Poll: "till", oauth.Ping: "bell"} {
		for _, number := range []string{"", "2"} {
			add(asking(name+number, "fapi-ciba", mode, "ES256", "PS256").signing().carries(now).bound())
			add(asking("tls-"+name+number, "fapi-ciba", mode, "ES256", "PS256").signing().issued(now, authority).bound())
		}
	}
	add(asking("speaker", "ciba", oauth.Poll, "ES256", "PS256").dpop())
	add(asking("speaker2", "ciba", oauth.Poll, "ES256").dpop())
	add(asking("signer", "ciba", oauth.Poll, "ES256").signing().dpop())
	add(asking("desk", "ciba", oauth.Poll, "ES256").dpop()).metadata.UserCodes = true
	add(asking("doorbell", "ciba", oauth.Ping, "ES256").dpop())
	add(asking("hook", "ciba", oauth.Push, "ES256").dpop())
	add(asking("tls-hook", "ciba", oauth.Push).issued(now, authority).bound())
}

// asking is a client that asks customers who are not at a browser.
func asking(id, issuer, mode string, algs ...string) *client {
	c := web(id, algs...)
	c.issuer = issuer
	c.metadata.RedirectURIs, c.metadata.ResponseTypes = nil, nil
	c.metadata.GrantTypes = []string{oauth.GrantCIBA, "refresh_token", "client_credentials"}
	c.metadata.Scope, c.metadata.DeliveryMode = "openid accounts offline_access", mode
	return c
}

// signing lets the client sign its requests.
func (c *client) signing() *client {
	c.metadata.RequestAlg = c.keys[0].alg
	return c
}
