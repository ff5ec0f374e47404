package api

import (
	"bytes"
	"encoding/base32"
	"html/template"
	"math"
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// A question is what a customer is asked to agree to. It reads the same
// whether the customer's own browser brought it or it came from another screen.
type question struct {
	id      string // of the authorization or the backchannel request
	subject string // who is asked
	client  oauth.Client
	scope   string
	details string // authorization_details as sent
	claims  string // OIDC-Core §5.5
	opened  time.Time
	host    string // where the answer leads the browser

	elsewhere bool   // it came from another screen
	message   string // binding_message, which that screen shows too
}

// requestTemplate is the hash of the template that explains a request, kept
// with each consent so that the page can be made again.
var requestTemplate = hashOf(string(mustRead("pages/request.html")))

var requestPage = template.Must(template.ParseFS(pageFiles, "pages/request.html"))

// explain writes what the customer is asked, and the hash of it. It depends on
// nothing but the request, the customer's accounts and the issuer's settings,
// so the page that was approved can be compared with the one that was sent.
func (s *Server) explain(t Tenant, q question, o offer) (template.HTML, string, error) {
	var b bytes.Buffer
	err := requestPage.Execute(&b, requestView{
		Bank: t.Settings.DisplayName, Client: displayName(q.client), ClientID: q.client.ID, Policy: q.client.PolicyURI,
		Host: q.host, Elsewhere: q.elsewhere, Message: q.message,
		Access: o.access(), Powers: o.powers, Identity: o.identity, Accounts: o.choices(), Until: momentOf(o.expires),
		Days:      amount(int(math.Ceil(o.expires.Sub(q.opened).Hours()/24)), "day"),
		Reference: q.id, Check: s.checkOf(t, q),
	})
	return template.HTML(b.String()), hashOf(b.String()), err
}

type requestView struct {
	Bank, Client, ClientID, Host, Policy string
	Elsewhere                            bool
	Message                              string
	Access                               []accessView
	Powers, Identity                     []fact
	Accounts                             []choice
	Until, Days                          string
	Reference, Check                     string
}

// checkOf is printed on the page so that its hash, which outlives an erasure,
// gives nothing away about a customer to somebody who guesses. The installation
// can compute it again.
func (s *Server) checkOf(t Tenant, q question) string {
	mac := s.pageMAC("check", t.ID, q.id, q.subject)
	code := base32.StdEncoding.EncodeToString(mac[:15])
	return strings.Join([]string{code[:6], code[6:12], code[12:18], code[18:24]}, "-")
}
