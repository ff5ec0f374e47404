package faults

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/projections"
)

// examine reads the log that the nodes left, verifies it with every checkpoint
// in the database and in the folders of all nodes, and folds each node's
// projections again.
func (s *site) examine(t *testing.T) []fact {
	t.Helper()
	ctx := t.Context()
	o := s.options(s.store, false)
	o.ReadOnly = true
	p, err := platform.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	audit := p.Audit()
	for _, n := range s.nodes {
		audit.Folders = append(audit.Folders, filepath.Join(n.dir, "checkpoints"))
	}
	report, err := ledger.Verify(ctx, audit)
	if err != nil {
		t.Errorf("the log does not verify: %v", err)
	}
	t.Logf("verified: %d events in %d streams, %d checkpoints", report.Events, report.Streams, report.Checkpoints)
	for _, n := range s.nodes {
		s.fold(ctx, t, n, p.Journal)
	}
	return facts(t, p.Log)
}

// fold compares the tables that a node left with what the log makes of them.
func (s *site) fold(ctx context.Context, t *testing.T, n *node, j *eventstore.Journal) {
	t.Helper()
	file := url.URL{Scheme: "file", OmitHost: true, Path: filepath.Join(n.dir, "projections.db")}
	db, err := sql.Open("sqlite", file.String())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	set, err := projections.Open(ctx, projections.Config{DB: db, Journal: j, ReadOnly: true, Scratch: func(context.Context) (*sql.DB, error) {
		scratch, err := sql.Open("sqlite", "")
		if err == nil {
			scratch.SetMaxOpenConns(1)
		}
		return scratch, err
	}})
	if err != nil {
		t.Errorf("projections of %s: %v", n.name, err)
		return
	}
	different, err := set.Verify(ctx)
	if err != nil {
		t.Errorf("projections of %s: %v", n.name, err)
	}
	for _, d := range different {
		t.Errorf("projections of %s: %v", n.name, d)
	}
}

// facts reads a log whole.
func facts(t testing.TB, log eventstore.Log) (all []fact) {
	t.Helper()
	for e, err := range log.ReadAll(t.Context(), 0, eventstore.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		f := fact{Position: e.Position, Leaf: e.Leaf, Stream: e.Stream, Revision: e.Revision, ID: e.ID, Type: e.Type, Recorded: e.Recorded}
		switch e.Stream.Category() {
		case "authorization", "token", "refresh":
			var body struct{ JTI, Refresh, Digest string }
			if err := json.Unmarshal(e.Data, &body); err != nil {
				t.Fatalf("event at %d: %v", e.Position, err)
			}
			f.Token, f.Refresh, f.Digest = body.JTI, body.Refresh, body.Digest
		}
		all = append(all, f)
	}
	return all
}
