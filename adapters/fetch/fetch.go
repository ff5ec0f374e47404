// Package fetch makes every request that the server sends to somebody else:
// key sets, request objects, callbacks. The URLs come from third parties, so
// the request must not reach what only the server can reach.
package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Why a request was not made or its answer not taken.
var (
	ErrURL     = errors.New("not an https URL that may be fetched")
	ErrAddress = errors.New("address is not public")
	ErrAnswer  = errors.New("answer is not acceptable")
)

const (
	defaultTimeout = 3 * time.Second // all of it: look-up, handshake, body
	maxBody        = 256 << 10
	maxHeaders     = 16 << 10
	maxURL         = 2048
)

// Options are what differs between installations and issuers. The zero value
// is what a server on the internet wants.
type Options struct {
	Except   []string       // origins (https://host:port) that may be at any address
	Roots    *x509.CertPool // nil for the system's
	Resolver *net.Resolver  // nil for the system's
	Timeout  time.Duration  // 0 for 3 s
	Now      func() time.Time

	// Connections is how many are kept open to one host; 0 for one.
	Connections int
}

// A Client is safe for concurrent use. Issuers with different exceptions have
// a Client each, so that no connection made for one serves another.
type Client struct {
	http    *http.Client
	timeout time.Duration
	now     func() time.Time
}

// New returns a Client. It fails if an exception is not an exact https origin.
func New(o Options) (*Client, error) {
	excepted := map[string]bool{}
	for _, origin := range o.Except {
		u, err := parseURL(origin)
		if err != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery {
			return nil, fmt.Errorf("%w: %q is not an origin", ErrURL, origin)
		}
		excepted[hostPort(u)] = true
	}
	c := &Client{timeout: o.Timeout, now: o.Now}
	if c.timeout == 0 {
		c.timeout = defaultTimeout
	}
	if c.now == nil {
		c.now = time.Now
	}
	// A connection whose other end has gone silent fails the requests that are
	// under way on it, and none after them.
	silent := &http.HTTP2Config{SendPingTimeout: c.timeout / 2, PingTimeout: c.timeout / 4}
	c.http = &http.Client{
		Transport: &http.Transport{
			Proxy:                  nil, // a proxy would connect on our behalf, unchecked
			DialContext:            dialer(o.Resolver, excepted),
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots},
			TLSHandshakeTimeout:    c.timeout,
			ForceAttemptHTTP2:      true,
			HTTP2:                  silent,
			DisableCompression:     true, // a bound on the body bounds the memory
			MaxResponseHeaderBytes: maxHeaders,
			MaxIdleConnsPerHost:    max(1, o.Connections),
			IdleConnTimeout:        30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// An Answer is a response, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request and reads the whole answer, whatever its status. A
// redirect is an answer like any other.
func (c *Client) Do(r *http.Request) (Answer, error) {
	ctx, cancel := context.WithTimeout(r.Context(), c.timeout)
	defer cancel()
	response, err := c.send(ctx, r)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err == nil {
		err = ctx.Err() // a server that sees us give up may yet end the body
	}
	if err != nil {
		return Answer{}, fmt.Errorf("fetch from %s: %w", r.URL.Host, err)
	}
	if len(body) > maxBody {
		return Answer{}, fmt.Errorf("fetch from %s: %w: longer than %d bytes", r.URL.Host, ErrAnswer, maxBody)
	}
	return Answer{response.StatusCode, response.Header, body}, nil
}

// Begin sends a request and reads at most so many bytes of its answer. The
// status is the answer: a body that is longer, slow or broken changes nothing.
func (c *Client) Begin(r *http.Request, atMost int64) (Answer, error) {
	ctx, cancel := context.WithTimeout(r.Context(), c.timeout)
	defer cancel()
	response, err := c.send(ctx, r)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, atMost)) // what came of it
	return Answer{response.StatusCode, response.Header, body}, nil
}

func (c *Client) send(ctx context.Context, r *http.Request) (*http.Response, error) {
	if _, err := parseURL(r.URL.String()); err != nil {
		return nil, err
	}
	r = r.WithContext(ctx)
	r.Header.Set("User-Agent", "chirograph")
	response, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("fetch from %s: %w", r.URL.Host, unwrapURL(err))
	}
	return response, nil
}

// unwrapURL drops the full URL from an error: its query may be a secret.
func unwrapURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

func parseURL(s string) (*url.URL, error) {
	if len(s) > maxURL {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrURL, maxURL)
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Opaque != "" || u.Fragment != "" {
		return nil, ErrURL
	}
	return u, nil
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
