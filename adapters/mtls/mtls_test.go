package mtls

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var payzip = Names{
	Subject: pkix.Name{CommonName: "payzip", Organization: []string{"Payzip, Inc."}, Country: []string{"DE"}},
	DNS:     []string{"payzip.localhost"},
	URIs:    []*url.URL{must(url.Parse("https://payzip.example/client"))},
	IPs:     []net.IP{net.ParseIP("127.0.0.1")},
	Emails:  []string{"ops@payzip.example"},
}

func TestFacts(t *testing.T) {
	authority := must(NewAuthority(noon))
	cert := must(authority.IssueClient(noon, payzip))
	got, err := NewTrust(authority.Pool()).Facts([]*x509.Certificate{cert.Leaf}, noon)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(cert.Certificate[0])
	if got.Thumbprint != base64.RawURLEncoding.EncodeToString(sum[:]) || got.KeyID != must(thumbprint(cert.Leaf.PublicKey)) {
		t.Errorf("thumbprints: got %+v", got)
	}
	if got.Subject != `CN=payzip,O=Payzip\, Inc.,C=DE` || !slices.Equal(got.DNS, []string{"payzip.localhost"}) ||
		!slices.Equal(got.URIs, []string{"https://payzip.example/client"}) || !slices.Equal(got.IPs, []string{"127.0.0.1"}) ||
		!slices.Equal(got.Emails, []string{"ops@payzip.example"}) {
		t.Errorf("names: got %+v", got)
	}
	if !got.Trusted || len(got.Chain) != 1 || !slices.Equal(got.Chain[0], cert.Certificate[0]) ||
		!got.NotBefore.Equal(cert.Leaf.NotBefore) || !got.NotAfter.Equal(cert.Leaf.NotAfter) {
		t.Errorf("chain: got %+v", got)
	}
}

func TestTrusted(t *testing.T) {
	authority, stranger := must(NewAuthority(noon)), must(NewAuthority(noon))
	client := must(authority.IssueClient(noon, payzip)).Leaf
	long := must(authority.IssueClient(noon.Add(authorityLife-leafLife/2), payzip)).Leaf // outlives its issuer
	intermediate, under := withIntermediate()
	tests := []struct {
		name  string
		roots *x509.CertPool
		chain []*x509.Certificate
		at    time.Time
		want  bool
	}{
		{"an issued certificate is trusted", authority.Pool(), []*x509.Certificate{client}, noon, true},
		{"until it ends", authority.Pool(), []*x509.Certificate{client}, client.NotAfter, true},
		{"and no longer", authority.Pool(), []*x509.Certificate{client}, client.NotAfter.Add(time.Second), false},
		{"nor before it begins", authority.Pool(), []*x509.Certificate{client}, client.NotBefore.Add(-time.Second), false},
		{"nor once its authority has ended", authority.Pool(), []*x509.Certificate{long}, authority.Certificate.NotAfter.Add(time.Second), false},
		{"another authority's is not", stranger.Pool(), []*x509.Certificate{client}, noon, false},
		{"a self-signed one is not", authority.Pool(), []*x509.Certificate{must(SelfSigned(noon, payzip)).Leaf}, noon, false},
		{"a server's is not", authority.Pool(), []*x509.Certificate{must(authority.IssueServer(noon)).Leaf}, noon, false},
		{"nor one with a name beyond the authority's", authority.Pool(), []*x509.Certificate{must(authority.IssueClient(noon, Names{DNS: []string{"bank.example"}})).Leaf}, noon, false},
		{"no authorities trust nobody", nil, []*x509.Certificate{client}, noon, false},
		{"an intermediate that is presented is used", intermediateRoot.Pool(), []*x509.Certificate{under, intermediate}, noon, true},
		{"one that is not presented is not", intermediateRoot.Pool(), []*x509.Certificate{under}, noon, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			trust := NewTrust(tt.roots)
			for range 2 { // the second answer is remembered
				got, err := trust.Facts(tt.chain, tt.at)
				if err != nil || got.Trusted != tt.want {
					t.Errorf("got %+v, %v; want trusted %v", got, err, tt.want)
				}
			}
		})
	}
}

// intermediateRoot may, unlike [Authority], have authorities below it.
var intermediateRoot = func() *Authority {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(authorityLife), KeyUsage: x509.KeyUsageCertSign,
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))
	return &Authority{must(x509.ParseCertificate(der)), key}
}()

func withIntermediate() (intermediate, leaf *x509.Certificate) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	cert := must(intermediateRoot.issue(noon, key, &x509.Certificate{
		Subject: pkix.Name{CommonName: "between"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}))
	between := &Authority{cert.Leaf, key}
	return cert.Leaf, must(between.IssueClient(noon, payzip)).Leaf
}

func TestTrustIsJudgedAnewAsTimePasses(t *testing.T) {
	authority := must(NewAuthority(noon))
	client := must(authority.IssueClient(noon, payzip)).Leaf
	trust := NewTrust(authority.Pool())
	for _, tt := range []struct {
		at   time.Time
		want bool
	}{{client.NotBefore.Add(-time.Second), false}, {noon, true}, {client.NotAfter.Add(time.Second), false}, {noon, true}} {
		if got := must(trust.Facts([]*x509.Certificate{client}, tt.at)); got.Trusted != tt.want {
			t.Errorf("at %v: got trusted %v", tt.at, got.Trusted)
		}
	}
}

func TestTrustEndsWithTheFirstOfTheChain(t *testing.T) {
	authority := must(NewAuthority(noon))
	end, start := authority.Certificate.NotAfter, authority.Certificate.NotBefore
	late := must(authority.IssueClient(end.Add(-leafLife/2), payzip)).Leaf
	early := must(authority.IssueClient(start, payzip)).Leaf // is dated before its authority
	trust := NewTrust(authority.Pool())
	for _, tt := range []struct {
		cert *x509.Certificate
		at   time.Time
		want bool
	}{{late, end, true}, {late, end.Add(time.Second), false}, {early, start, true}, {early, start.Add(-time.Second), false}} {
		if got := must(trust.Facts([]*x509.Certificate{tt.cert}, tt.at)); got.Trusted != tt.want {
			t.Errorf("at %v: got trusted %v", tt.at, got.Trusted)
		}
	}
}

func TestFactsOfNothingAndTooMuch(t *testing.T) {
	trust := NewTrust(nil)
	if got, err := trust.Facts(nil, noon); got != nil || err != nil {
		t.Errorf("no certificate: got %+v, %v", got, err)
	}
	self := must(SelfSigned(noon, payzip)).Leaf
	if got, err := trust.Facts(slices.Repeat([]*x509.Certificate{self}, maxChain), noon); err != nil || len(got.Chain) != maxChain {
		t.Errorf("the longest chain: got %v", err)
	}
	if _, err := trust.Facts(slices.Repeat([]*x509.Certificate{self}, maxChain+1), noon); !errors.Is(err, ErrChainTooLong) {
		t.Errorf("a long chain: got %v", err)
	}
}

// Strangers present what they like, as often as they like.
func TestLittleIsKeptOfStrangers(t *testing.T) {
	authority := must(NewAuthority(noon))
	trust := NewTrust(authority.Pool())
	stuffed := payzip
	for range 300 {
		stuffed.DNS = append(slices.Clip(stuffed.DNS), strings.Repeat("a", 60)+".localhost")
	}
	facts := func(chain ...*x509.Certificate) error {
		_, err := trust.Facts(chain, noon)
		return err
	}
	stranger := must(must(NewAuthority(noon)).IssueClient(noon, stuffed)).Leaf
	if err := facts(stranger); err != nil || trust.seen.Len() != 0 {
		t.Errorf("%d bytes of a stranger: %v, %d kept", len(stranger.Raw), err, trust.seen.Len())
	}
	if err := facts(stranger, stranger); !errors.Is(err, ErrChainTooLong) {
		t.Errorf("twice as much: got %v", err)
	}
	ours := must(authority.IssueClient(noon, stuffed)).Leaf
	if err := facts(ours); err != nil || trust.seen.Len() != 1 {
		t.Errorf("ours: %v, %d kept", err, trust.seen.Len())
	}
	for _, id := range trust.seen.Keys() {
		if kept, _ := trust.seen.Peek(id); kept.facts.Chain != nil {
			t.Error("the certificates themselves are kept")
		}
	}
	selfSigned := must(SelfSigned(noon, payzip)).Leaf
	if err := facts(selfSigned); err != nil || trust.seen.Len() != 2 {
		t.Errorf("an ordinary one: %v, %d kept", err, trust.seen.Len())
	}
}

func TestKeysOfCertificatesAreStrong(t *testing.T) {
	trust := NewTrust(nil)
	for bits, want := range map[int]error{1024: ErrWeakKey, 2048: nil} {
		key := must(rsa.GenerateKey(rand.Reader, bits))
		template := clientTemplate(payzip)
		cert := must(sign(noon, template, template, key, key))
		if _, err := trust.Facts([]*x509.Certificate{cert.Leaf}, noon); !errors.Is(err, want) {
			t.Errorf("%d bits: got %v", bits, err)
		}
	}
}

func TestThumbprint(t *testing.T) {
	n := must(base64.RawURLEncoding.DecodeString("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"))
	point := append([]byte{4}, must(base64.RawURLEncoding.DecodeString("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs"))...)
	point = append(point, must(base64.RawURLEncoding.DecodeString("9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"))...)
	for _, tt := range []struct {
		source string
		key    any
		want   string
	}{
		{"RFC 7638 §3.1", &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
		{"RFC 9449 §6.1", must(ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
		{"RFC 8037 App. A.3", ed25519.PublicKey(must(base64.RawURLEncoding.DecodeString("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
	} {
		if got, err := thumbprint(tt.key); err != nil || got != tt.want {
			t.Errorf("%s: got %s, %v", tt.source, got, err)
		}
	}
	if got, err := thumbprint(nil); !errors.Is(err, ErrMalformed) {
		t.Errorf("an unknown key: got %s, %v", got, err)
	}
}

// TestHandshake runs the listener of MutualConfig with real connections.
func TestHandshake(t *testing.T) {
	now := time.Now()
	authority := must(NewAuthority(now))
	server := must(authority.IssueServer(now))
	trust := NewTrust(authority.Pool())
	listener := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cert, err := trust.Certificate(r, now)
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusBadRequest)
		case cert == nil:
			w.Write([]byte("nobody"))
		case cert.Trusted:
			w.Write([]byte("trusted " + cert.Subject))
		default:
			w.Write([]byte("presented " + cert.Subject))
		}
	}))
	listener.TLS = MutualConfig(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &server, nil })
	listener.Config.ErrorLog = log.New(io.Discard, "", 0)
	listener.StartTLS()
	defer listener.Close()
	url := strings.Replace(listener.URL, "127.0.0.1", "localhost", 1) // httptest keeps a certificate of its own for clients that name no host

	name := Names{Subject: pkix.Name{CommonName: "payzip"}}
	tests := []struct {
		name  string
		certs []tls.Certificate
		tls   uint16
		want  string
	}{
		{"a client may stay anonymous", nil, tls.VersionTLS13, "nobody"},
		{"an issued certificate is trusted", []tls.Certificate{must(authority.IssueClient(now, name))}, tls.VersionTLS13, "trusted CN=payzip"},
		{"also over TLS 1.2", []tls.Certificate{must(authority.IssueClient(now, name))}, tls.VersionTLS12, "trusted CN=payzip"},
		{"a self-signed one is let in", []tls.Certificate{must(SelfSigned(now, name))}, tls.VersionTLS13, "presented CN=payzip"},
		{"TLS 1.1 is not spoken", nil, tls.VersionTLS11, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool(), Certificates: tt.certs, MinVersion: tls.VersionTLS10, MaxVersion: tt.tls}}
			defer transport.CloseIdleConnections()
			got := make([]byte, 100)
			n := 0
			if response, err := (&http.Client{Transport: transport}).Get(url); err == nil {
				n, _ = response.Body.Read(got)
				response.Body.Close()
			}
			if string(got[:n]) != tt.want {
				t.Errorf("got %q; want %q", got[:n], tt.want)
			}
		})
	}
}

func TestServerConfigOffersOnlyRecommendedSuites(t *testing.T) {
	config := ServerConfig(nil)
	for _, suite := range config.CipherSuites {
		if name := tls.CipherSuiteName(suite); name != "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" && name != "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" {
			t.Errorf("%s is offered", name)
		}
	}
	if config.ClientAuth != tls.NoClientCert || config.MinVersion != tls.VersionTLS12 {
		t.Errorf("got %+v", config)
	}
}

func BenchmarkFacts(b *testing.B) {
	authority := must(NewAuthority(noon))
	for name, cert := range map[string]tls.Certificate{"issued": must(authority.IssueClient(noon, payzip)), "self-signed": must(SelfSigned(noon, payzip))} {
		b.Run(name, func(b *testing.B) {
			trust := NewTrust(authority.Pool())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := trust.Facts([]*x509.Certificate{cert.Leaf}, noon); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
