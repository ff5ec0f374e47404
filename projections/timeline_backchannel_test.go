package projections

import (
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/backchannel"
)

func TestTimelineOfABackchannelRequest(t *testing.T) {
	h := newHouse(t)
	said, denied := h.call()
	h.catchUp()
	alice := "Alice " + pii
	asked := "backchannel.requested: Budgetly asked " + alice + " by backchannel, waiting to be pinged"
	notified := []string{
		"delivery.scheduled: the customer's device is to be notified: a request waits for an answer",
		"delivery.attempted: attempt 1 to notify the customer's device: answered 200",
		"delivery.delivered: the customer's device was notified",
		"backchannel.device_notified: " + "Alice " + pii + " was notified on the device phone",
	}
	pinged := []string{
		"delivery.scheduled: Budgetly is to be pinged: the request was approved",
		"delivery.attempted: attempt 1 to ping Budgetly: answered 503",
		"delivery.attempted: attempt 2 to ping Budgetly: answered 204",
		"delivery.delivered: Budgetly was pinged",
	}
	tests := []struct {
		name string
		kind Kind
		id   string
		want []string
	}{
		{"a consent's begins with the question and ends with the word that it was stopped", OfConsent, said.journey.consent, join(
			[]string{asked}, notified, []string{
				"backchannel.shown: the request was shown to " + alice + " on the phone page",
				"backchannel.approved: " + alice + " approved the request by passkey",
				"consent.authorized: " + alice + " gave Budgetly ReadBalances on 2 accounts until 2 September 2026",
			}, pinged, []string{
				"backchannel.redeemed: the auth_req_id was redeemed for token bt1",
				"token.issued: Budgetly was issued an access token, valid until 09:27:00 UTC",
				"refresh.issued: Budgetly was issued a refresh token",
				"access.recorded: Budgetly read GET /accounts/{id}/balances",
				"consent.revoked: " + alice + " stopped the consent: done " + pii,
				"delivery.scheduled: Budgetly is to be told by webhook: the consent was revoked",
				"delivery.attempted: attempt 1 to tell Budgetly: answered 401",
				"delivery.parked: the webhook to Budgetly was parked by the system: the receiver answered 401",
			})},
		{"a request's that was denied ends with the client flagged", OfBackchannel, denied.id, []string{
			"backchannel.requested: Payzip asked " + alice + " by backchannel, polling for the answer",
			"backchannel.denied: " + alice + " denied the request: somebody else started it",
			"client.flagged: the client was flagged by a customer: a customer did not start a request",
		}},
		{"a delivery's is each attempt with the receiver's answer", OfDelivery, "p1", pinged},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			same(t, strings.Join(h.sentences(test.kind, test.id), "\n"), strings.Join(test.want, "\n"))
		})
	}
}

func join(parts ...[]string) (all []string) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// What a delivery about nobody's consent says becomes part of the consent's
// story when there is one, however it was told.
func TestWhatCameBeforeTheConsentBelongsToItAfterwards(t *testing.T) {
	h := newHouse(t)
	h.begin()
	h.register("budgetly", "Budgetly")
	h.enroll("alice", "Alice")
	c := h.newCall(1, "poll", "budgetly", "alice")
	h.ask(c)
	h.notify(c)
	h.catchUp()
	if before := h.sentences(OfConsent, c.journey.consent); len(before) > 0 {
		t.Errorf("a consent that nobody gave has %q", before)
	}
	h.show(c)
	h.say(c)
	h.attempt(c, "n"+c.id, 200, h.now)
	h.catchUp()
	if after := h.sentences(OfConsent, c.journey.consent); len(after) != 9 {
		t.Errorf("the consent's story has %d events: %q", len(after), after)
	}
}

// A crash may leave an approval without its consent: it belongs to the story
// of the consent all the same, which is completed later.
func TestAnApprovalAloneBeginsTheStoryOfItsConsent(t *testing.T) {
	h := newHouse(t)
	c := h.newCall(1, "poll", "budgetly", "alice")
	h.ask(c)
	h.show(c)
	h.catchUp()
	m := c.meta()
	m.Client = "budgetly"
	h.record(c.stream(), m, backchannel.Approved{Consent: c.journey.consent, Subject: "alice", Method: backchannel.Password})
	h.catchUp()
	if all := h.sentences(OfConsent, c.journey.consent); len(all) != 3 {
		t.Errorf("the consent's story has %d events: %q", len(all), all)
	}
}
