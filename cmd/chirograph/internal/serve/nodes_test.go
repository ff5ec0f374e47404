package serve

import (
	"context"
	"crypto"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"
	"github.com/chirograph/chirograph/adapters/keys"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/eventstore"
)

// Nodes that start at once over an empty database end in one installation, and
// none of them fails.
func TestNodesStartTogether(t *testing.T) {
	engines := map[string]func(*testing.T, *config.Store){
		"PostgreSQL": func(*testing.T, *config.Store) {},
		"EventStoreDB": func(t *testing.T, s *config.Store) {
			s.Engine, s.EventStoreDB = config.EventStoreDB, standin.New(t, standin.Options{Nodes: 3}).URL()
		},
	}
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			c := config.Default()
			c.Admin.Origin, c.Keys.MasterKeyFile = "https://localhost:9443", filepath.Join(t.TempDir(), "master.key")
			c.Store = config.Store{Engine: config.PostgreSQL, Postgres: pgtest.New(t)}
			engine(t, &c.Store)
			if _, err := keys.OpenMaster(c.Keys.MasterKeyFile, true); err != nil {
				t.Fatal(err)
			}
			all := startTogether(t, c, 3)
			first, err := keyOfOperator(t.Context(), all[0])
			for _, p := range all {
				key, failed := keyOfOperator(t.Context(), p)
				if err != nil || failed != nil || !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(first.Public()) {
					t.Errorf("commands have another key on another node: %v, %v", err, failed)
				}
			}
			begunOnce(t, all[1])
		})
	}
}

// startTogether opens platforms and makes their own issuer, all at the same
// time.
func startTogether(t *testing.T, c config.Config, n int) []*platform.Platform {
	t.Helper()
	var started sync.WaitGroup
	all := make([]*platform.Platform, n)
	begin := make(chan struct{})
	for i := range all {
		own := c
		own.DataDir, own.Store.Node = t.TempDir(), fmt.Sprintf("node-%d", i)
		started.Go(func() {
			<-begin
			p, err := platform.Open(context.Background(), platform.Options{Config: own, Create: true, Version: "test"})
			if err != nil {
				t.Errorf("node %d does not open: %v", i, err)
				return
			}
			t.Cleanup(func() { p.Close() })
			all[i] = p
			if err := EnsurePlatform(t.Context(), p); err != nil {
				t.Errorf("node %d: %v", i, err)
			}
		})
	}
	close(begin)
	started.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return all
}

func begunOnce(t *testing.T, p *platform.Platform) {
	t.Helper()
	got := map[string]int{}
	for e, err := range p.Log.ReadAll(t.Context(), 0, eventstore.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		got[e.Type]++
	}
	for _, typ := range []string{"installation.created", "issuer.created", "client.registered", "signingkey.activated"} {
		if got[typ] != 1 {
			t.Errorf("%d %s: %v", got[typ], typ, got)
		}
	}
	if got["client.updated"]+got["issuer.settings_changed"] != 0 {
		t.Errorf("nodes do not agree: %v", got)
	}
}
