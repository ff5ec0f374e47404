package dev

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/api/samplebank"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
)

// A wiretap keeps everything that goes over the wire.
type wiretap struct {
	over http.RoundTripper
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *wiretap) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		w.keep(r.URL.String(), string(body))
	}
	w.keepHeader(r.Header)
	answer, err := w.over.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	w.keep(string(body))
	w.keepHeader(answer.Header)
	return answer, nil
}

func (w *wiretap) keepHeader(h http.Header) {
	for name, values := range h {
		for _, v := range values {
			w.keep(name + ": " + v)
		}
	}
}

func (w *wiretap) keep(parts ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range parts {
		w.text.WriteString(p + "\n")
	}
}

// What must never be written down, as it looks on the wire: JWTs, artefacts
// (an id and a secret), cookies.
var secretForms = []*regexp.Regexp{
	regexp.MustCompile(`eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}`),
	regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}[.~:_][\w-]{40,}`),
	regexp.MustCompile(`(?:Set-Cookie|Cookie): [^=\n]+=([\w.-]{20,})`),
	regexp.MustCompile(`code_verifier=([\w-]{43,})`),
	regexp.MustCompile(`(?:code|refresh_token|access_token)"?[=:]"?([\w.~-]{40,})`),
}

func (w *wiretap) secrets() map[string]bool {
	found := map[string]bool{}
	for _, form := range secretForms {
		for _, match := range form.FindAllStringSubmatch(w.text.String(), -1) {
			found[match[len(match)-1]] = true
		}
	}
	return found
}

func TestNoSecretIsWrittenDown(t *testing.T) {
	h := newHouse(t)
	tap := &wiretap{over: h.transport}
	alice := samplebank.Customers()[0]
	cast := story.Cast{Client: h.budgetly(tap), Customer: customer(alice.Login), Bank: h.origin() + bankPath}
	outcome, err := story.Play(t.Context(), cast, tap, time.Now(), func(string, string, string) {})
	if err != nil {
		t.Fatal(err)
	}
	h.use(tap)
	h.disturb(tap, outcome.Tokens)
	secrets := tap.secrets()
	if len(secrets) < 15 {
		t.Fatalf("only %d secrets were seen: the forms are out of date", len(secrets))
	}
	for _, c := range samplebank.Customers() {
		secrets[c.Password] = true
	}
	secrets["a wrong password"] = true
	h.free(secrets, "the server's log", h.log.String())
	status, body := h.metrics()
	if status != http.StatusOK {
		t.Errorf("metrics: %d", status)
	}
	h.free(secrets, "the metrics", body)
	if !strings.Contains(h.log.String(), "refused") {
		t.Error("the log says nothing of what was refused")
	}
}

// use uses tokens as they are meant to be used.
func (h *house) use(tap *wiretap) {
	h.t.Helper()
	client := h.budgetly(tap)
	tokens, _ := h.consented("ben", tap)
	fresh, err := client.Token(h.t.Context(), url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}})
	if err != nil {
		h.t.Fatal(err)
	}
	if status, body, err := client.Get(h.t.Context(), h.issuer()+"/userinfo", fresh); err != nil || status != http.StatusOK {
		h.t.Fatalf("userinfo: %d %s %v", status, body, err)
	}
	if _, err := client.Token(h.t.Context(), url.Values{"grant_type": {"client_credentials"}}); err != nil {
		h.t.Fatal(err)
	}
}

// disturb sends everything to every endpoint that would be refused, secrets
// included, because errors are what is logged.
func (h *house) disturb(tap *wiretap, tokens story.Tokens) {
	h.t.Helper()
	client := &http.Client{Transport: tap, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	junk := url.Values{
		"client_id": {budgetly}, "client_assertion": {tokens.Access}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"grant_type": {"refresh_token"}, "refresh_token": {tokens.Refresh}, "token": {tokens.Access}, "code": {tokens.Refresh},
		"request_uri": {"urn:ietf:params:oauth:request_uri:" + tokens.Refresh}, "user": {"alice"}, "password": {"a wrong password"}, "i": {tokens.Refresh},
		"code_verifier": {strings.Repeat("v", 43)},
	}
	for _, path := range []string{
		"/par", "/token", "/introspect", "/revoke", "/userinfo", "/register", "/register/" + budgetly, "/authorize", "/login", "/logout",
		"/interaction", "/interaction/login", "/interaction/decision", "/interaction/cancel", "/interaction/continue", "/my/consents", "/nothing",
	} {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE"} {
			to := h.issuer() + path
			if method == "GET" {
				to += "?" + junk.Encode()
			}
			r, err := http.NewRequestWithContext(h.t.Context(), method, to, strings.NewReader(junk.Encode()))
			if err != nil {
				h.t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Authorization", "Bearer "+tokens.Access)
			r.Header.Set("DPoP", tokens.Access)
			r.Header.Set("Cookie", "__Host-session-fapi2="+tokens.Refresh)
			answer, err := client.Do(r)
			if err != nil {
				h.t.Fatal(err)
			}
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
		}
	}
}

func (h *house) metrics() (int, string) {
	h.t.Helper()
	client := &http.Client{Transport: h.transport}
	answer, err := client.Get(h.config.Admin.Origin + "/metrics")
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func (h *house) free(secrets map[string]bool, where, text string) {
	h.t.Helper()
	for s := range secrets {
		if i := strings.Index(text, s); i >= 0 {
			line := text[strings.LastIndex(text[:i], "\n")+1:]
			line, _, _ = strings.Cut(line, "\n")
			h.t.Errorf("%s has the secret %.12s… in\n%.300s", where, s, line)
		}
	}
}

// Live artefacts are not in the event log either, nor beside it in the clear.
func TestNoLiveArtefactIsInTheFolder(t *testing.T) {
	h := newHouse(t)
	tokens, _ := h.consented("chidi", h.transport)
	secrets := map[string]bool{tokens.Access: true, tokens.Refresh: true, customer("chidi").Password: true, customer("chidi").Name: true}
	files, err := filepath.Glob(h.path("*.db*"))
	if err != nil || len(files) < 4 {
		t.Fatalf("%v %v", files, err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		h.free(secrets, file, string(raw))
	}
}
