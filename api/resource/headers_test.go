package resource

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/oauth"
)

func TestHeadersOfEveryResponse(t *testing.T) {
	for _, target := range []string{"/all", "/write", "/none", "/all?case=fail"} {
		h := ask(customers(), "GET", target, header("Accept", "image/png;q=x, */;")).Header()
		for name, want := range map[string]string{
			"Date": "Mon, 04 May 2026 12:00:00 GMT", "Cache-Control": "no-store", "Content-Type": "application/json", "X-Content-Type-Options": "nosniff",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", target, name, got, want)
			}
		}
	}
}

var uuid4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestInteractionID(t *testing.T) {
	tests := []struct {
		name, sent string
		kept       bool
	}{
		{"an id that the client chose is kept", "93bac548-d2de-4546-b106-880a5018460d", true},
		{"it need not be a UUID", "my call #7", true},
		{"64 characters are not too many", strings.Repeat("x", 64), true},
		{"65 are", strings.Repeat("x", 65), false},
		{"without one a UUID is made", "", false},
		{"a control character makes it no id", "a\x07b", false},
		{"nor is it one with letters beyond ASCII", "für", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, target := range []string{"/all", "/write", "/none"} {
				l := customers()
				got := ask(l, "GET", target, header("x-fapi-interaction-id", tt.sent)).Header().Get("x-fapi-interaction-id")
				if tt.kept && got != tt.sent || !tt.kept && !uuid4.MatchString(got) {
					t.Errorf("%s: got %q", target, got)
				}
				if target != "/none" && l.presented.Interaction != got {
					t.Errorf("%s: the check saw %q, the client %q", target, l.presented.Interaction, got)
				}
			}
		})
	}
	if one, other := interaction(""), interaction(""); one == other {
		t.Error("two calls got the same id")
	}
}

func TestNonces(t *testing.T) {
	ended := func() *ledger { l := customers(); l.refusal = oauth.Refuse(oauth.UseDPoPNonce, "", "no"); return l }
	tests := []struct {
		name   string
		ledger *ledger
		scheme string
		want   string
	}{
		{"a good proof is answered with the next nonce", customers(), "dpop x", "n1"},
		{"a bearer token needs none", customers(), "Bearer x", ""},
		{"a proof without one learns it", ended(), "DPoP x", "n1"},
		{"so does a request without a token", customers(), "", "n1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.ledger.nonce = "n1"
			w := ask(tt.ledger, "GET", "/all", header("Authorization", tt.scheme))
			if got := w.Header().Values("DPoP-Nonce"); strings.Join(got, ",") != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWhatTheCheckSees(t *testing.T) {
	l := customers()
	ask(l, "GET", "/of/a%201?x=1", func(r *http.Request) {
		r.Host, r.RemoteAddr = "evil.example", "192.0.2.7:4711"
		r.Header.Set("X-Forwarded-Host", "evil.example")
		r.Header.Set("User-Agent", "tpp/1")
		r.Header.Add("DPoP", "proof")
	})
	p := l.presented
	if len(p.URLs) != 1 || p.URLs[0] != "https://rs.example/of/a%201" {
		t.Errorf("got the addresses %q", p.URLs)
	}
	if p.Address != "192.0.2.7" || p.UserAgent != "tpp/1" || p.Method != "GET" || len(p.Proofs) != 1 {
		t.Errorf("got %+v", p)
	}
}

func TestHeadHasNoBody(t *testing.T) {
	get, head := ask(customers(), "GET", "/all"), ask(customers(), "HEAD", "/all")
	if head.Body.Len() != 0 || head.Header().Get("Content-Length") != get.Header().Get("Content-Length") {
		t.Errorf("got %d bytes of body, length %s", head.Body.Len(), head.Header().Get("Content-Length"))
	}
	if l := customers(); ask(l, "PUT", "/all").Header().Get("Allow") != "GET, HEAD" {
		t.Error("405 does not say what is allowed")
	}
}

func TestNothingToTellWithoutAToken(t *testing.T) {
	w := ask(customers(), "GET", "/all", header("Authorization", ""))
	if w.Body.Len() != 0 {
		t.Errorf("got %s", w.Body)
	}
}
