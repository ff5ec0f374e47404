package api

import (
	"bytes"
	"crypto/hmac"
	"encoding/base32"
	"errors"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"strings"
)

// What the customer may have to put right on the consent page.
var (
	changedMeanwhile = problem{Text: "What is asked for has changed since you opened this page. Please read it again.", Field: "consent", Status: http.StatusConflict}
	nothingChosen    = problem{Text: "Please choose at least one account, or decline.", Field: "account-0", Status: http.StatusBadRequest}
)

// showConsent shows what the client asks for, and asks.
func (s *Server) showConsent(v *visit, i interaction, who Session) error {
	o, err := s.offer(v, i, who)
	if errors.Is(err, errNoAccounts) {
		view := consentView{Client: displayName(i.client), Ticket: s.sealTicket(v, i)}
		return s.show(v, http.StatusOK, "noaccounts", "There is no account to share", view, i.request.RedirectURI)
	}
	if err != nil {
		return s.leave(v, i, err)
	}
	return s.showOffer(v, i, o, problem{})
}

func (s *Server) showOffer(v *visit, i interaction, o offer, p problem) error {
	request, shown, err := s.explain(v, i, o)
	if err != nil {
		return err
	}
	title := "Share with " + displayName(i.client) + "?"
	if p.Text != "" {
		title = "Problem: " + title
	}
	view := consentView{
		Client: displayName(i.client), Customer: o.customer, Ticket: s.sealTicket(v, i), Request: request, Problem: p,
		Shown: shown + "." + pageText.EncodeToString(s.shownMAC(v, i, shown)),
	}
	return s.show(v, p.status(), "consent", title, view, i.request.RedirectURI)
}

type consentView struct {
	Client   string
	Customer string
	Ticket   string
	Shown    string // hash of Request, authenticated
	Request  template.HTML
	Problem  problem
}

// requestTemplate is the hash of the template that explains a request, kept
// with each consent so that the page can be made again.
var requestTemplate = hashOf(string(mustRead("pages/request.html")))

var requestPage = template.Must(template.ParseFS(pageFiles, "pages/request.html"))

// explain writes what the customer is asked, and the hash of it. It depends on
// nothing but the request, the customer's accounts and the issuer's settings,
// so the page that was approved can be compared with the one that was sent.
func (s *Server) explain(v *visit, i interaction, o offer) (template.HTML, string, error) {
	var b bytes.Buffer
	back, _ := url.Parse(i.request.RedirectURI)
	view := requestView{
		Bank: v.Tenant.Settings.DisplayName, Client: displayName(i.client), ClientID: i.client.ID, Policy: i.client.PolicyURI,
		Access: o.access(), Powers: o.powers, Identity: o.identity, Accounts: o.choices(), Until: momentOf(o.expires),
		Days:      amount(int(math.Ceil(o.expires.Sub(i.ticket.opened).Hours()/24)), "day"),
		Reference: i.ticket.id, Check: s.checkOf(v, i),
	}
	if back != nil && back.Host != "" {
		view.Host = back.Host
	}
	err := requestPage.Execute(&b, view)
	return template.HTML(b.String()), hashOf(b.String()), err
}

type requestView struct {
	Bank, Client, ClientID, Host, Policy string
	Access                               []accessView
	Powers, Identity                     []fact
	Accounts                             []choice
	Until, Days                          string
	Reference, Check                     string
}

// checkOf is printed on the page so that its hash, which outlives an erasure,
// gives nothing away about a customer to somebody who guesses. The installation
// can compute it again.
func (s *Server) checkOf(v *visit, i interaction) string {
	mac := s.pageMAC("check", v.Tenant.ID, i.ticket.id, i.journey.Person().Subject)
	code := base32.StdEncoding.EncodeToString(mac[:15])
	return strings.Join([]string{code[:6], code[6:12], code[12:18], code[18:24]}, "-")
}

func (s *Server) shownMAC(v *visit, i interaction, shown string) []byte {
	return s.pageMAC("shown", s.sealTicket(v, i), shown)
}

// wasShown reports whether the page that the customer answers is one we sent
// for this request, and says what we would say now.
func (s *Server) wasShown(v *visit, i interaction, now, sent string) bool {
	shown, mac, _ := strings.Cut(sent, ".")
	raw, err := pageText.DecodeString(mac)
	return err == nil && shown == now && hmac.Equal(raw, s.shownMAC(v, i, shown))
}
