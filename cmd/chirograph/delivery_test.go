package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/projections"
)

// refused records a webhook and a ping that their receiver refused. The ping
// tells of a request that has expired.
func refused(t *testing.T, dir string) {
	t.Helper()
	t.Chdir(dir)
	c, _, err := config.Read(config.Sources{File: os.Getenv(config.FileVariable), Env: os.Environ()})
	if err != nil {
		t.Fatal(err)
	}
	p, err := platform.Open(t.Context(), platform.Options{Config: c, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	m := p.Meta(event.ActorSystem)
	m.Issuer, m.Client, m.Subject = "fapi2", "reader", "c-1"
	const endpoint = "https://reader.example/told"
	reader, _, err := p.API.Clients.Get(t.Context(), "reader")
	if err != nil {
		t.Fatal(err)
	}
	told := reader.Metadata()
	told.EventEndpoint = endpoint
	if _, err := p.API.Clients.Execute(t.Context(), m, "reader", client.Update{Updated: client.Updated{Metadata: told}}); err != nil {
		t.Fatal(err)
	}
	for id, s := range map[string]delivery.Scheduled{
		"hook": {Kind: delivery.Webhook, Consent: "c1", Body: "told\x1b[2J", Digest: "bad", Until: p.Now().Add(time.Hour)},
		"ping": {Kind: delivery.Ping, Backchannel: "b1", Digest: "bad", Until: p.Now()},
	} {
		s.Client, s.Receiver, s.Media, s.Says, s.Cause, s.Due = "reader", endpoint, "application/json", "it changed", "e1", p.Now()
		answered := delivery.Attempted{N: 1, Status: 401, Answer: `{"error":"who?"}`, Took: 12}
		for _, cmd := range []delivery.Command{
			delivery.Schedule{Scheduled: s}, delivery.Attempt{Attempted: answered, Verdict: delivery.Judge(s.Kind, 1, delivery.Answer{Status: 401}, p.Now(), s.Until)},
		} {
			if _, err := p.API.Deliveries.Execute(t.Context(), m, id, cmd); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDeliveriesAreShownAndTakenUpAgain(t *testing.T) {
	dir, _ := prepared(t)
	ok(t, dir, "apply", "-f", "bank.yaml")
	refused(t, dir)
	tests := []struct {
		name, line string
		code       int
		says       []string
	}{
		{"all that are parked", "delivery list --status parked --client reader", 0, []string{"DELIVERY", "parked", "401", "it changed", "https://reader.example/told"}},
		{"one kind of them", "delivery list --kind webhook -q", 0, []string{"hook\n"}},
		{"none", "delivery list --consent other", 0, []string{"nothing found"}},
		{"a state that there is not", "delivery list --status lost", 1, []string{"status must be"}},
		{"the proof of a ping", "delivery show ping", 0, []string{
			"delivery     ping, a ping, parked\n", "to           client reader\n", "about        backchannel b1, event e1\n", "says         it changed\n",
			"sent         POST https://reader.example/told application/json, sha256 bad\n", "holds secrets", "scheduled ", "until ",
			"attempt 1 ", " 401 after 12 ms: {\"error\":\"who?\"}", "parked ", "by the system: the receiver answered 401 [",
		}},
		{"what holds no secret, without steering the terminal", "delivery show hook", 0, []string{"body         told�[2J\n"}},
		{"the same for programs", "delivery show hook -o json", 0, []string{`"holds_secrets": false`, `"step": "attempted"`, `"took_ms": 12`}},
		{"nothing", "delivery show none", 3, []string{"no delivery none"}},
		{"not what nobody waits for", "delivery redeliver ping", 5, []string{"the request expired at"}},
		{"not other bytes than before", "delivery redeliver hook", 5, []string{"not what was scheduled"}},
		{"not without a reason", "delivery park hook", 2, []string{`"reason" not set`}},
		{"not what is parked", "delivery park hook --reason enough", 5, []string{"has ended"}},
		{"its events", "audit search --delivery ping --oldest", 0, []string{"Reader is to be pinged: it changed", "attempt 1 to ping Reader: answered 401", "parked by the system"}},
		{"those of a request", "audit search --backchannel b1 --oldest", 0, []string{"Reader is to be pinged"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := chirograph(t, dir, strings.Fields(tt.line)...)
			if err := inOrder(r.out+r.err, tt.says...); r.code != tt.code || err != nil {
				t.Errorf("exit %d, %v\n%s%s", r.code, err, r.out, r.err)
			}
		})
	}
}

func TestARunningServerShowsDeliveries(t *testing.T) {
	dir, _ := prepared(t)
	ok(t, dir, "apply", "-f", "bank.yaml")
	refused(t, dir)
	stopped := ok(t, dir, "delivery", "show", "ping")
	start(t, dir, filepath.Join(dir, "data"), "serve")
	if running := ok(t, dir, "delivery", "show", "ping"); running != stopped {
		t.Errorf("it shows\n%s", running)
	}
	l := answer[projections.Listing[projections.Delivery]](t, dir, "delivery", "list")
	if len(l.Items) != 2 {
		t.Errorf("it lists %+v", l)
	}
	if r := chirograph(t, dir, "delivery", "redeliver", "ping"); r.code != 5 || !strings.Contains(r.err, "expired") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
}

func TestWhatADeviceIsToldIsANotification(t *testing.T) {
	var told strings.Builder
	err := tellDelivery(&told, []byte(`{"delivery_id":"d1","kind":"device","status":"parked"}`))
	if err != nil || !strings.HasPrefix(told.String(), "delivery     d1, a notification, parked\n") {
		t.Errorf("%v\n%s", err, told.String())
	}
}
