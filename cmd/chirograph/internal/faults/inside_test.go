package faults

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chirograph/chirograph/adapters/keys"
	"github.com/chirograph/chirograph/adapters/postgres/pgtest"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/installation"
	"github.com/chirograph/chirograph/eventstore"
)

// inside opens three nodes over one database, sabotaged if somebody does, and a
// balancer that calls them.
func inside(t *testing.T, b *bank, sabotage func(*eventstore.Journal)) (all []*platform.Platform, over *balancer) {
	t.Helper()
	dir, url := t.TempDir(), pgtest.New(t)
	master := filepath.Join(dir, "master.key")
	if _, err := keys.OpenMaster(master, true); err != nil {
		t.Fatal(err)
	}
	over = &balancer{}
	for i := range nodes {
		name := fmt.Sprintf("node-%d", i+1)
		c := settings(filepath.Join(dir, name), master, "127.0.0.1:9443", config.Store{Engine: config.PostgreSQL, Postgres: url, Node: name})
		p, err := platform.Open(t.Context(), platform.Options{Config: c, Purpose: installation.Production, Create: true, Version: "test"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		if i == 0 {
			if _, err := p.Admin.Apply(t.Context(), p.Meta(event.ActorOperator), b.document()); err != nil {
				t.Fatal(err)
			}
		}
		if sabotage != nil {
			sabotage(p.Journal)
		}
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { _ = p.Run(ctx) })
		t.Cleanup(func() { stop(); running.Wait() })
		over.names, over.carriers = append(over.names, name), append(over.carriers, direct{p.API.Handler(http.NotFoundHandler())})
		all = append(all, p)
	}
	return all, over
}

// direct calls a handler without a network.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	in := r.Clone(r.Context())
	in.Host, in.RemoteAddr, in.RequestURI = r.URL.Host, "127.0.0.1:1", r.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	d.ServeHTTP(w, in)
	return w.Result(), r.Context().Err()
}
