package dev

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/chirograph/chirograph/api/samplebank"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/tillpage"
	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/projections"
)

func (s *stage) banner() {
	fmt.Fprintf(s.Out, "\n  DEV MODE: generated keys, sample data, loopback only. Not for production.\n\n")
}

// play plays the main job over the network, with the clients' own keys, and
// then tells it once more from the log.
func (s *stage) play(ctx context.Context) error {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.trusted}, ForceAttemptHTTP2: true}
	if len(s.others) > 0 { // a connection each time, so that every request meets the next node
		transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.trusted}, DisableKeepAlives: true}
		fmt.Fprintf(s.Out, "  %d nodes over one database; each request goes to the next one.\n\n", len(s.nodes()))
	}
	defer transport.CloseIdleConnections()
	alice := samplebank.Customers()[0]
	cast := story.Cast{
		Client: &story.Client{
			Name: "Budgetly", ID: budgetly, Issuer: s.issuer(), RedirectURI: budgetlyBack, Key: s.keys[budgetly],
			HTTP: &http.Client{Transport: transport, Timeout: 20 * time.Second}, Now: time.Now,
		},
		Customer: story.Customer{Name: "Alice", Login: alice.Login, Password: alice.Password},
		Bank:     s.origin() + bankPath,
	}
	outcome, err := story.Play(ctx, cast, transport, time.Now(), func(who, did, result string) {
		fmt.Fprintf(s.Out, "  %-9s %-66s %s\n", who, did, result)
	})
	if err != nil {
		return err
	}
	return s.retell(ctx, outcome.Consent)
}

// retell prints the timeline of the consent from the log, and what a full
// verification of the log says.
func (s *stage) retell(ctx context.Context, consent string) error {
	p := s.platform
	if err := p.Current(ctx); err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "\n  The same from the log, consent %s:\n\n", consent)
	for e, err := range p.Projections.Audit.Timeline(ctx, projections.OfConsent, consent) {
		if err != nil {
			return err
		}
		fmt.Fprintf(s.Out, "  %6d  %s  %s\n", e.Position, e.Time.Format("15:04:05.000"), e.Sentence)
	}
	if _, err := p.Keeper.Sign(ctx); err != nil {
		return err
	}
	report, err := ledger.Verify(ctx, p.Audit())
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "\n  verified: %d events in %d streams, %d checkpoints, nothing altered; root %s\n",
		report.Events, report.Streams, report.Checkpoints, report.Root)
	return nil
}

// directions are the addresses, logins and next commands.
func (s *stage) directions() [][2]string {
	var logins, codes, people []string
	for _, c := range samplebank.Customers() {
		logins = append(logins, c.Login+" / "+c.Password)
		if code := userCodes[c.Login]; code != "" {
			codes = append(codes, c.Login+" / "+code+" (the call centre asks for it)")
		}
	}
	for _, c := range staff {
		people = append(people, c.Login.Name+" / "+c.Login.Password)
	}
	lines := [][2]string{
		{"issuer", s.issuer()},
		{"  metadata", s.issuer() + "/.well-known/openid-configuration"},
		{"  with certificates", s.config.MTLS.Origin + "/fapi2"},
		{"issuers of CIBA", s.origin() + "/" + cibaID + ", " + s.origin() + "/" + fapiCIBA},
		{"  phone page", s.origin() + "/" + cibaID + "/device"},
		{"  till page", s.origin() + tillpage.Path},
		{"  automatic decision", "POST " + s.origin() + "/" + cibaID + "/backchannel/decide?auth_req_id={auth_req_id}&action={action}, allow or deny"},
		{"  clients", strings.Join(backchannelIDs(), ", ")},
		{"customer's page", s.issuer() + "/my/consents"},
		{"  customers", strings.Join(logins, ", ")},
		{"  user codes", strings.Join(codes, ", ")},
		{"accounts API", s.origin() + bankPath + "/accounts"},
		{"admin API", s.config.Admin.Origin + "/openapi.yaml"},
		{"  staff", strings.Join(people, ", ")},
		{"health, metrics", s.config.Admin.Origin + "/readyz?verbose, /metrics"},
	}
	if !s.Ephemeral {
		lines = append(lines, [2]string{"data", s.Dir + " (kept; --ephemeral forgets, dev reset wipes)"})
	}
	return append(lines,
		[2]string{"certificate authority", s.path(caCert)},
		[2]string{"third parties' keys", s.path(budgetly+".jwk.json") + ", " + payzipCert + ", " + payzipKey})
}

func (s *stage) signpost() {
	fmt.Fprintf(s.Out, "\n  Serving until Ctrl-C:\n\n")
	for _, line := range s.directions() {
		fmt.Fprintf(s.Out, "  %-24s %s\n", line[0], line[1])
	}
	at := ""
	switch {
	case len(s.others) > 0:
		at = " --config " + s.path(settingsFile)
	case s.Dir != DefaultDir:
		at = " --data " + s.Dir
	}
	fmt.Fprintf(s.Out, "\n  Next, in another terminal:\n\n")
	for _, c := range []string{"audit verify", "audit search --client budgetly", "client list", "doctor"} {
		fmt.Fprintf(s.Out, "  go run ./cmd/chirograph %s%s\n", c, at)
	}
	folder := ""
	if s.Dir != DefaultDir {
		folder = " --data " + s.Dir
	}
	fmt.Fprintf(s.Out, "  go run ./cmd/chirograph flow ciba --mode ping --approve%s\n", folder)
	fmt.Fprintln(s.Out)
}

// DefaultDir is where the folder is if nobody says otherwise.
const DefaultDir = ".chirograph"
