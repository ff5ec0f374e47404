package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"crypto/tls"
)

// A request is what is about to be sent.
type request struct {
	method string
	url    string
	header http.Header
	body   string
}

// send sends a request and follows nothing.
func (h *house) send(cert *tls.Certificate, r request) (answer, error) {
	return exchange(&http.Client{Transport: h.transport(cert), CheckRedirect: stay}, r)
}

func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func exchange(c *http.Client, r request) (answer, error) {
	out, err := http.NewRequest(r.method, r.url, strings.NewReader(r.body))
	if err != nil {
		return answer{}, err
	}
	if r.header != nil {
		out.Header = r.header.Clone()
	}
	in, err := c.Do(out)
	if err != nil {
		return answer{}, err
	}
	defer in.Body.Close()
	body, err := io.ReadAll(in.Body)
	return answer{in.StatusCode, in.Header, body}, err
}

// json returns the body as an object.
func (a answer) json() (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("the body is not a JSON object: %.200s", a.body)
	}
	return m, nil
}

const formMedia = "application/x-www-form-urlencoded"

// fields are form parameters in the order in which they were named.
type fields []field

type field struct{ name, value string }

func (f fields) encode() string {
	var b strings.Builder
	for i, p := range f {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(p.name) + "=" + url.QueryEscape(p.value))
	}
	return b.String()
}

// with replaces fields by those named in words; an unquoted empty value leaves
// a field out, and a name that comes twice is sent twice.
func (f fields) with(words []word) (fields, error) {
	named := map[string]bool{}
	for _, w := range words {
		name, _, ok := w.field()
		if !ok {
			return nil, fmt.Errorf("%q is not a field", w.text)
		}
		named[name] = true
	}
	var all fields
	for _, p := range f {
		if !named[p.name] && p.value != "" {
			all = append(all, p)
		}
	}
	for _, w := range words {
		if name, value, _ := w.field(); value.text != "" || value.quoted {
			all = append(all, field{name, value.text})
		}
	}
	return all, nil
}

func (f fields) value(name string) string {
	for _, p := range f {
		if p.name == name {
			return p.value
		}
	}
	return ""
}

// address returns where the client sends requests for an endpoint: the alias of
// the mutual-TLS listener if it has a certificate (FAPI2-SP §5.3.3.1-2.7).
func (s *session) address(endpoint string) string {
	at := s.tweaks.get("at")
	if at == "" && s.client.mutual() {
		at = "mutual"
	}
	endpoints := s.house.issuers[s.client.issuer].endpoints
	if at == "mutual" {
		return endpoints["mutual."+endpoint]
	}
	return endpoints[endpoint]
}

// certificate returns what the client presents in the handshake.
func (s *session) certificate() (*tls.Certificate, error) {
	switch name := s.tweaks.get("certificate"); name {
	case "":
		return s.client.certificate, nil
	case "none":
		return nil, nil
	default:
		cert := s.house.certificates[name]
		if cert == nil {
			return nil, fmt.Errorf("there is no certificate %s", name)
		}
		return cert, nil
	}
}

// dispatch sends a request with the tweaks that any request can have, and
// forgets them.
func (s *session) dispatch(r request) error {
	defer func() { s.tweaks = tweaks{} }()
	cert, err := s.certificate()
	if err != nil {
		return err
	}
	r = s.tweaked(r)
	a, err := s.house.send(cert, r)
	if err != nil {
		return err
	}
	s.take(a)
	return a.sound(r)
}

func (s *session) tweaked(r request) request {
	if method := s.tweaks.get("method"); method != "" {
		r.method = method
	}
	if media := s.tweaks["media"]; media != nil {
		r.header.Set("Content-Type", s.tweaks.get("media"))
	}
	if body := s.tweaks["body"]; body != nil {
		r.body = s.tweaks.get("body")
	}
	if query := s.tweaks.get("query"); query != "" {
		r.url += "?" + query
	}
	if accept := s.tweaks.get("accept"); accept != "" {
		r.header.Set("Accept", accept)
	}
	for name, values := range s.tweaks.of("header") {
		r.header.Del(name)
		for _, v := range values {
			if v.text != "" || v.quoted {
				r.header.Add(name, v.text)
			}
		}
	}
	return r
}
