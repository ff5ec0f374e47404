package projections

import (
	"fmt"
	"time"

	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/signingkey"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/domain/token"
)

// The steps of which stories and random histories are made. Each leaves out of
// its metadata what the other events of its journey tell.

func (h *house) begin() {
	h.record("issuer-bank", event.Meta{Actor: event.ActorOperator}, issuer.Created{URL: "https://bank.example/fapi2", Profile: "fapi2-security-profile-final"})
	h.record("signingkey-k1", event.Meta{Actor: event.ActorSystem}, signingkey.Announced{Issuer: "bank", Algorithm: "ES256", Use: "sig", JWK: []byte(`{"kty":"EC"}`)})
	h.record("signingkey-k1", event.Meta{Actor: event.ActorSystem}, signingkey.Activated{})
}

func (h *house) register(id, name string) {
	h.record("client-"+id, event.Meta{Actor: event.ActorOperator}, client.Registered{
		Issuer: "bank", Via: "operator",
		Metadata: oauth.ClientMetadata{ClientName: name, TokenEndpointAuthMethod: "private_key_jwt"},
	})
}

func (h *house) enroll(id, name string) {
	h.record("subject-"+id, event.Meta{Actor: event.ActorOperator, Subject: id}, subject.Enrolled{Issuer: "bank", Name: name + " " + pii})
}

// A journey is an authorization from the pushed request to the tokens.
type journey struct {
	id, client, customer, consent, token, refresh string
	expires                                       time.Time
}

func newJourney(n int, client, customer string) *journey {
	id := func(kind string) string { return fmt.Sprintf("%s%d", kind, n) }
	return &journey{id("a"), client, customer, id("c"), id("t"), id("r"), begin.AddDate(0, 6, 0)}
}

func (j *journey) stream() string    { return "authorization-" + j.id }
func (j *journey) meta() event.Meta  { return event.Meta{Correlation: j.stream()} }
func (j *journey) asker() event.Meta { return event.Meta{Client: j.client, Actor: event.ActorClient} }
func (j *journey) person() event.Meta {
	return event.Meta{Client: j.client, Subject: j.customer, Actor: event.ActorCustomer, Correlation: j.stream()}
}

func (j *journey) details() []oauth.Detail {
	return []oauth.Detail{{
		Type: oauth.AccountInformation, Permissions: []string{oauth.ReadBalances},
		Accounts: []string{"acc-1 " + pii, "acc-2 " + pii},
	}}
}

func (h *house) push(j *journey) {
	h.record(j.stream(), j.asker(), authorization.Pushed{
		Client: j.client, Digest: "digest", Expires: h.now.Add(90 * time.Second),
		Personal: "client_id=" + j.client + "&scope=accounts&login_hint=" + pii,
	})
}

func (h *house) signIn(j *journey) {
	h.record(j.stream(), event.Meta{Subject: j.customer}, authorization.SubjectAuthenticated{
		Subject: j.customer, ACR: "urn:pwd", AMR: []string{"pwd"}, AuthTime: h.now, Browser: "browser",
	})
}

func (h *house) deny(j *journey) {
	h.record(j.stream(), j.meta(), authorization.Denied{By: "customer", Reason: "declined"})
}

func (h *house) approve(j *journey) {
	h.record(j.stream(), j.person(), authorization.Granted{
		Consent: j.consent, Subject: j.customer, Scope: "accounts", Details: j.details(), Permissions: []string{oauth.ReadBalances},
		Expires: j.expires, Shown: "page", Template: "t1", Locale: "en",
	})
	h.record("consent-"+j.consent, j.person(), consent.Authorized{
		Client: j.client, Subject: j.customer, Scope: "accounts", Details: j.details(), Permissions: []string{oauth.ReadBalances},
		Expires: j.expires, Authorization: j.id,
	})
	h.record(j.stream(), event.Meta{}, authorization.CodeIssued{Digest: "code", Expires: h.now.Add(time.Minute)})
}

func (h *house) redeem(j *journey) {
	h.record(j.stream(), event.Meta{}, authorization.CodeRedeemed{Token: j.token, Refresh: j.refresh, Consent: j.consent})
	h.issue(j, j.token, j.id)
	h.record("refresh-"+j.refresh, j.person(), token.RefreshIssued{
		Client: j.client, Subject: j.customer, Consent: j.consent, Authorization: j.id, Digest: "refresh", Expires: j.expires,
	})
}

// issue records an access token: with the code, or with the refresh token if
// no authorization is named.
func (h *house) issue(j *journey, id, authorization string) {
	h.record("token-"+id, event.Meta{Client: j.client, Subject: j.customer}, token.Issued{
		Client: j.client, Subject: j.customer, Consent: j.consent, Authorization: authorization, Refresh: j.refresh,
		Audience: []string{"https://api.bank.example"}, Expires: h.now.Add(5 * time.Minute), Key: "k1",
	})
}

func (h *house) access(j *journey, id string, result int) {
	h.now = h.now.Add(time.Hour)
	h.record(access.AccessStream(j.consent, j.client, h.now), event.Meta{Client: j.client, Subject: j.customer, Interaction: "fapi-" + id}, access.Recorded{
		Token: id, Consent: j.consent, Route: "GET /accounts/{id}/balances", Permission: oauth.ReadBalances, Result: result,
		Accounts: []string{"acc-1 " + pii},
	})
}

func (h *house) revoke(j *journey) {
	h.record("consent-"+j.consent, event.Meta{Actor: event.ActorCustomer, Subject: j.customer},
		consent.Revoked{By: consent.Customer, Reason: "no longer needed " + pii})
	h.record("token-"+j.token, event.Meta{}, token.Revoked{By: "customer", Reason: "consent revoked"})
}

func (h *house) refusal(j *journey) {
	h.record(access.RefusalStream(j.client, h.now), event.Meta{Client: j.client}, access.Refused{
		Endpoint: "token", Code: "invalid_grant", Clause: "RFC 6749 §5.2", Minute: h.now, Count: 2,
	})
}

// erase destroys the key first, as the platform does.
func (h *house) erase(customer string) {
	h.keys.Destroy("subject:" + customer)
	h.record("subject-"+customer, event.Meta{Actor: event.ActorOperator, Subject: customer}, subject.Erased{Reason: "asked for it"})
}

// tell is the fixed story: Budgetly asks Alice, reads, is stopped, and is
// refused. Ben's journey beside it must not show up in hers.
func (h *house) tell() (alice, ben *journey) {
	h.begin()
	h.register("budgetly", "Budgetly")
	h.register("payzip", "Payzip")
	h.enroll("alice", "Alice")
	h.enroll("ben", "Ben")
	alice, ben = newJourney(1, "budgetly", "alice"), newJourney(2, "payzip", "ben")
	h.push(alice)
	h.push(ben)
	h.signIn(ben)
	h.signIn(alice)
	h.approve(alice)
	h.approve(ben)
	h.redeem(alice)
	h.access(alice, alice.token, 200)
	h.redeem(ben)
	h.issue(alice, "t1b", "")
	h.access(alice, "t1b", 200)
	h.access(ben, ben.token, 200)
	h.revoke(alice)
	h.access(alice, "t1b", 403)
	h.refusal(alice)
	return alice, ben
}
