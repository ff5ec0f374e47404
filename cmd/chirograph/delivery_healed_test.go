package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/dev"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/projections"
)

// A client whose notification endpoint refuses the ping is proved to have been
// told; when it has healed it is told again, and redeems what was approved.
func TestAPingIsParkedProvedAndMadeAgain(t *testing.T) {
	dir, at := t.TempDir(), ports(t, 4)
	data := filepath.Join(dir, kept)
	start(t, dir, data, "dev", "--port", at[0], "--mtls-port", at[1], "--admin-port", at[2], "--notify-port", at[3]).
		awaits(t, filepath.Join(data, "dev.json"))
	till, err := dev.Asking{Dir: data, Mode: oauth.Ping, LoginHint: "alice", Message: "Tram 7"}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := till.Close(); err != nil { // its endpoint is another here
		t.Fatal(err)
	}
	healed := endpoint(t, data, at[3], till.Receiver)
	asked, err := till.Client.Authenticate(t.Context(), till.Ask)
	if err != nil {
		t.Fatal(err)
	}
	request, _ := oauth.ParseArtefact(asked.ID)
	if err := story.NewBrowser(till.Phone).Decide(t.Context(), till.Client.Issuer, request.ID, till.Customer, "approve"); err != nil {
		t.Fatal(err)
	}
	parked := until(t, dir, "parked", request.ID)
	if parked.Kind != "ping" || parked.Client != till.Client.ID || parked.Answered != http.StatusUnauthorized {
		t.Errorf("parked is %+v", parked)
	}
	proof := ok(t, dir, "delivery", "show", parked.ID)
	if err := inOrder(proof, "a ping, parked", "says ", "the customer approved", "sent ", "POST https://localhost:"+at[3], "application/json, sha256 ",
		"attempt 1", "401 after", "who are you?", "parked ", "by the system: the receiver answered 401"); err != nil {
		t.Errorf("%v in\n%s", err, proof)
	}
	if strings.Contains(proof, asked.ID) {
		t.Errorf("the proof tells a secret:\n%s", proof)
	}
	healed.Store(true)
	if out := ok(t, dir, "delivery", "redeliver", parked.ID); !strings.Contains(out, "scheduled") {
		t.Errorf("it says\n%s", out)
	}
	if _, err := till.Receiver.Wait(t.Context(), asked, 0); err != nil {
		t.Fatal(err)
	}
	if tokens, err := till.Client.Poll(t.Context(), asked); err != nil || tokens.Access == "" {
		t.Errorf("what it redeems is %v", err)
	}
	if d := until(t, dir, "delivered", request.ID); d.Attempts != 2 || d.Answered != http.StatusNoContent {
		t.Errorf("delivered is %+v", d)
	}
	if asked := answer[projections.Backchannel](t, dir, "backchannel", "get", request.ID); asked.Status != "redeemed" || asked.Consent != parked.Consent {
		t.Errorf("the request is %+v", asked)
	}
	if out := ok(t, dir, "backchannel", "list", "--client", till.Client.ID, "--status", "redeemed", "-q"); out != request.ID+"\n" {
		t.Errorf("listed are\n%s", out)
	}
	timeline := ok(t, dir, "audit", "timeline", "consent/"+parked.Consent)
	if err := inOrder(timeline, "asked Alice Marsh by backchannel, waiting to be pinged", "was shown to Alice Marsh", "approved the request",
		"attempt 1 to ping Payzip till (ping): answered 401", "was parked by the system", "was taken up again by the operator",
		"attempt 2 to ping Payzip till (ping): answered 204", "was pinged"); err != nil {
		t.Errorf("%v in\n%s", err, timeline)
	}
	if err := inOrder(timeline, "was taken up again", "was redeemed"); err != nil { // before or after the answer to the ping is recorded
		t.Errorf("%v in\n%s", err, timeline)
	}
}

// endpoint is a notification endpoint that knows nobody until it has healed.
func endpoint(t *testing.T, data, port string, well http.Handler) *atomic.Bool {
	t.Helper()
	certificate, err := tls.LoadX509KeyPair(filepath.Join(data, "notify.pem"), filepath.Join(data, "notify.key"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	healed := &atomic.Bool{}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if healed.Load() {
			well.ServeHTTP(w, r)
			return
		}
		http.Error(w, "who are you?", http.StatusUnauthorized)
	})}
	go s.Serve(tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}}))
	t.Cleanup(func() { s.Close() })
	return healed
}

// until waits until the delivery about a request is in a state.
func until(t *testing.T, dir, status, request string) projections.Delivery {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		l := answer[projections.Listing[projections.Delivery]](t, dir, "delivery", "list", "--status", status, "--backchannel", request)
		if len(l.Items) > 0 {
			return l.Items[0]
		}
		if ctx.Err() != nil {
			t.Fatalf("no delivery about %s is %s", request, status)
		}
		poll(ctx)
	}
}
