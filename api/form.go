package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/chirograph/chirograph/domain/oauth"
)

const maxBody = 64 << 10

// repeatable parameters may be sent more than once (RFC 8707, Section 2).
var repeatable = map[string]bool{"resource": true}

// form reads the parameters in a request body, each sent at most once
// (RFC 6749, Section 3.1), and the body as it was. Parameters in the query do
// not count.
func form(r *http.Request) (url.Values, []byte, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		e := oauth.Refuse(oauth.InvalidRequest, "RFC 6749 §4.1.3", "the media type must be application/x-www-form-urlencoded")
		return nil, nil, &httpError{e, http.StatusUnsupportedMediaType, 0}
	}
	raw, err := body(r)
	if err != nil {
		return nil, nil, err
	}
	values, err := url.ParseQuery(string(raw))
	if err != nil || !utf8.Valid(raw) { // the log keeps the body, as text
		return nil, nil, oauth.Refuse(oauth.InvalidRequest, "RFC 6749 App. B", "the body is not form-encoded")
	}
	return values, raw, once(values)
}

// once refuses repeated parameters.
func once(values url.Values) error {
	for name, sent := range values {
		if len(sent) > 1 && !repeatable[name] {
			return oauth.Refuse(oauth.InvalidRequest, "RFC 6749 §3.1", "a parameter is sent more than once")
		}
	}
	return nil
}

// body reads at most 64 KiB.
func body(r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		e := oauth.Refuse(oauth.InvalidRequest, "RFC 9126 §2.3", "the body is longer than 64 KiB")
		return nil, &httpError{e, http.StatusRequestEntityTooLarge, 0}
	}
	if err != nil {
		return nil, oauth.Refuse(oauth.InvalidRequest, "RFC 9110 §6.4", "the body could not be read")
	}
	return raw, nil
}

// admit refuses a caller who comes too often, and issuers that are suspended.
func (s *Server) admit(v *visit) error {
	if wait := s.Limits.Wait("address:"+network(v.RealIP()), v.At); wait > 0 {
		return tooMany(wait)
	}
	return v.Tenant.open()
}

// open refuses to serve an issuer that is suspended.
func (t Tenant) open() error {
	if !t.Active {
		e := oauth.Refuse(oauth.TemporarilyUnavailable, "", "this issuer is suspended")
		return &httpError{e, http.StatusServiceUnavailable, 0}
	}
	return nil
}

// network is the part of an address that one household has: an IPv4 address, or
// an IPv6 network of 64 bits.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if a = a.Unmap(); a.Is4() {
		return a.String()
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}

func tooMany(wait time.Duration) error {
	e := oauth.Refuse(oauth.TemporarilyUnavailable, "RFC 6585 §4", "too many requests")
	return &httpError{e, http.StatusTooManyRequests, wait}
}
