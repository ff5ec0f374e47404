package mtls

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func sequence(cert tls.Certificate) string {
	return ":" + base64.StdEncoding.EncodeToString(cert.Certificate[0]) + ":"
}

func TestTrustedHeader(t *testing.T) {
	authority := must(NewAuthority(noon))
	client, own := must(authority.IssueClient(noon, payzip)), must(SelfSigned(noon, Names{}))
	issuer := ":" + base64.StdEncoding.EncodeToString(authority.Certificate.Raw) + ":"
	proxies := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")}
	const inside, outside = "10.1.2.3:4711", "192.0.2.7:4711"
	leafOf := func(c tls.Certificate) []byte { return c.Certificate[0] }
	tests := []struct {
		name   string
		peer   string
		header http.Header
		chain  int    // certificates seen
		leaf   []byte // the first of them
		err    error
	}{
		{"a proxy speaks for its client", inside, http.Header{clientCert: {sequence(client)}}, 1, leafOf(client), nil},
		{"from IPv6 too", "[fd00::1]:4711", http.Header{clientCert: {sequence(client)}}, 1, leafOf(client), nil},
		{"and from IPv4 in IPv6", "[::ffff:10.1.2.3]:4711", http.Header{clientCert: {sequence(client)}}, 1, leafOf(client), nil},
		{"with the chain", inside, http.Header{clientCert: {sequence(client)}, clientCertChain: {issuer}}, 2, leafOf(client), nil},
		{"or several", inside, http.Header{clientCert: {sequence(client)}, clientCertChain: {issuer + ", " + issuer, issuer}}, 4, leafOf(client), nil},
		{"a proxy's own certificate is not its client's", inside, http.Header{}, 0, nil, nil},
		{"a chain alone is nobody's", inside, http.Header{clientCertChain: {issuer}}, 0, nil, nil},
		{"nobody else is believed", outside, http.Header{clientCert: {sequence(client)}, clientCertChain: {issuer}}, 1, leafOf(own), nil},
		{"nor who has no address", "@", http.Header{clientCert: {sequence(client)}}, 1, leafOf(own), nil},
		{"two certificates are refused", inside, http.Header{clientCert: {sequence(client), sequence(client)}}, 0, nil, ErrMalformed},
		{"nonsense is refused", inside, http.Header{clientCert: {"nonsense"}}, 0, nil, ErrMalformed},
		{"nonsense in the chain is refused", inside, http.Header{clientCert: {sequence(client)}, clientCertChain: {":AAAA:"}}, 0, nil, ErrMalformed},
		{"a long chain is refused", inside, http.Header{clientCert: {sequence(client)}, clientCertChain: {strings.Repeat(issuer+",", maxChain)}}, 0, nil, ErrChainTooLong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "https://bank.example/token", nil)
			r.RemoteAddr, r.Header = tt.peer, tt.header
			r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{own.Leaf}}
			served := false
			TrustedHeader(proxies, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				served = true
				if len(r.Header) != 0 {
					t.Errorf("headers come through: %v", r.Header)
				}
				cert, err := NewTrust(authority.Pool()).Certificate(r, noon)
				switch {
				case !errors.Is(err, tt.err):
					t.Errorf("got %v; want %v", err, tt.err)
				case tt.chain == 0 && cert != nil, tt.chain > 0 && (cert == nil || len(cert.Chain) != tt.chain || !slices.Equal(cert.Chain[0], tt.leaf)):
					t.Errorf("got %+v; want %d certificates", cert, tt.chain)
				}
			})).ServeHTTP(httptest.NewRecorder(), r)
			if !served {
				t.Error("not served")
			}
		})
	}
}

func TestCertificateWithoutTLS(t *testing.T) {
	got, err := NewTrust(nil).Certificate(httptest.NewRequest("GET", "http://bank.example/", nil), noon)
	if got != nil || err != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestFromHeader(t *testing.T) {
	cert := must(SelfSigned(noon, payzip))
	good := sequence(cert)
	if got, err := FromHeader(" " + good + "\t"); err != nil || !got.Equal(cert.Leaf) {
		t.Errorf("got %v, %v", got, err)
	}
	for name, header := range map[string]string{
		"nothing":           "",
		"a colon":           ":",
		"no bytes":          "::",
		"no first colon":    "x" + good[1:],
		"no last colon":     good[:len(good)-1] + "x",
		"URL-safe base64":   strings.NewReplacer("+", "-", "/", "_").Replace(good[:20] + "+/" + good[22:]),
		"bytes after it":    ":" + base64.StdEncoding.EncodeToString(append(slices.Clone(cert.Certificate[0]), 0)) + ":",
		"more than 32 KiB":  ":" + strings.Repeat("A", maxHeader) + ":",
		"no certificate":    ":AAAA:",
		"parameters":        good + ";a=1",
		"another beside it": good + ", " + good,
	} {
		if _, err := FromHeader(header); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzFromHeader(f *testing.F) {
	f.Add(sequence(must(SelfSigned(noon, payzip))))
	f.Add(" :AAAA: ")
	f.Fuzz(func(t *testing.T, header string) {
		cert, err := FromHeader(header)
		if err == nil && len(cert.Raw) == 0 {
			t.Errorf("accepted %q", header)
		}
	})
}
