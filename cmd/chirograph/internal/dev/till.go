package dev

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/adapters/mtls"
	"github.com/chirograph/chirograph/api/samplebank"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
	"github.com/chirograph/chirograph/domain/oauth"
)

// A Till is a sample client of a running server, ready to ask a customer.
type Till struct {
	story.BackchannelCast
	endpoint *http.Server // where it is called, nil if it polls
	ended    chan struct{}
}

// Asking says which till asks, and what.
type Asking struct {
	Dir       string // of the server
	Issuer    string // URL; "" for the one that has all modes
	Mode      string
	LoginHint string
	Message   string
	Code      string // the customer's user code; the call centre asks for it
	Expiry    int    // seconds to answer, 0 for as long as the bank likes
	Decision  string // "approve" or "deny" on the phone page, "" for somebody else
}

// calling is how long a sample client waits for one answer: longer than a poll
// may be held back.
const calling = 30 * time.Second

// Open returns the till, which listens where it expects to be called. Close it
// after use.
func (a Asking) Open(ctx context.Context) (*Till, error) {
	live, err := FindLive(a.Dir)
	if err != nil {
		return nil, err
	}
	t, sample, err := live.tenantAt(a)
	if err != nil {
		return nil, err
	}
	f := folder{dir: a.Dir, keys: map[string]jose.Signer{}}
	authority, err := f.authority(time.Now())
	if err != nil {
		return nil, err
	}
	f.trusted = authority.Pool()
	client, err := f.open(sample, live.Origin+"/"+t.id)
	if err != nil {
		return nil, err
	}
	bank := live.Origin + t.bank
	if sample.mutual {
		bank = live.MTLS + t.bank
	}
	till := &Till{BackchannelCast: story.BackchannelCast{
		Client: client, Mode: a.Mode, Decision: a.Decision, Bank: bank, Customer: person(a.LoginHint),
		Phone: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: f.trusted}},
		Ask:   story.Ask{LoginHint: a.LoginHint, Message: a.Message, Code: a.Code, Expiry: a.Expiry, Signed: sample.signs},
	}}
	if a.Mode == oauth.Poll {
		return till, nil
	}
	till.Ask.Token = rand.Text()
	till.Receiver = story.NewReceiver(sample.notifyPath(), till.Ask.Token)
	return till, till.listen(ctx, f, live)
}

// tenantAt returns the issuer that is asked and its client for the mode.
func (l Live) tenantAt(a Asking) (tenant, sampleClient, error) {
	id := cibaID
	if a.Issuer != "" {
		id = strings.TrimPrefix(strings.TrimPrefix(a.Issuer, l.Origin), "/")
	}
	for _, t := range tenants {
		if t.id != id || !t.profile.DeliveryModes.Demanded() {
			continue
		}
		if sample, found := sampleFor(id, a.Mode, a.Code != ""); found {
			return t, sample, nil
		}
		kind := ""
		if a.Code != "" {
			kind = " that asks for user codes"
		}
		return t, sampleClient{}, fmt.Errorf("%s/%s has no sample client for the mode %s%s", l.Origin, id, a.Mode, kind)
	}
	return tenant{}, sampleClient{}, fmt.Errorf("%s is no issuer of CIBA here: there are %s/%s and %s/%s", a.Issuer, l.Origin, cibaID, l.Origin, fapiCIBA)
}

// open returns a sample client with its key and certificate.
func (f folder) open(c sampleClient, issuer string) (*story.Client, error) {
	key, err := f.key(c.id)
	if err != nil {
		return nil, err
	}
	settings := &tls.Config{RootCAs: f.trusted}
	if c.mutual {
		certificate, err := f.load(c.id+overTLS+".pem", c.id+overTLS+".key")
		if err != nil {
			return nil, err
		}
		settings.Certificates = []tls.Certificate{certificate}
	}
	return &story.Client{
		Name: c.name, ID: c.id, Issuer: issuer, Key: key, Now: time.Now, TLSAuth: c.auth == "tls_client_auth", TLSBound: c.mutual,
		HTTP: &http.Client{Transport: &http.Transport{TLSClientConfig: settings, ForceAttemptHTTP2: true}, Timeout: calling},
	}, nil
}

func (f folder) load(certName, keyName string) (tls.Certificate, error) {
	cert, key, err := f.pair(certName, keyName)
	if err != nil {
		return tls.Certificate{}, err
	}
	return mtls.Decode(cert, key)
}

// listen serves the till's notification endpoint until it is closed.
func (t *Till) listen(ctx context.Context, f folder, live Live) error {
	certificate, err := f.load(notifyCert, notifyKey)
	if err != nil {
		return err
	}
	at, err := url.Parse(live.Notify)
	if err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", at.Port()))
	if err != nil {
		return fmt.Errorf("the notification endpoint: %w", err)
	}
	t.endpoint = &http.Server{Handler: t.Receiver, ReadHeaderTimeout: calling}
	served := tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	t.ended = make(chan struct{})
	go func() {
		defer close(t.ended)
		t.endpoint.Serve(served)
	}()
	return nil
}

// Close ends the notification endpoint. Its address is free then.
func (t *Till) Close() error {
	if t.endpoint == nil {
		return nil
	}
	err := t.endpoint.Close()
	<-t.ended
	return err
}

// Unreachable reports whether the server of a folder was gone when it was asked.
func Unreachable(err error) bool {
	_, network := errors.AsType[*net.OpError](err)
	return network && !os.IsTimeout(err)
}

// person is the sample customer who signs in under a name.
func person(login string) story.Customer {
	for _, c := range samplebank.Customers() {
		if c.Login == login {
			return story.Customer{Name: c.Claims["given_name"].(string), Login: c.Login, Password: c.Password}
		}
	}
	return story.Customer{Name: login, Login: login}
}
