package conformance

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// A page is what a browser without scripts makes of HTML.
type page struct {
	text  string
	forms []pageForm
	links []string
}

// A pageForm is a form with its controls in document order.
type pageForm struct {
	action   string
	controls []control
}

type control struct {
	id, kind, name, value, action string
	checked                       bool
}

func readPage(raw []byte) (page, error) {
	root, err := html.Parse(bytes.NewReader(raw))
	if err != nil {
		return page{}, err
	}
	var p page
	var text strings.Builder
	for n := range root.Descendants() {
		switch {
		case n.Type == html.TextNode:
			text.WriteString(n.Data + " ")
		case n.Data == "a":
			p.links = append(p.links, attribute(n, "href"))
		case n.Data == "form":
			p.forms = append(p.forms, readForm(n))
		}
	}
	p.text = strings.Join(strings.Fields(text.String()), " ")
	return p, nil
}

func readForm(form *html.Node) pageForm {
	f := pageForm{action: attribute(form, "action")}
	for n := range form.Descendants() {
		if n.Type != html.ElementNode || n.Data != "input" && n.Data != "button" {
			continue
		}
		kind := attribute(n, "type")
		if kind == "" {
			kind = map[string]string{"input": "text", "button": "submit"}[n.Data]
		}
		f.controls = append(f.controls, control{
			id: attribute(n, "id"), kind: kind, name: attribute(n, "name"), value: attribute(n, "value"),
			action: attribute(n, "formaction"), checked: slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "checked" }),
		})
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

// press sends the form that has a button, with what the page fills in, what is
// typed, and all or the named ones of its check boxes.
func (s *session) press(button string, typed map[string]string, chosen []string) error {
	for _, f := range s.browser.view.forms {
		i := slices.IndexFunc(f.controls, func(c control) bool { return c.id == button && c.kind == "submit" })
		if i < 0 {
			continue
		}
		action := f.action
		if own := f.controls[i].action; own != "" {
			action = own
		}
		return s.submitTo(action, f.filled(f.controls[i], typed, chosen))
	}
	return fmt.Errorf("the page has no button %s: %.300s", button, s.browser.view.text)
}

func (f pageForm) filled(button control, typed map[string]string, chosen []string) fields {
	var sent fields
	for _, c := range f.controls {
		value, isTyped := typed[c.name]
		switch {
		case c.name == "":
		case c.kind == "checkbox":
			if len(chosen) == 0 || slices.Contains(chosen, c.value) {
				sent = append(sent, field{c.name, c.value})
			}
		case c.kind == "submit":
			if c == button {
				sent = append(sent, field{c.name, c.value})
			}
		case isTyped:
			sent = append(sent, field{c.name, value})
		default:
			sent = append(sent, field{c.name, c.value})
		}
	}
	return sent
}

func (s *session) submitTo(action string, f fields) error {
	to, err := s.browser.view.url.Parse(action)
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": {formMedia}, "Sec-Fetch-Site": {"same-origin"}, "Origin": {to.Scheme + "://" + to.Host}}
	return s.browse(request{"POST", to.String(), header, f.encode()})
}
