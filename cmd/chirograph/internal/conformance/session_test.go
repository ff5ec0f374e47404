package conformance

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A session is one run of a script: who speaks, what was saved, and the last
// answer.
type session struct {
	*testing.T
	house   *house
	client  *client
	clients map[string]*client // those it registered besides the cast
	saved   map[string]string
	tweaks  tweaks
	nonces  map[string]string // DPoP nonces by who gave them: "as" or "rs"
	browser *browser
	others  map[string]*browser
	answer  answer
	sent    struct{ assertion, proof, request string } // the last ones, for reuse
	back    url.Values                                 // what came back to the client's redirect URI
}

// An answer is a response that was read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func newSession(t *testing.T, h *house) *session {
	s := &session{T: t, house: h, clients: map[string]*client{}, saved: map[string]string{}, tweaks: tweaks{},
		nonces: map[string]string{}, others: map[string]*browser{}}
	s.browser = newBrowser()
	s.others["first"] = s.browser
	h.receiver.forget()
	return s
}

// fork returns a session that can go on beside s.
func (s *session) fork() *session {
	f := *s
	f.saved, f.tweaks, f.nonces = maps.Clone(s.saved), maps.Clone(s.tweaks), maps.Clone(s.nonces)
	f.browser = s.browser.fork()
	return &f
}

func (s *session) now() time.Time { return s.house.clock.Now() }

func (s *session) issuer() string { return s.house.issuers[s.client.issuer].url }

// use makes a client speak.
func (s *session) use(name string) error {
	c := s.clients[name]
	if c == nil {
		c = s.house.clients[name]
	}
	if c == nil {
		return fmt.Errorf("there is no client %s", name)
	}
	s.client = c
	s.saved["issuer"], s.saved["client"], s.saved["redirect_uri"] = s.issuer(), c.id, c.redirect()
	s.saved["jkt"] = thumbprint(c.holder.signer.Public())
	origin, _ := url.Parse(s.issuer())
	s.saved["origin"], s.saved["path"], s.saved["bank"], s.saved["vault"] = "https://"+origin.Host, origin.Path, s.resource(false), s.house.resources["vault"]
	for name, url := range s.house.issuers[c.issuer].endpoints {
		s.saved[name] = url
	}
	s.saved["BANK"] = shouted(s.saved["bank"])
	s.saved["TOKEN_ENDPOINT"] = shouted(s.saved["token_endpoint"])
	return nil
}

// resource is the accounts API for tokens of the client's issuer, on one of
// both listeners.
func (s *session) resource(mutual bool) string {
	name := "bank"
	if own := "bank@" + s.client.issuer; s.house.resources[own] != "" {
		name = own
	}
	if mutual {
		name += ".mutual"
	}
	return s.house.resources[name]
}

// shouted writes scheme and host of a URL in capitals.
func shouted(raw string) string {
	u, _ := url.Parse(raw)
	return strings.ToUpper(u.Scheme+"://"+u.Host) + u.Path
}

// spoiled changes the end of something secret, and leaves alone how it begins:
// artefacts begin with the id of their stream.
func spoiled(s string) string {
	end := s[max(0, len(s)-8):]
	return strings.TrimSuffix(s, end) + strings.Map(func(c rune) rune {
		if c == 'A' {
			return 'B'
		}
		return 'A'
	}, end)
}

// expand replaces what was saved. ${x*300} repeats x, ${code~} is a code that
// is wrong at its end, and ${half:token} the hash that an ID token has of it.
func (s *session) expand(words []word) ([]word, error) {
	var unknown error
	expanded := make([]word, len(words))
	for i, w := range words {
		expanded[i] = word{os.Expand(w.text, func(name string) string {
			if value, known := s.saved[name]; known {
				return value
			}
			if kept, almost := strings.CutSuffix(name, "~"); almost {
				return spoiled(s.saved[kept])
			}
			if kept, hashed := strings.CutPrefix(name, "half:"); hashed {
				return halfHash(s.saved[kept])
			}
			text, times, repeats := strings.Cut(name, "*")
			n, err := strconv.Atoi(times)
			if !repeats || err != nil {
				unknown = fmt.Errorf("nothing is saved as %s", name)
			}
			return strings.Repeat(text, n)
		}), w.quoted}
	}
	return expanded, unknown
}

// run plays one statement.
func (s *session) run(st statement) error {
	args, err := s.expand(st.args)
	if err != nil {
		return err
	}
	return verbs()[st.verb](s, args)
}

// take keeps an answer and what it holds for later requests.
func (s *session) take(a answer) {
	s.answer = a
	body, err := a.json()
	if err != nil || a.status >= 300 {
		return
	}
	for name, as := range map[string]string{
		"request_uri": "request_uri", "auth_req_id": "auth_req_id", "access_token": "token", "refresh_token": "refresh_token", "id_token": "id_token",
	} {
		if value, ok := body[name].(string); ok {
			s.saved[as] = value
		}
	}
}
