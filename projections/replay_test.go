package projections

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/eventstore"
)

func (h *house) stateAt(stream string, m Moment) State {
	h.t.Helper()
	s, err := h.set.Audit.StateAt(context.Background(), eventstore.Stream(stream), m)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func TestStateBeforeAndAfterAnInstant(t *testing.T) {
	h := newHouse(t)
	alice, _ := h.tell()
	h.catchUp()
	revoked := h.search(Query{Type: "consent.revoked"}).Items[0]
	stream := "consent-" + alice.consent
	tests := []struct {
		name    string
		at      Moment
		status  any
		permits any
		events  int
	}{
		{"before it was asked for", Moment{Time: begin}, nil, nil, 0},
		{"a nanosecond before it was revoked", Moment{Time: revoked.Time.Add(-1)}, "authorized", true, 1},
		{"when it was revoked", Moment{Time: revoked.Time}, "revoked", false, 2},
		{"at the position before", Moment{Position: revoked.Position - 1}, "authorized", true, 1},
		{"at the position", Moment{Position: revoked.Position}, "revoked", false, 2},
		{"beyond the head", Moment{Position: 1 << 40}, "revoked", false, 2},
		{"now", Moment{}, "revoked", false, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := h.stateAt(stream, test.at)
			if s.State["status"] != test.status || s.State["permits"] != test.permits || len(s.Events) != test.events {
				t.Errorf("got %v, %d events", s.State, len(s.Events))
			}
			if s.Exists() != (test.events > 0) || int(s.Revision) != test.events-1 {
				t.Errorf("revision %d of %d events", s.Revision, test.events)
			}
			p, _ := test.at.Resolve(context.Background(), h.log)
			fold, _, err := foldUntil[consent.State, consent.Event](context.Background(), h.journal, eventstore.Stream(stream), p)
			if err != nil || string(fold.Status()) != orEmpty(test.status) {
				t.Errorf("the fold says %q, %v", fold.Status(), err)
			}
		})
	}
}

func orEmpty(v any) string {
	s, _ := v.(string)
	return s
}

func TestStateIsJudgedByTheInstantAskedFor(t *testing.T) {
	h := newHouse(t)
	j := newJourney(1, "budgetly", "alice")
	h.push(j)
	h.signIn(j)
	h.approve(j)
	h.redeem(j)
	late := Moment{Time: h.now.Add(time.Hour)}
	if s := h.stateAt("token-"+j.token, Moment{}); s.State["status"] != "issued" {
		t.Errorf("the token is %v", s.State["status"])
	}
	if s := h.stateAt("token-"+j.token, late); s.State["status"] != "expired" {
		t.Errorf("an hour later the token is %v", s.State["status"])
	}
	if s := h.stateAt("consent-"+j.consent, Moment{Time: j.expires}); s.State["permits"] != false || s.State["status"] != "authorized" {
		t.Errorf("at its expiry the consent is %v", s.State)
	}
}

func TestStateOfEveryAggregate(t *testing.T) {
	h := newHouse(t)
	alice, ben := h.tell()
	h.catchUp()
	want := map[string]map[string]any{
		"consent-" + alice.consent:  {"status": "revoked", "client_id": "budgetly", "sub": "alice", "scope": "accounts"},
		"client-budgetly":           {"status": "active", "issuer": "bank"},
		"token-" + alice.token:      {"status": "revoked", "client_id": "budgetly", "consent_id": "c1", "kid": "k1"},
		"refresh-" + ben.refresh:    {"status": "issued", "client_id": "payzip", "consent_id": "c2"},
		"authorization-" + alice.id: {"status": "redeemed", "sub": "alice", "consent_id": "c1", "token": "t1", "scope": "accounts"},
		"issuer-bank":               {"status": "active", "profile": "fapi2-security-profile-final"},
		"signingkey-k1":             {"status": "active", "alg": "ES256", "published": true, "compromised": false},
		"subject-alice":             {"status": "enrolled", "name": "Alice " + pii, "on_hold": false},
	}
	said, denied := h.call()
	for stream, fields := range map[string]map[string]any{
		said.stream():   {"status": "redeemed", "client_id": "budgetly", "sub": "alice", "consent_id": "bc1", "method": "passkey", "token": "bt1", "pending": false},
		denied.stream(): {"status": "denied", "client_id": "payzip", "method": "password", "denied_by": "customer"},
		"delivery-p1":   {"status": "delivered", "kind": "ping", "consent_id": "bc1", "attempts": 2.0, "last_status": 204.0},
		"delivery-w1":   {"status": "parked", "kind": "webhook", "parked_because": "the receiver answered 401"},
	} {
		want[stream] = fields
	}
	for stream, fields := range want {
		s := h.stateAt(stream, Moment{})
		for name, value := range fields {
			if s.State[name] != value {
				t.Errorf("%s: %s is %v, want %v", stream, name, s.State[name], value)
			}
		}
		text, err := json.Marshal(s)
		if err != nil || strings.Contains(string(text), `"digest"`) || strings.Contains(string(text), "evidence") {
			t.Errorf("%s is written as %s, %v", stream, text, err)
		}
	}
	s := h.stateAt("access-c1-2026-03-02", Moment{})
	if s.State != nil || len(s.Events) == 0 || !s.Exists() {
		t.Errorf("a stream without an aggregate: %+v", s)
	}
}

func TestStateOfAnErasedCustomer(t *testing.T) {
	h := newHouse(t)
	h.tell()
	h.erase("alice")
	h.catchUp()
	s := h.stateAt("subject-alice", Moment{})
	if s.State["status"] != "erased" || s.State["name"] != nil || !slices.Contains(s.Erased, "name") {
		t.Errorf("got %+v", s)
	}
	text, _ := json.Marshal([]any{s, h.stateAt("consent-c1", Moment{}), h.stateAt("authorization-a1", Moment{Position: h.head() - 1})})
	if strings.Contains(string(text), "Alice") {
		t.Errorf("she is still named: %s", text)
	}
}

func TestDiffSaysWhatChanged(t *testing.T) {
	h := newHouse(t)
	alice, _ := h.tell()
	h.catchUp()
	revoked := h.search(Query{Type: "consent.revoked"}).Items[0].Position
	d, err := h.set.Audit.Diff(context.Background(), eventstore.Stream("consent-"+alice.consent), Moment{Position: revoked - 1}, Moment{})
	if err != nil {
		t.Fatal(err)
	}
	same(t, strings.Join(d.Words(), "\n"), "permits: true -> false\nstatus: authorized -> revoked")
	if len(d.Events) != 1 || d.Events[0].Position != revoked {
		t.Errorf("made by %v", d.Events)
	}
	text, err := json.Marshal(d.Changes)
	want := `[{"op":"replace","path":"/permits","old":true,"value":false},{"op":"replace","path":"/status","old":"authorized","value":"revoked"}]`
	if err != nil || string(text) != want {
		t.Errorf("as JSON: %s, %v", text, err)
	}
	none, err := h.set.Audit.Diff(context.Background(), "issuer-bank", Moment{Position: 5}, Moment{})
	if err != nil || len(none.Changes) > 0 {
		t.Errorf("nothing changed, and yet: %v, %v", none.Words(), err)
	}
}

func TestChanges(t *testing.T) {
	tests := []struct {
		name          string
		before, after map[string]any
		path, words   string
	}{
		{"a member is added", nil, map[string]any{"name": "Budgetly"}, "/name", "name: Budgetly (new)"},
		{"a member is removed", map[string]any{"n": 1.0}, nil, "/n", "n: 1 (gone)"},
		{"a member of a member changes", map[string]any{"m": map[string]any{"a": "x", "b": "y"}}, map[string]any{"m": map[string]any{"a": "z", "b": "y"}}, "/m/a", "m.a: x -> z"},
		{"an array is one value", map[string]any{"l": []any{"x"}}, map[string]any{"l": []any{"x", "y"}}, "/l", "l: x -> x, y"},
		{"a name is escaped", nil, map[string]any{"a/b~c": "x"}, "/a~1b~0c", "a/b~c: x (new)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := changes("", test.before, test.after)
			if len(got) != 1 || got[0].Path != test.path || got[0].String() != test.words {
				t.Errorf("got %v", got)
			}
		})
	}
}
