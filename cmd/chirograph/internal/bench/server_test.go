package bench

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/signingkey"
)

const bank = "https://localhost/bank"

// storeVariable names the database that the server shares with other nodes,
// eventsVariable the EventStoreDB, if the log is there, masterVariable the key
// that all nodes have, and projectionsVariable says where projections are.
// Without them the server has a log of its own.
const (
	storeVariable       = "CHIROGRAPH_BENCH_STORE"
	eventsVariable      = "CHIROGRAPH_BENCH_EVENTS"
	masterVariable      = "CHIROGRAPH_BENCH_MASTER"
	projectionsVariable = "CHIROGRAPH_BENCH_PROJECTIONS"
)

func storeSet() config.Store {
	s := config.Store{Engine: config.PostgreSQL, Postgres: os.Getenv(storeVariable), EventStoreDB: os.Getenv(eventsVariable)}
	switch {
	case s.Postgres == "":
		return config.Store{Engine: config.SQLite}
	case s.EventStoreDB != "":
		s.Engine = config.EventStoreDB
	}
	return s
}

// startServer serves the real platform, without limits on the load.
func startServer(dir string) (ready, func(), error) {
	platform.Tune()
	told, _, stop, err := openServer(dir)
	return told, stop, err
}

func openServer(dir string) (ready, *platform.Platform, func(), error) {
	return openFurnished(dir, func(ctx context.Context, p *platform.Platform, at string) error { return furnish(ctx, p, at+"/fapi2") })
}

// openFurnished opens a server that has what furnish makes, given where it
// serves.
func openFurnished(dir string, furnish func(ctx context.Context, p *platform.Platform, at string) error) (ready, *platform.Platform, func(), error) {
	c := config.Default()
	c.DataDir = filepath.Join(dir, "data")
	if pem := benchClient.authorityPEM(); len(pem) > 0 {
		c.MTLS.ClientCA = filepath.Join(dir, "client-ca.pem")
		if err := os.WriteFile(c.MTLS.ClientCA, pem, 0o600); err != nil {
			return ready{}, nil, nil, err
		}
	}
	c.Limits = config.Limits{Buckets: c.Limits.Buckets}
	c.Fetch.CA = os.Getenv(authorityOfReceiverVariable)
	c.Store, c.Keys.MasterKeyFile = storeSet(), os.Getenv(masterVariable)
	c.Projections.Where = cmp.Or(os.Getenv(projectionsVariable), config.PerNode)
	var handler http.Handler
	serve := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) })
	told, stop, err := serveTLS(serve, serve, func() {})
	if err != nil {
		return told, nil, nil, err
	}
	c.MTLS.Origin = "https://" + told.Mutual
	ctx, cancel := context.WithCancel(context.Background())
	p, err := platform.Open(ctx, platform.Options{Config: c, Create: true, Version: "bench"})
	if err == nil {
		err = furnish(ctx, p, "https://"+told.Public)
	}
	if err != nil {
		cancel()
		return told, nil, nil, err
	}
	handler = p.API.Handler(http.NotFoundHandler())
	running := make(chan struct{})
	go func() { p.Run(ctx); close(running) }()
	return told, p, func() { stop(); cancel(); <-running; p.Close() }, nil
}

// furnish makes an issuer, a signing key and the clients of the benchmarks.
func furnish(ctx context.Context, p *platform.Platform, url string) error {
	s, m := p.API, event.Meta{Actor: event.ActorOperator}
	if _, found, err := s.Tenant(ctx, "fapi2"); found || err != nil {
		return err
	}
	if _, err := s.Issuers.Execute(ctx, m, "fapi2", issuer.Create{Created: issuer.Created{
		URL: url, Profile: fapi.SecurityProfile.Name, Settings: issuer.Settings{Resources: []string{bank}},
	}}); err != nil {
		return err
	}
	if err := addKey(ctx, p, m); err != nil {
		return err
	}
	t, found, err := s.Tenant(ctx, "fapi2")
	if err != nil || !found {
		return fmt.Errorf("the issuer is missing: %w", err)
	}
	for id, metadata := range benchClients() {
		if err := register(ctx, s, m, t, id, metadata); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	return nil
}

func register(ctx context.Context, s *api.Server, m event.Meta, t api.Tenant, id string, metadata oauth.ClientMetadata) error {
	metadata, err := s.ClientKeys.Check(metadata.Defaults(t.Profile))
	if err != nil {
		return err
	}
	if err := t.Profile.CheckClient(metadata, t.Server()); err != nil {
		return err
	}
	_, err = s.Clients.Execute(ctx, m, id, client.Register{Registered: client.Registered{Issuer: t.ID, Metadata: metadata, Via: "operator"}})
	return err
}

func addKey(ctx context.Context, p *platform.Platform, m event.Meta) error {
	private, err := jose.GenerateKey(jose.ES256)
	if err != nil {
		return err
	}
	kid, err := jose.Thumbprint(private.Public())
	if err != nil {
		return err
	}
	jwk, err := jose.PublicJWK(kid, jose.ES256, "sig", private.Public())
	if err != nil {
		return err
	}
	if err := p.Ring.SigningKeys().Put(ctx, kid, "fapi2", jose.ES256, private); err != nil {
		return err
	}
	announced := signingkey.Announced{Issuer: "fapi2", Algorithm: jose.ES256, Use: "sig", JWK: jwk}
	if _, err := p.API.SigningKeys.Execute(ctx, m, kid, signingkey.Announce{Announced: announced}); err != nil {
		return err
	}
	_, err = p.API.SigningKeys.Execute(ctx, m, kid, signingkey.Activate{})
	return err
}

func benchClients() map[string]oauth.ClientMetadata {
	return map[string]oauth.ClientMetadata{
		"bench": {
			ClientName: "Bench", TokenEndpointAuthMethod: "private_key_jwt", JWKS: benchClient.jwks(),
			GrantTypes: []string{"client_credentials", "authorization_code", "refresh_token"}, ResponseTypes: []string{"code"},
			RedirectURIs: []string{"https://client.example/cb"}, Scope: "openid accounts", DPoPBoundTokens: true,
		},
		"bench-mutual": {
			ClientName: "Bench with a certificate", TokenEndpointAuthMethod: "tls_client_auth", TLSSubjectDN: benchSubject,
			GrantTypes: []string{"client_credentials"}, Scope: "accounts", TLSBoundTokens: true,
		},
		"bench-resource": {
			ClientName: "Bench resource server", TokenEndpointAuthMethod: "private_key_jwt", JWKS: benchClient.jwks(), Resources: []string{bank},
		},
	}
}
