package conformance

import (
	"context"
	"crypto/tls"
	"crypto/x509/pkix"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/mtls"
	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/api/samplebank"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/serve"
	"github.com/chirograph/chirograph/domain/event"
)

// A builder puts a house together: the server as serve runs it, in an empty
// folder, with the sample bank behind it.
type builder struct {
	*testing.T
	house     *house
	authority *mtls.Authority
	bound     serve.Bound
	platform  *platform.Platform
	operator  event.Meta
}

func build(t *testing.T) *house {
	now := time.Now().Truncate(time.Second)
	authority, err := mtls.NewAuthority(now)
	if err != nil {
		t.Fatal(err)
	}
	b := &builder{T: t, authority: authority, operator: event.Meta{Actor: event.ActorOperator}}
	b.house = &house{
		issuers: map[string]issuer{}, clients: cast(now, authority), roots: authority.Pool(), clock: &clock{now: now},
		transports: map[*tls.Certificate]*http.Transport{}, passwords: map[string]string{},
	}
	b.house.certificates = b.certificates(now)
	b.start(b.settings())
	b.furnish()
	for name, path := range paths {
		b.house.issuers[name], err = b.house.discover(b.at(b.bound.Public, path))
		b.must(err)
	}
	return b.house
}

func (b *builder) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// settings are those of a server on loopback without limits.
func (b *builder) settings() config.Config {
	dir := b.TempDir()
	server, err := b.authority.IssueServer(b.house.clock.Now())
	b.must(err)
	cert, key, err := mtls.Encode(server)
	b.must(err)
	ca, _, err := b.authority.Encode()
	b.must(err)
	file := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		b.must(os.WriteFile(path, text, 0o600))
		return path
	}
	c := config.Default()
	c.DataDir = filepath.Join(dir, "data")
	c.Public.Listen, c.MTLS.Listen, c.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c.Public.TLS = config.TLS{Cert: file("server.pem", cert), Key: file("server.key", key)}
	c.MTLS.ClientCA = file("ca.pem", ca)
	c.Limits = config.Limits{Buckets: 1}
	c.Drain.Delay = 0
	return c
}

// start binds the sockets, opens the platform with a clock that stands still
// and serves until the test ends.
func (b *builder) start(c config.Config) {
	var err error
	b.bound, err = serve.Bind(c)
	b.must(err)
	c.MTLS.Origin, c.Admin.Origin = b.at(b.bound.MTLS, ""), b.at(b.bound.Admin, "")
	b.house.resources = map[string]string{
		"bank": b.at(b.bound.Public, samplebank.Path), "bank.mutual": b.at(b.bound.MTLS, samplebank.Path), "vault": b.at(b.bound.Public, "/vault"),
	}
	b.platform, err = platform.Open(b.Context(), platform.Options{
		Config: c, Create: true, Version: "conformance", Now: b.house.clock.Now})
	b.must(err)
	server, err := serve.New(b.Context(), b.platform, b.bound)
	b.must(err)
	server.Elsewhere = b.bank()
	ctx, stop := context.WithCancel(context.WithoutCancel(b.Context()))
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	b.Cleanup(func() {
		for _, t := range b.house.transports {
			t.CloseIdleConnections()
		}
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
		b.platform.Close()
	})
}

func (b *builder) at(l net.Listener, path string) string {
	return "https://localhost:" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port) + path
}

// bank is the sample bank, which believes in the tokens of the main issuer.
func (b *builder) bank() http.Handler {
	return samplebank.Bank{Now: b.house.clock.Now}.Handler(&resource.Server{
		Checker: b.platform.API.Checker("main", b.house.resources["bank"]), URLs: resource.At(b.at(b.bound.Public, ""), b.at(b.bound.MTLS, "")),
		Certificate: b.platform.API.Certificates.Certificate, Now: b.house.clock.Now, Log: b.platform.API.Outside.Log,
	})
}

// certificates are those of the cast, by client; one that payzip got later with
// the same names, and one with these names that it made itself.
func (b *builder) certificates(now time.Time) map[string]*tls.Certificate {
	all := map[string]*tls.Certificate{}
	for id, c := range b.house.clients {
		all[id] = c.certificate
	}
	names := mtls.Names{Subject: pkix.Name{CommonName: "payzip", Organization: []string{"Sample"}}}
	renewed, err := b.authority.IssueClient(now, names)
	b.must(err)
	forged, err := mtls.SelfSigned(now, names)
	b.must(err)
	all["payzip-renewed"], all["payzip-forged"] = &renewed, &forged
	return all
}
