package conformance

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/projections"
)

// A house is a whole server and everybody who talks to it.
type house struct {
	issuers      map[string]issuer // by the names that clients know them by
	resources    map[string]string // origins and paths of protected resources: "bank", "bank.mutual"
	clients      map[string]*client
	certificates map[string]*tls.Certificate // those of clients, and forged and renewed ones
	roots        *x509.CertPool
	clock        *clock
	passwords    map[string]string // of customers
	initialToken func(issuer string) (string, error)
	deliveries   func(backchannel string) ([]projections.Delivery, error)
	receiver     *receiver
	nodes        int
	feeds        []*eventstore.Feed // of nodes that share a log

	mu         sync.Mutex
	transports map[line]*http.Transport
	turn       int
}

// A line is a connection that presents a certificate, nil for none, to one of
// the nodes.
type line struct {
	certificate *tls.Certificate
	node        int
}

// An issuer is where scripts find it; endpoints are those of its metadata, and
// those of mtls_endpoint_aliases with "mutual." before.
type issuer struct {
	url       string
	endpoints map[string]string
}

// A clock moves only when a script says so.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// everywhere waits for the models that nodes keep in memory. They may be a
// second behind for what is about clients, issuers and keys.
func (h *house) everywhere() error {
	now, poll := time.Now(), time.NewTicker(10*time.Millisecond)
	defer poll.Stop()
	for _, f := range h.feeds {
		for f.AsOf().Before(now) {
			if time.Since(now) > 5*eventstore.Staleness {
				return errors.New("a node has not heard of what another has written")
			}
			<-poll.C
		}
	}
	return nil
}

// transport returns connections that present a certificate, nil for none, each
// time to another node. The server's own certificate is verified, for its name
// too (RFC 9525).
func (h *house) transport(cert *tls.Certificate) *http.Transport {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.turn++
	to := line{cert, h.turn % h.nodes}
	if known := h.transports[to]; known != nil {
		return known
	}
	config := &tls.Config{RootCAs: h.roots, Time: h.clock.Now, MinVersion: tls.VersionTLS12}
	if cert != nil {
		config.Certificates = []tls.Certificate{*cert}
	}
	t := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
	h.transports[to] = t
	return t
}

// discover reads where the endpoints of an issuer are, from its metadata and
// nowhere else (FAPI2-SP §5.3.3.1-2.9).
func (h *house) discover(identifier string) (issuer, error) {
	found := issuer{identifier, map[string]string{}}
	answer, err := h.send(nil, request{method: "GET", url: identifier + "/.well-known/openid-configuration"})
	if err != nil {
		return found, err
	}
	metadata, err := answer.json()
	if err != nil || answer.status != http.StatusOK || metadata["issuer"] != identifier {
		return found, fmt.Errorf("the metadata of %s cannot be used: %d %v", identifier, answer.status, err)
	}
	found.note("", metadata)
	if aliases, ok := metadata["mtls_endpoint_aliases"].(map[string]any); ok {
		found.note("mutual.", aliases)
	}
	return found, nil
}

func (i issuer) note(prefix string, members map[string]any) {
	for name, value := range members {
		if url, ok := value.(string); ok {
			i.endpoints[prefix+name] = url
		}
	}
}
