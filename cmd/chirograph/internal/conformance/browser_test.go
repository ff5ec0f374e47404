package conformance

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// A browser is one person's: its cookies and the page it shows.
type browser struct {
	jar  http.CookieJar
	view view
	left view // the page before it went to the client
}

// A view is a page and where it was found.
type view struct {
	page
	url *url.URL
}

func newBrowser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it never fails without a public suffix list
	}
	return &browser{jar: jar}
}

// fork is a second tab: the same cookies and page.
func (b *browser) fork() *browser { tab := *b; return &tab }

// goBack shows the page that was left for the client, as it was.
func goBack(s *session, _ []word) error {
	s.browser.view = s.browser.left
	return nil
}

func switchBrowser(s *session, args []word) error {
	if len(args) != 1 {
		return errUsage
	}
	name := args[0].text
	if s.others[name] == nil {
		s.others[name] = newBrowser()
	}
	s.browser = s.others[name]
	return nil
}

// open takes the browser to the authorization endpoint with what the client may
// send there (FAPI2-SP §5.3.3.2-2.6), or to a URL.
func open(s *session, args []word) error {
	if len(args) == 1 && strings.HasPrefix(args[0].text, "https://") {
		return s.browse(request{method: "GET", url: args[0].text, header: http.Header{}})
	}
	f, err := fields{{"client_id", s.client.id}, {"request_uri", s.saved["request_uri"]}}.with(args)
	if err != nil {
		return err
	}
	endpoint := s.house.issuers[s.client.issuer].endpoints["authorization_endpoint"]
	if s.tweaks.get("method") == "POST" {
		return s.browse(request{"POST", endpoint, http.Header{"Content-Type": {formMedia}, "Sec-Fetch-Site": {"cross-site"}}, f.encode()})
	}
	return s.browse(request{method: "GET", url: endpoint + "?" + f.encode(), header: http.Header{}})
}

const maxRedirects = 5

// browse sends a request as the browser does: with its cookies, and following
// redirects until there is a page or the client is reached.
func (s *session) browse(r request) error {
	s.back = nil
	r = s.tweaked(r)
	s.tweaks = tweaks{}
	var statuses []string
	s.saved["cookies"] = ""
	for range maxRedirects {
		a, err := exchange(&http.Client{Transport: s.house.transport(nil), CheckRedirect: stay, Jar: s.browser.jar}, r)
		if err != nil {
			return err
		}
		s.answer = a
		if err := a.sound(r); err != nil {
			return err
		}
		s.saved["cookies"] += strings.Join(a.header.Values("Set-Cookie"), "\n")
		if a.status < 300 || a.status > 399 {
			s.saved["redirects"] = strings.Join(statuses, " ")
			return s.browser.show(r.url, a)
		}
		statuses = append(statuses, fmt.Sprint(a.status))
		s.saved["redirects"] = strings.Join(statuses, " ")
		to, err := follow(r.url, a.header.Get("Location"))
		if err != nil {
			return err
		}
		if s.client.registeredAt(to) {
			return s.arrive(to)
		}
		r = request{method: "GET", url: to.String(), header: http.Header{}}
	}
	return fmt.Errorf("more than %d redirects", maxRedirects)
}

func follow(from, location string) (*url.URL, error) {
	base, err := url.Parse(from)
	if err != nil {
		return nil, err
	}
	return base.Parse(location)
}

// arrive keeps the authorization response that reached the client.
func (s *session) arrive(to *url.URL) error {
	s.back = to.Query()
	s.saved["callback"] = to.String()
	if code := s.back.Get("code"); code != "" {
		s.saved["code"] = code
	}
	return nil
}

func (b *browser) show(at string, a answer) error {
	u, err := url.Parse(at)
	if err != nil {
		return err
	}
	p, err := readPage(a.body)
	b.view = view{p, u}
	b.left = b.view
	return err
}
