package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/subject"
)

// CIBA, Section 10.2: the body has one member.
func TestPingIsComposed(t *testing.T) {
	c := newTeller(t)
	id, authReqID := c.asked("pinger")
	c.denies(id)
	m := c.message(c.one())
	if want := `{"auth_req_id":"` + authReqID + `"}`; string(m.Body) != want {
		t.Errorf("got %s, want %s", m.Body, want)
	}
	if m.Bearer != theToken || m.Media != "application/json" || m.URL != "https://pinger.example/called" || m.Issuer != "ciba" || m.Accept != "" {
		t.Errorf("got %+v", m)
	}
}

// CIBA, Section 10.3: tokens that are good, and their hashes.
func TestPushIsComposed(t *testing.T) {
	c := newTeller(t)
	id, authReqID := c.asked("pusher")
	c.approves(id)
	told := c.one()
	m := c.message(told)
	body := object(t, m.Body)
	if m.Bearer != theToken || m.URL != "https://pusher.example/called" || body["auth_req_id"] != authReqID || body["token_type"] != "DPoP" || body["expires_in"] == nil {
		t.Errorf("got %+v %s", m, m.Body)
	}
	claims := c.genuine("ciba", "JWT", body["id_token"].(string))
	for name, want := range map[string]string{
		"urn:openid:params:jwt:claim:auth_req_id": authReqID,
		"at_hash":                             leftHalf(body["access_token"].(string)),
		"urn:openid:params:jwt:claim:rt_hash": leftHalf(body["refresh_token"].(string)),
	} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %s", name, claims[name], want)
		}
	}
	if e := c.delivery(told).Scheduled(); e.Body != "" || e.Digest != sum(m.Body) {
		t.Errorf("the log holds %+v", e)
	}
}

// CIBA, Section 12.
func TestErrorsArePushed(t *testing.T) {
	tests := []struct {
		name, want string
		do         func(*teller, string)
	}{
		{"the customer said no", "access_denied", (*teller).denies},
		{"nobody answered", "expired_token", (*teller).runsOut},
		{"something failed", "transaction_failed", func(c *teller, id string) {
			c.step(id, backchannel.Deny{Denied: backchannel.Denied{By: backchannel.System, Failed: true}, At: c.Now()})
		}},
		{"the customer is gone", "transaction_failed", func(c *teller, id string) {
			c.approves(id)
			_, err := c.Subjects.Execute(c.Context(), event.Meta{}, "zelda", subject.Erase{Erased: subject.Erased{Reason: "asked for"}})
			c.must(err)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTeller(t)
			id, authReqID := c.asked("pusher")
			tt.do(c, id)
			m := c.message(c.one())
			body := object(t, m.Body)
			if body["error"] != tt.want || body["auth_req_id"] != authReqID || body["error_description"] == "" || len(body) != 3 || m.Bearer != theToken {
				t.Errorf("got %s", m.Body)
			}
		})
	}
}

// What is kept no longer, or is another's by now, is not sent.
func TestWhatIsNotSentAnyMore(t *testing.T) {
	tests := []struct {
		name, as string
		do       func(c *teller, id string)
	}{
		{"what is forgotten", "pinger", func(c *teller, id string) { c.must(c.waiting.Forget(c.Context(), "backchannel-"+id)) }},
		{"what is not readable", "pinger", func(c *teller, id string) { c.waiting.kept["backchannel-"+id] = []byte("{") }},
		{"what is not what was scheduled", "pinger", func(c *teller, id string) {
			c.waiting.kept["backchannel-"+id] = []byte(`{"auth_req_id":"another","client_notification_token":"` + theToken + `"}`)
		}},
		{"tokens that are forgotten", "pusher", func(c *teller, id string) {
			for name := range c.waiting.kept {
				if strings.HasPrefix(name, "push-") {
					delete(c.waiting.kept, name)
				}
			}
		}},
		{"anything to a client that is suspended", "pusher", func(c *teller, _ string) { c.suspends("pusher") }},
		{"a ping to an endpoint that the client gave up", "pinger", func(c *teller, _ string) { c.moves("pinger") }},
		{"tokens to an endpoint that the client gave up", "pusher", func(c *teller, _ string) { c.moves("pusher") }},
		{"anything of an issuer that is suspended", "pinger", func(c *teller, _ string) {
			_, err := c.Issuers.Execute(c.Context(), event.Meta{}, "ciba", issuer.Suspend{Suspended: issuer.Suspended{Reason: "incident"}})
			c.must(err)
		}},
		{"anything to a device whose app is suspended", "poller", func(c *teller, _ string) { c.suspends("budget") }},
		{"anything to a device that was removed", "poller", func(c *teller, _ string) {
			_, err := c.Subjects.Execute(c.Context(), event.Meta{}, "zelda", subject.UnbindDevice{DeviceUnbound: subject.DeviceUnbound{ID: "d1", By: "customer"}})
			c.must(err)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTeller(t)
			if tt.as == "poller" {
				c.has("d1", "https://app.example/")
			}
			id, _ := c.asked(tt.as)
			if tt.as != "poller" {
				c.approves(id)
			}
			told := c.one()
			c.message(told)
			tt.do(c, id)
			if m, err := c.Compose(t.Context(), told, c.delivery(told)); !errors.Is(err, api.ErrGone) || m.Body != nil || m.Bearer != "" {
				t.Errorf("got %+v, %v", m, err)
			}
		})
	}
}

// Who was told of a change elsewhere is not told there any more.
func TestAWebhookIsNotSentToAnEndpointThatTheClientGaveUp(t *testing.T) {
	c := newTeller(t)
	c.gives("c1", "budget")
	told := c.one()
	c.message(told)
	c.moves("budget")
	if m, err := c.Compose(t.Context(), told, c.delivery(told)); !errors.Is(err, api.ErrGone) || m.Body != nil {
		t.Errorf("got %+v, %v", m, err)
	}
}

// What was decided in the last moment, or by nobody, is still told.
func TestWhatIsToldAfterExpiry(t *testing.T) {
	c := newTeller(t)
	id, _ := c.asked("pusher")
	c.runsOut(id)
	told := c.one()
	if until := c.delivery(told).Until(); !until.After(c.Now()) || until.After(c.Now().Add(10*time.Minute)) {
		t.Errorf("it is told until %s, now is %s", until, c.Now())
	}
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(s[:])
}

// leftHalf is at_hash of ES256 (OIDC-Core, Section 3.1.3.6).
func leftHalf(token string) string {
	s := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(s[:16])
}
