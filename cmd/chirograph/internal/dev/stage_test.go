package dev

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/api/samplebank"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
)

// A house is a development server that runs while its test does.
type house struct {
	*stage
	t         *testing.T
	log       *notes
	transport *http.Transport
}

// notes is what a server writes.
type notes struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// newHouse starts a server whose log tells everything.
func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, log: &notes{}}
	log := slog.New(slog.NewJSONHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.stage = &stage{Options: Options{Dir: t.TempDir(), Out: io.Discard, Log: log, Version: "test"}}
	var err error
	if h.folder, err = prepare(h.Dir, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := h.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- h.server.Run(ctx) }()
	h.transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: h.trusted}, ForceAttemptHTTP2: true}
	t.Cleanup(func() {
		h.transport.CloseIdleConnections()
		stop()
		if err := <-served; err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if err := h.platform.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// budgetly is the third party, over a transport.
func (h *house) budgetly(over http.RoundTripper) *story.Client {
	return &story.Client{
		Name: "Budgetly", ID: budgetly, Issuer: h.issuer(), RedirectURI: budgetlyBack, Key: h.keys[budgetly],
		HTTP: &http.Client{Transport: over, Timeout: 20 * time.Second}, Now: time.Now,
	}
}

// customer is one of the sample bank's.
func customer(login string) story.Customer {
	for _, c := range samplebank.Customers() {
		if c.Login == login {
			return story.Customer{Name: c.Name, Login: c.Login, Password: c.Password}
		}
	}
	panic("nobody is called " + login)
}

// consented lets a customer approve Budgetly's request for accounts.
func (h *house) consented(login string, over http.RoundTripper) (story.Tokens, string) {
	h.t.Helper()
	ctx, client := h.t.Context(), h.budgetly(over)
	request, err := client.Push(ctx, url.Values{"scope": {"openid"}, "authorization_details": {accountsDetail(time.Now())}})
	if err != nil {
		h.t.Fatal(err)
	}
	browser := story.NewBrowser(over)
	answer, err := browser.Approve(ctx, request.URL, customer(login))
	if err != nil {
		h.t.Fatal(err)
	}
	tokens, err := client.Redeem(ctx, request, answer)
	if err != nil {
		h.t.Fatal(err)
	}
	consent, err := story.NewBrowser(over).NewestConsent(ctx, h.issuer(), customer(login))
	if err != nil {
		h.t.Fatal(err)
	}
	return tokens, consent
}

func accountsDetail(now time.Time) string {
	raw, err := json.Marshal([]map[string]any{{
		"type": "account_information", "permissions": []string{"ReadAccounts", "ReadBalances"}, "expires_at": now.Add(time.Hour).UTC().Truncate(time.Second),
	}})
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// admin asks the admin API as the operator's commands do, and returns status
// and body.
func (h *house) operate(method, path string, body any) (int, string) {
	h.t.Helper()
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			h.t.Fatal(err)
		}
	}
	r := newLocal(method, path, raw)
	w := newRecorder()
	h.platform.Admin.Handler(trusted).ServeHTTP(w, r)
	return w.Code, strings.TrimSpace(w.Body.String())
}
