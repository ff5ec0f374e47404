package platform

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/chirograph/chirograph/adapters/fetch"
	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/oauth"
)

// fetchedClients bounds the clients of an issuer whose published keys are kept.
const fetchedClients = 2_000

// fetched are the key sets that clients publish. Each issuer has its own,
// because each has its own exceptions from the rules of addresses.
type fetched struct {
	roots *x509.CertPool
	now   func() time.Time

	mu  sync.Mutex
	all map[string]issuerSets
}

type issuerSets struct {
	except []string
	sets   *fetch.KeySets[[]jose.Key]
}

func (f *fetched) keys(ctx context.Context, c oauth.Client, t api.Tenant, anew bool) (fetch.Set[[]jose.Key], error) {
	sets, err := f.of(t)
	if err != nil {
		return fetch.Set[[]jose.Key]{}, err
	}
	if anew {
		return sets.Anew(ctx, c.ID, c.JWKSURI)
	}
	return sets.Of(ctx, c.ID, c.JWKSURI)
}

// Sector implements [api.Sectors]. It asks each time: that is when a client is
// registered or changed.
func (f *fetched) Sector(ctx context.Context, t api.Tenant, uri string) (listed []string, err error) {
	asking, err := fetch.New(fetch.Options{Except: t.Settings.FetchOrigins, Roots: f.roots, Now: f.now})
	if err != nil {
		return nil, err
	}
	document, err := asking.Document(ctx, uri)
	if err != nil {
		return nil, err
	}
	return listed, json.Unmarshal(document.Body, &listed)
}

// of returns the sets of an issuer, new ones when its exceptions have changed.
func (f *fetched) of(t api.Tenant) (*fetch.KeySets[[]jose.Key], error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known, found := f.all[t.ID]; found && slices.Equal(known.except, t.Settings.FetchOrigins) {
		return known.sets, nil
	}
	asking, err := fetch.New(fetch.Options{Except: t.Settings.FetchOrigins, Roots: f.roots, Now: f.now})
	if err != nil {
		return nil, err
	}
	sets, err := fetch.NewKeySets(asking, fetchedClients, jose.ParseKeys)
	if err != nil {
		return nil, err
	}
	if f.all == nil {
		f.all = map[string]issuerSets{}
	}
	f.all[t.ID] = issuerSets{t.Settings.FetchOrigins, sets}
	return sets, nil
}
