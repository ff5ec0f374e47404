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
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/keys"
	"github.com/chirograph/chirograph/adapters/mtls"
	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/api/samplebank"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/serve"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/spread"
	"github.com/chirograph/chirograph/domain/event"
)

// A builder puts a house together: the server as serve runs it, in an empty
// folder, with the sample bank behind it.
type builder struct {
	*testing.T
	house     *house
	authority *mtls.Authority
	platform  *platform.Platform // of the first node
	public    net.Listener       // where the issuers are
	mtls      net.Listener
	operator  event.Meta
}

func build(t *testing.T, store config.Store, nodes int) *house {
	now := time.Now().Truncate(time.Second)
	authority, err := mtls.NewAuthority(now)
	if err != nil {
		t.Fatal(err)
	}
	b := &builder{T: t, authority: authority, operator: event.Meta{Actor: event.ActorOperator}}
	b.house = &house{
		issuers: map[string]issuer{}, clients: cast(now, authority), roots: authority.Pool(), clock: &clock{now: now},
		transports: map[line]*http.Transport{}, passwords: map[string]string{}, nodes: nodes,
	}
	b.house.certificates = b.certificates(now)
	b.house.receiver = b.receiver(now)
	b.start(b.settings(store), nodes)
	b.furnish()
	for name, path := range paths {
		b.house.issuers[name], err = b.house.discover(b.at(b.public, path))
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
func (b *builder) settings(store config.Store) config.Config {
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
	c.DataDir, c.Store = filepath.Join(dir, "data"), store
	if store.Shared() {
		c.Keys.MasterKeyFile = filepath.Join(dir, "master.key")
		_, err := keys.OpenMaster(c.Keys.MasterKeyFile, true)
		b.must(err)
	}
	c.Public.Listen, c.MTLS.Listen, c.Admin.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	c.Public.TLS = config.TLS{Cert: file("server.pem", cert), Key: file("server.key", key)}
	c.MTLS.ClientCA = file("ca.pem", ca)
	c.Fetch.CA = c.MTLS.ClientCA
	c.Limits = config.Limits{Buckets: 1}
	c.Drain.Delay = 0
	return c
}

// start opens the platform with a clock that stands still, as one node or as
// several behind one address, and serves until the test ends.
func (b *builder) start(c config.Config, nodes int) {
	bound, err := serve.Bind(c)
	b.must(err)
	b.public, b.mtls = bound.Public, bound.MTLS
	if nodes > 1 {
		b.public, b.mtls = b.listen(), b.listen()
	}
	c.MTLS.Origin, c.Admin.Origin = b.at(b.mtls, ""), b.at(bound.Admin, "")
	b.house.resources = map[string]string{
		"bank": b.at(b.public, samplebank.Path), "bank.mutual": b.at(b.mtls, samplebank.Path), "vault": b.at(b.public, "/vault"),
	}
	for _, name := range backchannelIssuers {
		b.house.resources["bank@"+name] = b.at(b.public, samplebank.Path+"-"+name)
		b.house.resources["bank@"+name+".mutual"] = b.at(b.mtls, samplebank.Path+"-"+name)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(b.Context()))
	var ended sync.WaitGroup
	b.Cleanup(func() {
		for _, t := range b.house.transports {
			t.CloseIdleConnections()
		}
		stop()
		ended.Wait()
	})
	b.platform = b.node(ctx, &ended, c, bound)
	if nodes == 1 {
		return
	}
	public, mtls := []string{bound.Public.Addr().String()}, []string{bound.MTLS.Addr().String()}
	for n := range nodes - 1 {
		c.DataDir = filepath.Join(b.TempDir(), "node"+strconv.Itoa(n))
		bound, err := serve.Bind(c)
		b.must(err)
		b.node(ctx, &ended, c, bound)
		public, mtls = append(public, bound.Public.Addr().String()), append(mtls, bound.MTLS.Addr().String())
	}
	for listener, targets := range map[net.Listener][]string{b.public: public, b.mtls: mtls} {
		ended.Go(func() {
			if err := spread.New(listener, targets...).Run(ctx); err != nil {
				b.Error(err)
			}
		})
	}
}

func (b *builder) listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	b.must(err)
	return l
}

// node serves until ctx ends.
func (b *builder) node(ctx context.Context, ended *sync.WaitGroup, c config.Config, bound serve.Bound) *platform.Platform {
	p, err := platform.Open(b.Context(), platform.Options{Config: c, Create: true, Version: "conformance", Now: b.house.clock.Now})
	b.must(err)
	server, err := serve.New(b.Context(), p, bound)
	b.must(err)
	server.Elsewhere = b.bank(p)
	if p.Journal.Feed != nil {
		b.house.feeds = append(b.house.feeds, p.Journal.Feed)
	}
	ended.Go(func() {
		if err := server.Run(ctx); err != nil {
			b.Error(err)
		}
		p.Close()
	})
	return p
}

func (b *builder) at(l net.Listener, path string) string {
	return "https://localhost:" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port) + path
}

// bank is the sample bank, which believes in the tokens of the main issuer, and
// at other addresses in those of others.
func (b *builder) bank(p *platform.Platform) http.Handler {
	mux := http.NewServeMux()
	at := func(pattern, path, issuer, resourceURI string) {
		mux.Handle(pattern, samplebank.Bank{Now: b.house.clock.Now, Path: path}.Handler(&resource.Server{
			Checker: p.API.Checker(issuer, resourceURI), URLs: resource.At(b.at(b.public, ""), b.at(b.mtls, "")),
			Certificate: p.API.Certificates.Certificate, Now: b.house.clock.Now, Log: p.API.Outside.Log,
		}))
	}
	at("/", samplebank.Path, "main", b.house.resources["bank"])
	for _, name := range backchannelIssuers {
		at(samplebank.Path+"-"+name+"/", samplebank.Path+"-"+name, name, b.house.resources["bank@"+name])
	}
	return mux
}

// receiver is where clients are called.
func (b *builder) receiver(now time.Time) *receiver {
	certificate, err := b.authority.IssueServer(now)
	b.must(err)
	r := newReceiver(certificate)
	b.Cleanup(r.server.Close)
	return r
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
