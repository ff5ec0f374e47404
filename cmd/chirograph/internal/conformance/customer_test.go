package conformance

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// What a customer does on the pages. The ids of elements are fixed, because
// the OpenID conformance suite and browser tests go by them.

// signIn fills in the login page. Passwords are the names, unless told.
func signIn(s *session, args []word) error {
	if len(args) == 0 || len(args) > 2 {
		return errUsage
	}
	password := s.house.passwords[args[0].text]
	if len(args) == 2 {
		password = args[1].text
	}
	return s.press("login", map[string]string{"user": args[0].text, "password": password}, nil)
}

// approve says yes, and signs in before that if the page asks for it.
func approve(s *session, args []word) error {
	if len(args) == 0 {
		return errUsage
	}
	if s.browser.view.has("login") {
		if err := signIn(s, args[:1]); err != nil {
			return err
		}
	}
	var chosen []string
	for _, w := range args[1:] {
		name, value, ok := w.field()
		if !ok || name != "account" {
			return errUsage
		}
		chosen = append(chosen, value.text)
	}
	return s.press("approve", nil, chosen)
}

// confirm approves on the phone page, where the password counts as the answer.
func confirm(s *session, args []word) error {
	if len(args) != 1 {
		return errUsage
	}
	return s.press("approve", map[string]string{"password": s.house.passwords[args[0].text]}, nil)
}

func deny(s *session, args []word) error { return s.press("cancel", nil, []string{""}) }

// cancel says no before anybody has signed in.
func cancel(s *session, args []word) error { return s.press("cancel", nil, []string{""}) }

// visit follows the first link of the page that contains a text.
func visit(s *session, args []word) error {
	if len(args) != 1 {
		return errUsage
	}
	i := slices.IndexFunc(s.browser.view.links, func(l string) bool { return strings.Contains(l, args[0].text) })
	if i < 0 {
		return fmt.Errorf("the page has no link to %s: %.300s", args[0].text, s.browser.view.text)
	}
	to, err := s.browser.view.url.Parse(s.browser.view.links[i])
	if err != nil {
		return err
	}
	return s.browse(request{method: "GET", url: to.String(), header: http.Header{"Sec-Fetch-Site": {"same-origin"}}})
}

// pressButton presses a button by its id.
func pressButton(s *session, args []word) error {
	if len(args) != 1 {
		return errUsage
	}
	return s.press(args[0].text, nil, nil)
}

// submit sends the first form of the page with fields changed, as no page of
// ours would.
func submit(s *session, args []word) error {
	if len(s.browser.view.forms) == 0 {
		return errUsage
	}
	form := s.browser.view.forms[0]
	for _, f := range s.browser.view.forms {
		if strings.Contains(f.action, "interaction") {
			form = f
			break
		}
	}
	sent, err := form.filled(control{}, nil, nil).with(args)
	if err != nil {
		return err
	}
	return s.submitTo(form.action, sent)
}

// has reports whether the page has a button.
func (p page) has(button string) bool {
	for _, f := range p.forms {
		for _, c := range f.controls {
			if c.id == button && c.kind == "submit" {
				return true
			}
		}
	}
	return false
}
