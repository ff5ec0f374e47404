package admin

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/projections"
)

// kept is what waits to be sent.
type kept map[string]string

func (k kept) Keep(context.Context, string, []byte, time.Time) error { return nil }
func (k kept) Forget(_ context.Context, id string) error             { delete(k, id); return nil }

func (k kept) Find(_ context.Context, id string, _ time.Time) ([]byte, error) {
	if secret, there := k[id]; there {
		return []byte(secret), nil
	}
	return nil, api.ErrGone
}

const (
	requestID = "backchannel-b1"
	endpoint  = "https://budgetly.example/told"
)

// telling is a cluster where Budgetly asked Alice and is to be pinged ("ping")
// and told of a consent by webhook ("hook"); its receiver refuses both. The
// ping of another request ("done") arrived.
func telling(t *testing.T) (*cluster, kept) {
	c, secrets := newCluster(t), kept{requestID: `{"auth_req_id":"b1.s","client_notification_token":"n"}`}
	_, err := c.nodes[0].Apply(t.Context(), operatorMeta, installation(t))
	c.must(err)
	for _, n := range c.nodes {
		n.API.Waiting = secrets
	}
	budgetly, _, err := c.nodes[0].API.Clients.Get(t.Context(), "budgetly")
	c.must(err)
	m := budgetly.Metadata()
	m.NotificationEndpoint, m.EventEndpoint = endpoint, endpoint
	_, err = c.nodes[0].API.Clients.Execute(t.Context(), operatorMeta, "budgetly", client.Update{Updated: client.Updated{Metadata: m}})
	c.must(err)
	end := c.Now().Add(5 * time.Minute)
	asked := backchannel.Requested{Client: "budgetly", Subject: "alice", Mode: oauth.Ping, Expires: end}
	_, err = c.nodes[0].API.Backchannels.Execute(t.Context(), c.meta(), "b1", backchannel.Request{Requested: asked})
	c.must(err)
	c.told("ping", delivery.Scheduled{Kind: delivery.Ping, Backchannel: "b1", Digest: digestOf(`{"auth_req_id":"b1.s"}`), Until: end}, 401)
	c.told("hook", delivery.Scheduled{Kind: delivery.Webhook, Consent: "c1", Body: "signed", Digest: digestOf("signed"), Until: end}, 401)
	c.told("done", delivery.Scheduled{Kind: delivery.Ping, Backchannel: "b2", Digest: "d", Until: end}, 204)
	return c, secrets
}

func (c *cluster) meta() event.Meta {
	return event.Meta{Issuer: "north", Client: "budgetly", Subject: "alice", Correlation: requestID}
}

// told schedules a delivery and attempts it once.
func (c *cluster) told(id string, s delivery.Scheduled, status int) {
	c.Helper()
	s.Client, s.Receiver, s.Media, s.Says, s.Due = "budgetly", endpoint, "application/json", "the customer approved", c.Now()
	verdict := delivery.Judge(s.Kind, 1, delivery.Answer{Status: status}, c.Now(), s.Until)
	for _, cmd := range []delivery.Command{
		delivery.Schedule{Scheduled: s},
		delivery.Attempt{Attempted: delivery.Attempted{N: 1, Status: status, Answer: "who are you?", Took: 12}, Verdict: verdict},
	} {
		_, err := c.nodes[0].API.Deliveries.Execute(c.Context(), c.meta(), id, cmd)
		c.must(err)
	}
}

func digestOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (c *cluster) get(path string) *httptest.ResponseRecorder {
	c.Helper()
	w := httptest.NewRecorder()
	c.nodes[0].Handler(Trusted{"test"}).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func (c *cluster) elapse(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestDeliveriesAreListed(t *testing.T) {
	c, _ := telling(t)
	tests := []struct {
		name, query string
		status      int
		want        string // ids, or a word of the refusal
	}{
		{"all of them, the newest first", "", 200, "done hook ping"},
		{"those that are parked", "?status=parked", 200, "hook ping"},
		{"pings", "?kind=ping", 200, "done ping"},
		{"those to a client", "?client=budgetly&limit=1", 200, "done"},
		{"those about a consent", "?consent=c1", 200, "hook"},
		{"those about a request", "?backchannel=b1&status=parked", 200, "ping"},
		{"none", "?client=stranger", 200, ""},
		{"not in a state that there is not", "?status=lost", 400, "status must be"},
		{"not of a kind that there is not", "?kind=pigeon", 400, "kind must be"},
		{"not by what nobody knows", "?receiver=x", 400, "unknown parameter"},
		{"not after a cursor of another question", "?cursor=AQAAAAAAAAAAAAA", 400, "cursor"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := c.get("/admin/deliveries" + tt.query)
			if w.Code != tt.status {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if tt.status != http.StatusOK {
				if !strings.Contains(w.Body.String(), tt.want) {
					t.Errorf("it says %s", w.Body)
				}
				return
			}
			var l projections.Listing[projections.Delivery]
			c.must(json.Unmarshal(w.Body.Bytes(), &l))
			var got []string
			for _, d := range l.Items {
				got = append(got, d.ID)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}

func TestTheBacklogIsCounted(t *testing.T) {
	c, _ := telling(t)
	c.elapse(time.Minute)
	c.post(0, "/admin/deliveries/ping/redeliver", "")
	w := c.get("/admin/deliveries/backlog")
	if want := `{"count":{"delivered":1,"parked":1,"scheduled":1},"oldest_waiting":"2026-05-04T12:00:00Z"}`; strings.TrimSpace(w.Body.String()) != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestADeliveryProvesWhatWasSentAndAnswered(t *testing.T) {
	c, _ := telling(t)
	w := c.get("/admin/deliveries/ping")
	var s projections.DeliveryStory
	c.must(json.Unmarshal(w.Body.Bytes(), &s))
	if s.Status != "parked" || s.Receiver != endpoint || !s.Secrets || s.Digest != digestOf(`{"auth_req_id":"b1.s"}`) || len(s.Steps) != 3 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if a := s.Steps[1]; a.Status != 401 || a.Answer != "who are you?" || a.Took != 12 || !a.Time.Equal(c.Now()) {
		t.Errorf("the attempt is %+v", a)
	}
	if s.Steps[2].Reason != "the receiver answered 401" {
		t.Errorf("the end is %+v", s.Steps[2])
	}
	if w := c.get("/admin/deliveries/hook"); !strings.Contains(w.Body.String(), `"body":"signed"`) || !strings.Contains(w.Body.String(), `"holds_secrets":false`) {
		t.Errorf("what holds no secret is shown: %s", w.Body)
	}
	if w := c.get("/admin/deliveries/none"); w.Code != http.StatusNotFound {
		t.Errorf("of nothing: %d", w.Code)
	}
}

func TestADeliveryIsTakenUpAgain(t *testing.T) {
	tests := []struct {
		name, id string
		before   func(*cluster, kept)
		status   int
		want     string
	}{
		{"a parked ping, while the client waits", "ping", nil, 200, `"status":"scheduled"`},
		{"a webhook, long after", "hook", func(c *cluster, _ kept) { c.elapse(30 * 24 * time.Hour) }, 200, `"status":"scheduled"`},
		{"not a ping that nobody waits for", "ping", func(c *cluster, _ kept) { c.elapse(5 * time.Minute) }, 409, "the request expired at 2026-05-04T12:05:00Z"},
		{"not a notification of what has run out", "app", func(c *cluster, _ kept) {
			c.told("app", delivery.Scheduled{Kind: delivery.Device, Backchannel: "b1", Device: "d1", Body: "signed", Digest: digestOf("signed"), Until: c.Now()}, 401)
		}, 409, "nobody waits for this notification"},
		{"not what is no longer kept", "ping", func(_ *cluster, k kept) { delete(k, requestID) }, 409, "cannot be sent any more"},
		{"not other bytes than before", "ping", func(_ *cluster, k kept) { k[requestID] = `{"auth_req_id":"other"}` }, 409, "not what was scheduled"},
		{"not to a client that was suspended", "hook", func(c *cluster, _ kept) { c.post(0, "/admin/clients/budgetly/suspend", `{"reason":"fraud"}`) }, 409, "suspended"},
		{"not what is still tried", "ping", func(c *cluster, _ kept) { c.post(1, "/admin/deliveries/ping/redeliver", "") }, 409, "still being tried"},
		{"not what arrived", "done", nil, 409, "arrived at"},
		{"not what there is not", "none", nil, 404, "no delivery none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, secrets := telling(t)
			if tt.before != nil {
				tt.before(c, secrets)
			}
			w := c.post(0, "/admin/deliveries/"+tt.id+"/redeliver", "")
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if tt.status != http.StatusOK {
				return
			}
			state, _, err := c.nodes[1].API.Deliveries.Load(t.Context(), tt.id)
			c.must(err)
			lasts := map[string]time.Duration{"ping": 5 * time.Minute, "hook": 72 * time.Hour}[tt.id]
			if !state.Pending() || !state.Due().Equal(c.Now()) || !state.Until().Equal(c.Now().Add(lasts)) {
				t.Errorf("due at %v, until %v", state.Due(), state.Until())
			}
		})
	}
}

func TestADeliveryIsParked(t *testing.T) {
	c, _ := telling(t)
	steps := []struct {
		name, id, body string
		status         int
		want           string
	}{
		{"not without a reason", "ping", `{}`, 400, "reason is required"},
		{"not what is parked", "ping", `{"reason":"enough"}`, 409, "has ended"},
		{"not what there is not", "none", `{"reason":"enough"}`, 404, "no delivery none"},
		{"what was taken up again", "ping", `{"reason":"enough"}`, 200, `"parked_because":"enough"`},
	}
	for _, step := range steps {
		if step.status == http.StatusOK {
			c.post(0, "/admin/deliveries/ping/redeliver", "")
		}
		if w := c.post(0, "/admin/deliveries/"+step.id+"/park", step.body); w.Code != step.status || !strings.Contains(w.Body.String(), step.want) {
			t.Errorf("%s: %d %s", step.name, w.Code, w.Body)
		}
	}
	w := c.get("/admin/audit/timeline/delivery/ping")
	for _, sentence := range []string{
		"Budgetly is to be pinged: the customer approved", "attempt 1 to ping Budgetly: answered 401",
		"the ping to Budgetly was parked by the system: the receiver answered 401", "the ping to Budgetly was taken up again by the operator",
		"the ping to Budgetly was parked by the operator: enough",
	} {
		if !strings.Contains(w.Body.String(), sentence) {
			t.Errorf("the timeline does not say %q: %s", sentence, w.Body)
		}
	}
}

func TestBackchannelRequestsAreListedAndShown(t *testing.T) {
	c, _ := telling(t)
	for query, want := range map[string]string{
		"?client=budgetly": `"backchannel_id":"b1"`, "?subject=alice&status=requested": `"backchannel_id":"b1"`,
		"?status=denied": `"items":`, "?status=lost": "status must be", "/b1": `"delivery_mode":"ping"`, "/b9": "no backchannel request b9",
	} {
		if w := c.get("/admin/backchannels" + query); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

func TestAnEventThatCannotBeHandledIsListed(t *testing.T) {
	c, _ := telling(t)
	told := delivery.Scheduled{Kind: delivery.Unreadable, Says: "the event e1 (consent.mended) of consent-c1", Cause: "e1", Due: c.Now(), Until: c.Now()}
	for _, cmd := range []delivery.Command{delivery.Schedule{Scheduled: told}, delivery.Park{Parked: delivery.Parked{By: delivery.System, Reason: "it cannot be handled"}}} {
		_, err := c.nodes[0].API.Deliveries.Execute(t.Context(), event.Meta{}, "odd", cmd)
		c.must(err)
	}
	if w := c.get("/admin/deliveries?kind=unreadable"); w.Code != 200 || strings.Count(w.Body.String(), "delivery_id") != 1 || !strings.Contains(w.Body.String(), told.Says) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := c.post(0, "/admin/deliveries/odd/redeliver", ""); w.Code != 409 || !strings.Contains(w.Body.String(), "cannot be handled") {
		t.Errorf("taken up again: %d %s", w.Code, w.Body)
	}
}
