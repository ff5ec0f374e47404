package story

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// A Browser is a customer's browser as far as forms, links and cookies go.
type Browser struct {
	http *http.Client
}

// NewBrowser returns a browser without cookies.
func NewBrowser(transport http.RoundTripper) *Browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it has no options that could be wrong
	}
	return &Browser{&http.Client{Transport: transport, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

// A Page is where a browser has arrived: a document, or the client's redirect
// URI, which nobody serves here.
type Page struct {
	URL    *url.URL
	Status int
	Text   string
	Forms  []Form
	Links  []string
}

// A Form is a form on a page and what submitting it untouched would send.
type Form struct {
	Action  string
	Fields  url.Values
	Buttons map[string]url.Values // by id
	Choices map[string][]string   // check boxes, ticked or not
}

// Approve opens an authorization request, signs in, ticks every account and
// approves. It returns the parameters of the answer to the client.
func (b *Browser) Approve(ctx context.Context, request string, who Customer) (url.Values, error) {
	page, err := b.Open(ctx, request)
	if err != nil {
		return nil, err
	}
	if page, err = b.signInOn(ctx, page, who); err != nil {
		return nil, err
	}
	form, found := page.FormWith("approve")
	if !found {
		return nil, page.unexpected("the consent page")
	}
	for name, values := range form.Choices {
		form.Fields[name] = values
	}
	if page, err = b.Submit(ctx, page, form, "approve"); err != nil {
		return nil, err
	}
	if !page.URL.Query().Has("code") {
		return nil, page.unexpected("an answer with a code")
	}
	return page.URL.Query(), nil
}

// NewestConsent signs a customer in at the bank's own pages, where what was
// shared last stands first, and returns the id of that consent.
func (b *Browser) NewestConsent(ctx context.Context, issuer string, who Customer) (string, error) {
	page, err := b.Open(ctx, issuer+"/login")
	if err == nil {
		page, err = b.signInOn(ctx, page, who)
	}
	if err != nil {
		return "", err
	}
	for _, link := range page.Links {
		if _, id, found := strings.Cut(link, "/my/consents/"); found && !strings.Contains(id, "/") {
			return id, nil
		}
	}
	return "", page.unexpected("a consent")
}

func (b *Browser) signInOn(ctx context.Context, page Page, who Customer) (Page, error) {
	form, found := page.FormWith("login")
	if !found {
		return page, page.unexpected("the sign-in page")
	}
	form.Fields.Set("user", who.Login)
	form.Fields.Set("password", who.Password)
	return b.Submit(ctx, page, form, "login")
}

// StopSharing ends a consent from the customer's own page.
func (b *Browser) StopSharing(ctx context.Context, issuer, consent string) error {
	page, err := b.Open(ctx, issuer+"/my/consents/"+consent+"/revoke")
	if err != nil {
		return err
	}
	form, found := page.FormWith("revoke")
	if !found {
		return page.unexpected("the page that asks whether to stop")
	}
	page, err = b.Submit(ctx, page, form, "revoke")
	if err == nil && page.Status != http.StatusOK {
		err = page.unexpected("a confirmation")
	}
	return err
}

// FormWith returns the form that has a button with an id.
func (p Page) FormWith(button string) (Form, bool) {
	for _, f := range p.Forms {
		if _, found := f.Buttons[button]; found {
			return f, true
		}
	}
	return Form{}, false
}

func (p Page) unexpected(wanted string) error {
	return fmt.Errorf("%s did not show %s: status %d", p.URL.Path, wanted, p.Status)
}

// Open goes to an address and follows where it leads.
func (b *Browser) Open(ctx context.Context, address string) (Page, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Page{}, err
	}
	return b.follow(r)
}

// Submit presses a button of a form.
func (b *Browser) Submit(ctx context.Context, on Page, f Form, button string) (Page, error) {
	to, err := on.URL.Parse(f.Action)
	if err != nil {
		return Page{}, err
	}
	fields := url.Values{}
	for _, more := range []url.Values{f.Fields, f.Buttons[button]} {
		for name, values := range more {
			fields[name] = append(fields[name], values...)
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(fields.Encode()))
	if err != nil {
		return Page{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", on.URL.Scheme+"://"+on.URL.Host)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.follow(r)
}

const maxRedirects = 10

// follow follows redirects within the origin; at the first that leads
// elsewhere it stops, because that is the client's.
func (b *Browser) follow(r *http.Request) (Page, error) {
	origin := r.URL.Host
	for range maxRedirects {
		answer, err := b.http.Do(r)
		if err != nil {
			return Page{}, err
		}
		raw, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
		answer.Body.Close()
		if err != nil {
			return Page{}, err
		}
		location := answer.Header.Get("Location")
		if location == "" {
			return parsePage(r.URL, answer.StatusCode, string(raw))
		}
		to, err := r.URL.Parse(location)
		if err != nil {
			return Page{}, err
		}
		if to.Host != origin {
			return Page{URL: to, Status: answer.StatusCode}, nil
		}
		if r, err = http.NewRequestWithContext(r.Context(), http.MethodGet, to.String(), nil); err != nil {
			return Page{}, err
		}
	}
	return Page{}, errors.New("too many redirects")
}

func parsePage(at *url.URL, status int, text string) (Page, error) {
	document, err := html.Parse(strings.NewReader(text))
	if err != nil {
		return Page{}, err
	}
	page := Page{URL: at, Status: status, Text: text}
	for n := range document.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "form":
			page.Forms = append(page.Forms, parseForm(n))
		case n.Data == "a":
			page.Links = append(page.Links, attribute(n, "href"))
		}
	}
	return page, nil
}

func parseForm(form *html.Node) Form {
	f := Form{Action: attribute(form, "action"), Fields: url.Values{}, Buttons: map[string]url.Values{}, Choices: map[string][]string{}}
	for n := range form.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		name, value := attribute(n, "name"), attribute(n, "value")
		switch {
		case n.Data == "button":
			f.Buttons[attribute(n, "id")] = url.Values{}
			if name != "" {
				f.Buttons[attribute(n, "id")].Set(name, value)
			}
		case n.Data == "input" && attribute(n, "type") == "checkbox":
			f.Choices[name] = append(f.Choices[name], value)
		case n.Data == "input" && name != "":
			f.Fields.Add(name, value)
		}
	}
	return f
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
