package resource

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/chirograph/chirograph/domain/oauth"
)

// A call is one request to one route.
type call struct {
	server      *Server
	w           http.ResponseWriter
	r           *http.Request
	route       Route
	interaction string
	proving     bool // the token came with the DPoP scheme
	pass        Pass // once the token is known to be genuine
	recorded    bool // or it was tried
}

// receive sets the headers that every response has, refusals included.
func (s *Server) receive(w http.ResponseWriter, r *http.Request, route Route) *call {
	c := &call{server: s, w: w, r: r, route: route, interaction: interaction(r.Header.Get("x-fapi-interaction-id"))}
	h := w.Header()
	h.Set("x-fapi-interaction-id", c.interaction)
	h.Set("Date", s.Now().UTC().Format(http.TimeFormat))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	return c
}

// interaction returns the id that a client chose, if it is at most 64
// printable characters, or else a fresh UUID.
func interaction(sent string) string {
	odd := strings.ContainsFunc(sent, func(c rune) bool { return c < ' ' || c > '~' })
	if sent != "" && len(sent) <= 64 && !odd {
		return sent
	}
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // RFC 9562 §5.4
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// address is that of the peer; a trusted proxy's word was taken before us.
func (c *call) address() string {
	host, _, err := net.SplitHostPort(c.r.RemoteAddr)
	if err != nil {
		return c.r.RemoteAddr
	}
	return host
}

// record appends the access. What the log cannot take is not answered.
func (c *call) record(status int, accounts []string) error {
	c.recorded = true
	err := c.pass.Record(c.r.Context(), Access{Route: c.route.Path, Permission: c.route.Permission, Result: status, Accounts: accounts})
	if _, refused := errors.AsType[*oauth.Error](err); err != nil && !refused {
		return &oauth.Error{Code: oauth.TemporarilyUnavailable, Description: "the access cannot be recorded, so no data is sent: try again", Cause: err}
	}
	return err
}

// refuse answers with an error. If the token is genuine the attempt is
// recorded; a log that cannot take it does not change the refusal.
func (c *call) refuse(err error) {
	refusal, known := errors.AsType[*oauth.Error](err)
	if !known {
		refusal = &oauth.Error{Code: oauth.ServerError, Description: "try again later", Cause: err}
	}
	status := Status(refusal.Code)
	if c.pass != nil && !c.recorded {
		if err := c.record(status, nil); err != nil {
			c.server.Log.ErrorContext(c.r.Context(), "refusal not recorded", "route", c.route.Path, "interaction", c.interaction, "err", err)
		}
	}
	h := c.w.Header()
	if status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusBadRequest && c.pass == nil {
		Challenge(h, refusal, c.route.Scope, c.server.Checker.Algorithms())
	}
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	c.server.Log.InfoContext(c.r.Context(), "refused", "route", c.route.Path, "status", status, "code", string(refusal.Code),
		"by", string(refusal.By), "interaction", c.interaction, "err", err)
	c.write(status, refusal)
}

// write sends a refusal. A request without a token is told nothing but the
// challenge (RFC 6750, Section 3.1).
func (c *call) write(status int, refusal *oauth.Error) {
	if error(refusal) == ErrNoToken {
		c.send(status, nil)
		return
	}
	body, _ := json.Marshal(struct { // two strings cannot fail
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{string(refusal.Code), Describe(refusal)})
	c.send(status, body)
}

// send writes the response: always JSON, whatever the request accepts.
func (c *call) send(status int, body []byte) {
	h := c.w.Header()
	if nonce := c.server.Checker.Nonce(); nonce != "" && (c.proving || status == http.StatusUnauthorized) {
		h.Set("DPoP-Nonce", nonce) // RFC 9449 §8.2
	}
	if body != nil {
		h.Set("Content-Type", "application/json")
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		c.w.Write(body)
	}
}
