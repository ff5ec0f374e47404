package platform

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/chirograph/chirograph/adapters/fetch"
	"github.com/chirograph/chirograph/adapters/watermill"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/delivery"
)

// posting sends deliveries by the rules of outbound requests. Each issuer has
// its own client, because each has its own exceptions from the rules of
// addresses.
type posting struct {
	roots  *x509.CertPool
	except func(ctx context.Context, issuer string) ([]string, error)
	now    func() time.Time

	mu      sync.Mutex
	clients map[string]issuerClient
}

type issuerClient struct {
	except []string
	client *fetch.Client
}

var _ watermill.Poster = (*posting)(nil)

// Post implements [watermill.Poster]. Its errors say what failed and not what
// was sent.
func (p *posting) Post(ctx context.Context, m api.Message) (delivery.Answer, []byte) {
	client, err := p.client(ctx, m.Issuer)
	if err != nil {
		return delivery.Answer{Failure: "the issuer's rules of outbound requests cannot be read"}, nil
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return delivery.Answer{Failure: fetch.ErrURL.Error(), Refused: true}, nil
	}
	r.Header.Set("Content-Type", m.Media)
	for name, value := range map[string]string{"Accept": m.Accept, "Authorization": bearer(m.Bearer)} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	answer, err := client.Begin(r, watermill.MaxAnswer)
	if err != nil {
		return refusal(err), nil
	}
	return delivery.Answer{Status: answer.Status, RetryAfter: p.retryAfter(answer.Header.Get("Retry-After"))}, answer.Body
}

func bearer(token string) string {
	if token == "" {
		return ""
	}
	return "Bearer " + token
}

// client returns that of an issuer, a new one when its exceptions have changed.
func (p *posting) client(ctx context.Context, issuer string) (*fetch.Client, error) {
	except, err := p.except(ctx, issuer)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, found := p.clients[issuer]; found && slices.Equal(known.except, except) {
		return known.client, nil
	}
	client, err := fetch.New(fetch.Options{Except: except, Roots: p.roots, Now: p.now, Timeout: watermill.PostTime, Connections: watermill.AtReceiver})
	if err != nil {
		return nil, err
	}
	if p.clients == nil {
		p.clients = map[string]issuerClient{}
	}
	p.clients[issuer] = issuerClient{except, client}
	return client, nil
}

// refusal is why there was no answer, in words that tell nothing of our
// network.
func refusal(err error) delivery.Answer {
	var certificate *tls.CertificateVerificationError
	var network net.Error
	var lookup *net.DNSError
	for _, why := range []struct {
		so      bool
		words   string
		refused bool
	}{
		{errors.Is(err, fetch.ErrURL), fetch.ErrURL.Error(), true},
		{errors.Is(err, fetch.ErrAddress), "the receiver's " + fetch.ErrAddress.Error(), true},
		{errors.As(err, &certificate), "the receiver's certificate is not trusted", false},
		{errors.As(err, &lookup), "the receiver's name was not found", false},
		{errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout(), "no answer in time", false},
		{errors.Is(err, syscall.ECONNREFUSED), "the connection was refused", false},
	} {
		if why.so {
			return delivery.Answer{Failure: why.words, Refused: why.refused}
		}
	}
	return delivery.Answer{Failure: "the connection broke before there was an answer"}
}

// retryAfter reads RFC 9110, Section 10.2.3. What is not readable says nothing.
func (p *posting) retryAfter(header string) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(p.now()))
	}
	return 0
}
