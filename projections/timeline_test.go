package projections

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

func (h *house) sentences(kind Kind, id string) []string {
	h.t.Helper()
	var all []string
	for e, err := range h.set.Audit.Timeline(context.Background(), kind, id) {
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, e.Type+": "+e.Sentence)
	}
	return all
}

func TestTimeline(t *testing.T) {
	h := newHouse(t)
	alice, _ := h.tell()
	h.catchUp()
	tests := []struct {
		name string
		kind Kind
		id   string
		want []string
	}{
		{"a consent's begins with the request and ends with what was refused after it", OfConsent, alice.consent, []string{
			"authorization.pushed: Budgetly pushed an authorization request",
			"authorization.subject_authenticated: Alice " + pii + " signed in",
			"authorization.granted: Alice " + pii + " approved the request",
			"consent.authorized: Alice " + pii + " gave Budgetly ReadBalances on 2 accounts until 2 September 2026",
			"authorization.code_issued: an authorization code was issued",
			"authorization.code_redeemed: the code was redeemed for token t1",
			"token.issued: Budgetly was issued an access token, valid until 09:23:00 UTC",
			"refresh.issued: Budgetly was issued a refresh token",
			"access.recorded: Budgetly read GET /accounts/{id}/balances",
			"token.issued: Budgetly was issued an access token by refresh, valid until 10:29:00 UTC",
			"access.recorded: Budgetly read GET /accounts/{id}/balances",
			"consent.revoked: Alice " + pii + " stopped the consent: no longer needed " + pii,
			"token.revoked: the access token was revoked by the customer: consent revoked",
			"access.recorded: Budgetly was refused GET /accounts/{id}/balances (403)",
		}},
		{"a token's tells what it was redeemed for, used for and how it ended", OfToken, "t1", []string{
			"authorization.code_redeemed: the code was redeemed for token t1",
			"token.issued: Budgetly was issued an access token, valid until 09:23:00 UTC",
			"access.recorded: Budgetly read GET /accounts/{id}/balances",
			"token.revoked: the access token was revoked by the customer: consent revoked",
		}},
		{"an interaction's is the one request that bore it", OfInteraction, "fapi-t2", []string{
			"access.recorded: Payzip read GET /accounts/{id}/balances",
		}},
		{"a key's is that of its stream", OfKey, "k1", []string{
			"signingkey.announced: a new ES256 signing key was published", "signingkey.activated: the key began to sign",
		}},
		{"one of nothing is empty", OfConsent, "nothing", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			same(t, strings.Join(h.sentences(test.kind, test.id), "\n"), strings.Join(test.want, "\n"))
		})
	}
}

func TestTimelineOfACustomerHasTheRequestThatCameBeforeSheSignedIn(t *testing.T) {
	h := newHouse(t)
	h.tell()
	h.catchUp()
	all := h.sentences(OfCustomer, "alice")
	if len(all) != 15 || !strings.HasPrefix(all[0], "subject.enrolled") || !strings.HasPrefix(all[1], "authorization.pushed") {
		t.Errorf("got %d events: %q", len(all), all)
	}
}

func TestTimelineOfAClientHasItsRegistrationAndRefusals(t *testing.T) {
	h := newHouse(t)
	h.tell()
	h.catchUp()
	all := h.sentences(OfClient, "budgetly")
	if !strings.HasPrefix(all[0], "client.registered") || !strings.HasPrefix(all[len(all)-1], "refusal.counted") || len(all) != 16 {
		t.Errorf("got %d events: %q", len(all), all)
	}
	if slices.ContainsFunc(all, func(s string) bool { return strings.Contains(s, "Ben") }) {
		t.Error("another client's customer shows up")
	}
}

func TestTimelineNamesNobodyWhoWasErased(t *testing.T) {
	h := newHouse(t)
	alice, _ := h.tell()
	h.erase("alice")
	h.catchUp()
	named := 0
	for e, err := range h.set.Audit.Timeline(context.Background(), OfConsent, alice.consent) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(e.Sentence, pii) || e.Subject != nil && e.Subject.Name != ErasedCustomer {
			t.Errorf("%d says %q of %v", e.Position, e.Sentence, e.Subject)
		}
		if strings.Contains(e.Sentence, ErasedCustomer) {
			named++
		}
		if e.Type == "consent.authorized" && !slices.Contains(e.Erased, "authorization_details") {
			t.Errorf("erased fields are %v", e.Erased)
		}
	}
	if named == 0 {
		t.Error("no sentence says that the customer was erased")
	}
}

func TestTimelineIsReadFromTheLog(t *testing.T) {
	h := newHouse(t)
	alice, _ := h.tell()
	h.catchUp()
	for e, err := range h.set.Audit.Timeline(context.Background(), OfConsent, alice.consent) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Client == nil || e.Client.Name != "Budgetly" || e.Subject == nil || e.Subject.ID != "alice" || e.Consent != alice.consent {
			t.Errorf("%s belongs to %v, %v, %q", e.Type, e.Client, e.Subject, e.Consent)
		}
	}
	_, err := h.set.db.db.Exec("UPDATE entries_v2_g1 SET revision = 0 WHERE stream = 'consent-c1' AND revision = 1")
	if err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range h.set.Audit.Timeline(context.Background(), OfConsent, alice.consent) {
		last = err
	}
	if !errors.Is(last, ErrAltered) {
		t.Errorf("an index that points elsewhere gives %v", last)
	}
}

func TestTimelineRefusesWhatItDoesNotKnow(t *testing.T) {
	h := newHouse(t)
	for _, ask := range []struct{ kind, id string }{{"person", "alice"}, {"type", "consent.revoked"}, {"consent", ""}} {
		for _, err := range h.set.Audit.Timeline(context.Background(), Kind(ask.kind), ask.id) {
			if !errors.Is(err, ErrUnknown) {
				t.Errorf("%v gives %v", ask, err)
			}
		}
	}
	for _, k := range Kinds {
		if _, err := queryFor(k, "x"); err != nil {
			t.Errorf("%s: %v", k, err)
		}
	}
}

func TestTimelineOfMoreThanOnePageIsComplete(t *testing.T) {
	h := newHouse(t)
	alice, _ := h.tell()
	for range MaxLimit + 20 {
		h.access(alice, alice.token, 403)
	}
	h.catchUp()
	if got := len(h.sentences(OfConsent, alice.consent)); got != MaxLimit+34 {
		t.Errorf("got %d events", got)
	}
}
