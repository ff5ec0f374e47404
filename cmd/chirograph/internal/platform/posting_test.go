package platform

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/delivery"
)

func TestPosting(t *testing.T) {
	receiver := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/echo":
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
			io.WriteString(w, r.Method+" "+r.Header.Get("Content-Type")+" "+r.Header.Get("Authorization")+" "+r.Header.Get("Accept")+" "+string(body))
		case "/date":
			w.Header().Set("Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusTooManyRequests)
		case "/nonsense":
			w.Header().Set("Retry-After", "-1")
		}
	}))
	defer receiver.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(receiver.Certificate())
	gone := httptest.NewTLSServer(nil)
	gone.Close()
	localhost := strings.Replace(receiver.URL, "127.0.0.1", "localhost", 1)
	errRules := errors.New("no rules")

	tests := []struct {
		name  string
		url   string
		roots *x509.CertPool
		rules error
		want  delivery.Answer
		said  string
	}{
		{"what is sent arrives as it is", receiver.URL + "/echo", trusted, nil,
			delivery.Answer{Status: 503, RetryAfter: 7 * time.Second}, "POST application/json Bearer a-token text/plain {}"},
		{"a time to try again may be a date", receiver.URL + "/date", trusted, nil, delivery.Answer{Status: 429, RetryAfter: time.Hour}, ""},
		{"one that is not readable says nothing", receiver.URL + "/nonsense", trusted, nil, delivery.Answer{Status: 200}, ""},
		{"no address that is not public", localhost, trusted, nil, delivery.Answer{Failure: "the receiver's address is not public", Refused: true}, ""},
		{"nothing without TLS", "http://127.0.0.1/", trusted, nil, delivery.Answer{Failure: "not an https URL that may be fetched", Refused: true}, ""},
		{"nothing that is no URL", "https://[", trusted, nil, delivery.Answer{Failure: "not an https URL that may be fetched", Refused: true}, ""},
		{"nobody whose certificate is not trusted", receiver.URL, x509.NewCertPool(), nil, delivery.Answer{Failure: "the receiver's certificate is not trusted"}, ""},
		{"nobody who is not there", gone.URL, trusted, nil, delivery.Answer{Failure: "the connection was refused"}, ""},
		{"nothing without the issuer's rules", receiver.URL, trusted, errRules, delivery.Answer{Failure: "the issuer's rules of outbound requests cannot be read"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &posting{roots: tt.roots, now: time.Now, except: func(context.Context, string) ([]string, error) {
				return []string{receiver.URL, gone.URL}, tt.rules
			}}
			got, said := p.Post(t.Context(), api.Message{Issuer: "bank", URL: tt.url, Media: "application/json", Bearer: "a-token", Accept: "text/plain", Body: []byte("{}")})
			got.RetryAfter = got.RetryAfter.Round(time.Minute / 60)
			if late := tt.want.RetryAfter - got.RetryAfter; late > 0 && late <= 2*time.Second { // a date has no fractions
				got.RetryAfter = tt.want.RetryAfter
			}
			if got != tt.want || string(said) != tt.said {
				t.Errorf("got %+v %q", got, said)
			}
		})
	}
}

func TestPostingFollowsTheIssuersRules(t *testing.T) {
	receiver := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer receiver.Close()
	trusted := x509.NewCertPool()
	trusted.AddCert(receiver.Certificate())
	var except []string
	p := &posting{roots: trusted, now: time.Now, except: func(context.Context, string) ([]string, error) { return except, nil }}
	for _, allowed := range []bool{false, true, false} {
		if except = nil; allowed {
			except = []string{receiver.URL}
		}
		a, _ := p.Post(t.Context(), api.Message{Issuer: "bank", URL: receiver.URL})
		if a.Refused == allowed {
			t.Errorf("allowed: %v, got %+v", allowed, a)
		}
	}
}
