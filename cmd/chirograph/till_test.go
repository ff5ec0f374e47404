package main

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/dev"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
	"github.com/chirograph/chirograph/domain/oauth"
)

// The till of the dev server asks customers, whose answers appear on it.
func TestTill(t *testing.T) {
	dir, at := t.TempDir(), ports(t, 4)
	data := filepath.Join(dir, kept)
	start(t, dir, data, "dev", "--port", at[0], "--mtls-port", at[1], "--admin-port", at[2], "--notify-port", at[3]).
		awaits(t, filepath.Join(data, "dev.json"))
	cast, err := dev.Asking{Dir: data, Mode: oauth.Poll, LoginHint: "alice"}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	screen := &screen{t, story.NewBrowser(cast.Phone), "https://localhost:" + at[0] + "/till"}
	tests := []struct {
		name     string
		fields   url.Values
		client   string
		decision string
		want     []string // in this order
	}{
		{"who approves shares accounts with a till that polls", url.Values{"mode": {"poll"}, "message": {"Tram 7"}}, "payzip-poll", "approve",
			[]string{"approved: Tram 7", "Approved", "3 accounts", "Everyday", "EUR", "Rainy day", "Household"}},
		{"or is pinged", url.Values{"mode": {"ping"}, "message": {"Tram 8"}}, "payzip-till", "approve", []string{"Approved", "3 accounts", "Tram 8"}},
		{"a no is learned by polling", url.Values{"mode": {"poll"}}, "payzip-poll", "deny", []string{"Denied", "alice", "has said no"}},
		{"and by a ping", url.Values{"mode": {"ping"}}, "payzip-till", "deny", []string{"Denied", "has said no"}},
		{"nobody answers in time", url.Values{"mode": {"poll"}, "seconds": {"1"}}, "", "", []string{"Too late", "Nobody answered until"}},
		{"and no ping comes", url.Values{"mode": {"ping"}, "seconds": {"1"}}, "", "", []string{"Too late", "Nobody answered until"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sale := screen.ask(tt.fields)
			if err := inOrder(sale.Text, "DEV", "Waiting for the customer", "must show exactly this", "binding-message", "is asked to answer"); err != nil || sale.Status != http.StatusOK {
				t.Fatalf("%v in %d\n%s", err, sale.Status, sale.Text)
			}
			if tt.decision != "" {
				request := strings.TrimSpace(ok(t, dir, "backchannel", "list", "--client", tt.client, "--status", "requested", "-q"))
				if err := story.NewBrowser(cast.Phone).Decide(t.Context(), cast.Client.Issuer, request, cast.Customer, tt.decision); err != nil {
					t.Fatal(err)
				}
			}
			if err := inOrder(screen.settled(sale).Text, tt.want...); err != nil {
				t.Error(err)
			}
		})
	}
	refused := []struct {
		name   string
		fields url.Values
		want   string
	}{
		{"the bank knows nobody of that name", url.Values{"login_hint": {"zoe"}}, "unknown_user_id"},
		{"a message has a limit", url.Values{"message": {strings.Repeat("long ", 100)}}, "invalid_binding_message"},
		{"there is no third way to learn", url.Values{"mode": {"push"}}, "polls or is pinged"},
		{"soon is no number", url.Values{"seconds": {"soon"}}, "a number of seconds"},
	}
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			if p := screen.ask(tt.fields); p.Status != http.StatusBadRequest || inOrder(p.Text, "There is a problem", tt.want, "Ask a customer") != nil {
				t.Errorf("got %d\n%s", p.Status, p.Text)
			}
		})
	}
	t.Run("what is forgotten can be asked again", func(t *testing.T) {
		if p, err := screen.Open(t.Context(), screen.url+"/unknown"); err != nil || p.Status != http.StatusNotFound || !strings.Contains(p.Text, "has forgotten") {
			t.Errorf("%v: got %d\n%s", err, p.Status, p.Text)
		}
	})
	t.Run("no other site asks", func(t *testing.T) {
		screen.gets(http.StatusForbidden, "", http.Header{"Sec-Fetch-Site": {"cross-site"}}, cast.Phone)
	})
	t.Run("nobody pings without a token", func(t *testing.T) {
		screen.gets(http.StatusUnauthorized, "/notifications", http.Header{"Authorization": {"Bearer guess"}}, cast.Phone)
	})
}

// A screen is a browser at the till.
type screen struct {
	t *testing.T
	*story.Browser
	url string
}

func (s *screen) ask(fields url.Values) story.Page {
	s.t.Helper()
	page, err := s.Open(s.t.Context(), s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	form, _ := page.FormWith("ask")
	for name, values := range fields {
		form.Fields[name] = values
	}
	if page, err = s.Submit(s.t.Context(), page, form, "ask"); err != nil {
		s.t.Fatal(err)
	}
	return page
}

// settled is the page once it does not wait any more.
func (s *screen) settled(page story.Page) story.Page {
	s.t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for over := time.After(30 * time.Second); strings.Contains(page.Text, `data-state="waiting"`); {
		select {
		case <-look.C:
		case <-over:
			s.t.Fatalf("it waits still:\n%s", page.Text)
		}
		var err error
		if page, err = s.Open(s.t.Context(), page.URL.String()); err != nil {
			s.t.Fatal(err)
		}
	}
	return page
}

// gets demands how a form that is posted below the till is answered.
func (s *screen) gets(status int, path string, header http.Header, over http.RoundTripper) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, strings.NewReader("login_hint=alice&mode=poll"))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header = header
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := over.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != status {
		s.t.Errorf("%s is answered %d, want %d", path, answer.StatusCode, status)
	}
}
