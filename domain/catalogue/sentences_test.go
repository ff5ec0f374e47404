package catalogue_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/installation"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/domain/token"
)

type people struct{}

func (people) Client(id string) string  { return strings.TrimSpace("the client " + id) }
func (people) Subject(id string) string { return strings.TrimSpace("the customer " + id) }

// What an auditor reads depends on what happened; docs/events.md shows one
// sentence of every type.
func TestSentences(t *testing.T) {
	end := time.Date(2026, 7, 1, 23, 0, 0, 0, time.FixedZone("", -7200)) // 2 July in UTC
	given := func(permissions []string, accounts ...string) consent.Authorized {
		e := consent.Authorized{Client: "budgetly", Subject: "alice", Scope: "profile", Permissions: permissions, Expires: end}
		for _, a := range accounts {
			e.Details = append(e.Details, oauth.Detail{Accounts: []string{a, a}})
		}
		return e
	}
	balances := []string{"ReadBalances", "ReadAccounts"}
	tests := []struct {
		event any
		want  string
	}{
		{access.Recorded{Route: "/accounts", Result: 200}, "the client read /accounts"},
		{access.Recorded{Route: "GET /admin/keys", Result: 200}, "the client read GET /admin/keys"},
		{access.Recorded{Route: "POST /admin/apply", Result: 202}, "the client called POST /admin/apply"},
		{access.Recorded{Route: "/accounts", Result: 400}, "the client was refused /accounts (400)"},
		{given(balances, "GB01", "GB02"), "the customer alice gave the client budgetly ReadBalances, ReadAccounts on 2 accounts until 2 July 2026"},
		{given(balances, "GB01"), "the customer alice gave the client budgetly ReadBalances, ReadAccounts on 1 account until 2 July 2026"},
		{given(balances), "the customer alice gave the client budgetly ReadBalances, ReadAccounts until 2 July 2026"},
		{given(nil), "the customer alice gave the client budgetly access to profile until 2 July 2026"},
		{consent.Revoked{By: consent.Customer}, "the customer stopped the consent"},
		{consent.Revoked{By: consent.Bank, Reason: "fraud"}, "the bank stopped the consent: fraud"},
		{token.Issued{Client: "budgetly", Subject: "alice", Authorization: "a1", Refresh: "r1", Expires: end}, "the client budgetly was issued an access token, valid until 01:00:00 UTC"},
		{token.Issued{Client: "budgetly", Subject: "alice", Refresh: "r1", Expires: end}, "the client budgetly was issued an access token by refresh, valid until 01:00:00 UTC"},
		{token.Issued{Client: "budgetly", Expires: end}, "the client budgetly was issued an access token for itself, valid until 01:00:00 UTC"},
		{backchannel.Requested{Client: "budgetly", Subject: "alice", Mode: oauth.Poll}, "the client budgetly asked the customer alice by backchannel, polling for the answer"},
		{backchannel.Requested{Client: "budgetly", Subject: "alice", Mode: oauth.Ping}, "the client budgetly asked the customer alice by backchannel, waiting to be pinged"},
		{backchannel.Requested{Client: "budgetly", Subject: "alice", Mode: oauth.Push}, "the client budgetly asked the customer alice by backchannel, waiting for the tokens to be pushed"},
		{backchannel.DeviceNotified{Device: "d1"}, "the customer was notified on the device d1"},
		{backchannel.DeviceNotified{Device: backchannel.PhonePage}, "the customer's phone page was told"},
		{backchannel.Shown{}, "the request was shown to the customer on the phone page"},
		{backchannel.Shown{Device: "d1"}, "the request was shown to the customer on the device d1"},
		{backchannel.Approved{Subject: "alice", Method: backchannel.DeviceKey}, "the customer alice approved the request by the key of the device"},
		{backchannel.Denied{By: backchannel.Customer, Reason: "no"}, "the customer denied the request"},
		{backchannel.Denied{By: backchannel.Customer, NotMe: true}, "the customer denied the request: somebody else started it"},
		{backchannel.Denied{By: backchannel.System, Reason: "the device failed"}, "the request was denied by the system: the device failed"},
		{delivery.Scheduled{Kind: delivery.Ping, Client: "budgetly", Says: "yes"}, "the client budgetly is to be pinged: yes"},
		{delivery.Scheduled{Kind: delivery.Push, Client: "budgetly", Says: "yes"}, "an answer is to be pushed to the client budgetly: yes"},
		{delivery.Scheduled{Kind: delivery.Device, Client: "budgetly", Says: "look"}, "the customer's device is to be notified: look"},
		{delivery.Scheduled{Kind: delivery.Webhook, Client: "budgetly", Says: "it ended"}, "the client budgetly is to be told by webhook: it ended"},
		{delivery.Attempted{Kind: delivery.Ping, N: 1, Status: 503}, "attempt 1 to ping the client: answered 503"},
		{delivery.Attempted{Kind: delivery.Push, N: 2, Failure: "no answer in 3s"}, "attempt 2 to push to the client: no answer in 3s"},
		{delivery.Delivered{Kind: delivery.Push, N: 2}, "the client received what was pushed"},
		{delivery.Parked{Kind: delivery.Webhook, By: "operator", Reason: "enough"}, "the webhook to the client was parked by the operator: enough"},
		{delivery.Rescheduled{Kind: delivery.Device, By: "operator"}, "the notification to the customer's device was taken up again by the operator"},
		{issuer.KeyPolicyChanged{Algorithms: []string{"ES256"}}, "the issuer's key policy became [ES256], rotated by hand"},
		{issuer.KeyPolicyChanged{Algorithms: []string{"ES256"}, Rotation: 90 * 24 * time.Hour}, "the issuer's key policy became [ES256], rotated every 90 days"},
		{installation.Restored{Size: 9, Epoch: 2}, "the log was restored to 9 events; epoch 2 begins"},
		{installation.Restored{Size: 9, Epoch: 2, Reason: "fire"}, "the log was restored to 9 events; epoch 2 begins: fire"},
		{subject.Enrolled{Name: "Alice Archer"}, "Alice Archer was enrolled"},
		{subject.Enrolled{}, "a customer was enrolled"},
	}
	for _, tt := range tests {
		if got := catalogue.Events.Audit(tt.event, people{}); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}
