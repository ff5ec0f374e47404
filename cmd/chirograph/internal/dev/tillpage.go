package dev

import (
	"crypto/tls"
	"net/http"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/tillpage"
	"github.com/chirograph/chirograph/domain/oauth"
)

// tillPage returns the till, which asks over the network as any till would.
func (s *stage) tillPage() *tillpage.Till {
	if s.till != nil {
		return s.till
	}
	issuer := s.origin() + "/" + cibaID
	client := func(c sampleClient) *story.Client {
		over := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.trusted}, ForceAttemptHTTP2: true}
		return &story.Client{
			Name: c.name, ID: c.id, Issuer: issuer, Key: s.keys[c.id], Now: time.Now, HTTP: &http.Client{Transport: over, Timeout: calling},
		}
	}
	s.till = &tillpage.Till{Bank: s.origin() + bankPath + "-ciba", Phone: issuer + "/device", Style: api.Stylesheet(), Now: time.Now}
	for _, c := range sampleClients {
		switch {
		case c.id == tillPinged:
			s.till.Ping = client(c)
		case c.issuer == cibaID && c.mode == oauth.Poll && !c.codes:
			s.till.Poll = client(c)
		}
	}
	return s.till
}
