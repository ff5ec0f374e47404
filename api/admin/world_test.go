package admin

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"database/sql"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/signingkey"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/memory"
	"github.com/chirograph/chirograph/eventstore/storetest"
	"github.com/chirograph/chirograph/projections"

	"github.com/google/uuid"
	_ "modernc.org/sqlite"
)

// A cluster is three nodes on one empty log, which writes the appends of a call
// one by one. Beside it they share who has which keys, and people.
type cluster struct {
	*testing.T
	memory *memory.Log
	steps  *storetest.Stepwise
	log    *storetest.Interrupted
	nodes  [3]*Server
	beside *beside
	mu     sync.Mutex
	now    time.Time
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{T: t, now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC), beside: &beside{kept: map[string]bool{}}}
	c.memory = memory.New(c.Now)
	c.steps = &storetest.Stepwise{Log: c.memory}
	c.log = &storetest.Interrupted{Log: c.steps}
	log, keys := &storetest.Shared{Log: c.log}, &memory.Keys{}
	for n := range c.nodes {
		journal := &eventstore.Journal{Log: log, Codec: &eventstore.Codec{Registry: catalogue.Events, Keys: keys, Log: log.ID()}}
		server := api.New(journal, api.Outside{
			Profiles: fapi.Profiles, ClientKeys: anyKeys{}, Now: c.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		})
		tables := c.projections(journal)
		c.nodes[n] = New(server, tables, Outside{Keys: c.beside, People: c.beside, Current: tables.CatchUp})
	}
	return c
}

func (c *cluster) projections(j *eventstore.Journal) *projections.Set {
	db, err := sql.Open("sqlite", ":memory:")
	c.must(err)
	db.SetMaxOpenConns(1)
	c.Cleanup(func() { db.Close() })
	tables, err := projections.Open(c.Context(), projections.Config{DB: db, Journal: j})
	c.must(err)
	return tables
}

func (c *cluster) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *cluster) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

var operatorMeta = event.Meta{Actor: event.ActorOperator}

// post asks a node as an operator does.
func (c *cluster) post(node int, path, body string) *httptest.ResponseRecorder {
	c.Helper()
	r := httptest.NewRequest("POST", path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	c.nodes[node].Handler(Trusted{"test"}).ServeHTTP(w, r)
	return w
}

// count returns how many events of a type are in the log.
func (c *cluster) count(typ string) (n int) {
	c.Helper()
	for _, err := range c.memory.ReadAll(c.Context(), 0, eventstore.Filter{Types: []string{typ}}) {
		c.must(err)
		n++
	}
	return n
}

// head is how many events are in the log.
func (c *cluster) head() int {
	head, err := c.memory.Head(c.Context())
	c.must(err)
	return int(head)
}

// signing returns the keys of an issuer that sign with an algorithm.
func (c *cluster) signing(issuer, alg string) (kids []string) {
	c.Helper()
	keys, err := c.nodes[0].keys(c.Context(), issuer)
	c.must(err)
	for _, k := range keys {
		if k.Algorithm == alg && k.Status == signingkey.Active {
			kids = append(kids, k.ID)
		}
	}
	return kids
}

// beside is what the nodes share beside the log.
type beside struct {
	mu     sync.Mutex
	kept   map[string]bool
	erased []eventstore.Position
}

// has remembers something and returns whether it was known.
func (b *beside) has(parts ...string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := b.kept[strings.Join(parts, "|")]
	b.kept[strings.Join(parts, "|")] = true
	return known
}

func (b *beside) Make(_ context.Context, _, alg string) (PublicKey, error) {
	key, err := jose.GenerateKey(alg)
	if err != nil {
		return PublicKey{}, err
	}
	kid := uuid.NewString()
	jwk, err := jose.PublicJWK(kid, alg, "sig", key.Public())
	return PublicKey{kid, alg, jwk}, err
}

func (b *beside) Keep(_ context.Context, _, kid string, text []byte) (PublicKey, error) {
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return PublicKey{}, err
	}
	jwk, err := jose.PublicJWK(kid, "EdDSA", "sig", key.(ed25519.PrivateKey).Public())
	return PublicKey{kid, "EdDSA", jwk}, err
}

func (*beside) Destroy(context.Context, string) error { return nil }

func (b *beside) Put(_ context.Context, c Customer) (bool, error) { return !b.has("put", c.ID), nil }

func (b *beside) SetLogin(_ context.Context, issuer, subject, name, password string) (bool, error) {
	return !b.has("login", issuer, subject, name, password), nil
}

func (b *beside) SetUserCode(_ context.Context, subject, code string) (bool, error) {
	return !b.has("user code", subject, code), nil
}

func (*beside) Named(context.Context, string, string) (string, error) { return "", ErrNotFound }

func (b *beside) Erase(_ context.Context, _ string, at eventstore.Position) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.erased = append(b.erased, at)
	return nil
}

// anyKeys take whatever keys a client brings.
type anyKeys struct{ api.ClientKeys }

func (anyKeys) Request(context.Context, oauth.Client, api.Tenant, string) (oauth.SignedRequest, client.KeySeen, error) {
	return oauth.SignedRequest{}, client.KeySeen{}, errors.New("no request is genuine here")
}

func (anyKeys) Check(m oauth.ClientMetadata) (oauth.ClientMetadata, error) { return m, nil }

// together does something on all nodes at the same time.
func (c *cluster) together(do func(node int) error) {
	c.Helper()
	var all sync.WaitGroup
	start, failed := make(chan struct{}), make([]error, len(c.nodes))
	for n := range c.nodes {
		all.Go(func() {
			<-start
			failed[n] = do(n)
		})
	}
	close(start)
	all.Wait()
	if i := slices.IndexFunc(failed, func(err error) bool { return err != nil }); i >= 0 {
		c.Errorf("node %d: %v", i, failed[i])
	}
}
