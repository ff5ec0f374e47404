package dev

import (
	"net/http"
	"slices"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/tillpage"
	"github.com/chirograph/chirograph/domain/oauth"
)

// A sampleClient is a till, a speaker or a desk of Payzip that asks customers
// on their phones (CIBA).
type sampleClient struct {
	id     string
	name   string
	issuer string
	mode   string
	auth   string // token_endpoint_auth_method
	mutual bool   // its tokens are bound to a certificate, others to a key by DPoP
	signs  bool   // its requests
	codes  bool   // it asks customers for their user code
}

// sampleClients are all of them, one for each way to be told of the answer.
var sampleClients = []sampleClient{
	{id: "payzip-poll", name: "Payzip till (poll)", issuer: cibaID, mode: oauth.Poll, auth: "private_key_jwt"},
	{id: "payzip-ping", name: "Payzip till (ping)", issuer: cibaID, mode: oauth.Ping, auth: "private_key_jwt"},
	{id: "payzip-push", name: "Payzip till (push)", issuer: cibaID, mode: oauth.Push, auth: "private_key_jwt", signs: true},
	{id: "payzip-desk", name: "Payzip call centre", issuer: cibaID, mode: oauth.Poll, auth: "private_key_jwt", codes: true},
	{id: tillPinged, name: "Payzip till", issuer: cibaID, mode: oauth.Ping, auth: "private_key_jwt"},
	{id: "payzip-fapi-poll", name: "Payzip FAPI till (poll)", issuer: fapiCIBA, mode: oauth.Poll, auth: "private_key_jwt", mutual: true, signs: true},
	{id: "payzip-fapi-ping", name: "Payzip FAPI till (ping)", issuer: fapiCIBA, mode: oauth.Ping, auth: "tls_client_auth", mutual: true, signs: true},
}

// tillPinged is the client as which the till page is pinged: at the public
// origin, because the other endpoints are there only while somebody listens.
const tillPinged = "payzip-till"

func backchannelIDs() (ids []string) {
	for _, c := range sampleClients {
		ids = append(ids, c.id)
	}
	return ids
}

// sampleFor returns the client that plays a mode at an issuer, with user codes
// or without.
func sampleFor(issuer, mode string, codes bool) (sampleClient, bool) {
	i := slices.IndexFunc(sampleClients, func(c sampleClient) bool { return c.issuer == issuer && c.mode == mode && c.codes == codes })
	if i < 0 {
		return sampleClient{}, false
	}
	return sampleClients[i], true
}

// notifyPath is where a client is pinged or gets its tokens.
func (c sampleClient) notifyPath() string { return "/" + c.id + "/notifications" }

func (s *stage) backchannelClients() []admin.Client {
	var all []admin.Client
	for _, c := range sampleClients {
		m := oauth.ClientMetadata{
			ClientName: c.name, TokenEndpointAuthMethod: c.auth, JWKS: s.jwks(c.id), Scope: "openid accounts offline_access",
			DeliveryMode: c.mode, UserCodes: c.codes, TLSBoundTokens: c.mutual, DPoPBoundTokens: !c.mutual,
			GrantTypes: []string{oauth.GrantCIBA, "refresh_token"},
		}
		if c.auth == "tls_client_auth" {
			m.TLSSubjectDN = clientName(c.id).String()
		}
		if c.signs {
			m.RequestAlg = jose.ES256
		}
		if c.mode != oauth.Poll {
			m.NotificationEndpoint = s.notify() + c.notifyPath()
		}
		if c.id == tillPinged {
			m.NotificationEndpoint = s.origin() + tillpage.Notifications
		}
		if c.mode == oauth.Push {
			m.EventEndpoint = s.origin() + eventsPath
		}
		all = append(all, admin.Client{ID: c.id, Issuer: c.issuer, Metadata: m})
	}
	return all
}

// eventsPath is where a third party takes security event tokens about its
// consents.
const eventsPath = "/payzip/events"

// takeEvent accepts one, as RFC 8935, Section 2.2 says.
func takeEvent(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusAccepted)
}
