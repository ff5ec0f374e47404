package ask

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// Verify checks the log of a folder without believing the server that may be
// running on it. The tables are then compared by who has them open: the server,
// or this process.
func Verify(ctx context.Context, o Options) (admin.Verification, error) {
	v, err := admin.Judge(verifyLog(ctx, o))
	if err != nil || v.Outcome != admin.Verified {
		return v, err
	}
	found, err := verifyTables(ctx, o)
	if err != nil || found.Outcome == admin.Verified {
		return v, err
	}
	found.Report = v.Report
	return found, nil
}

func verifyLog(ctx context.Context, o Options) (ledger.Report, error) {
	p, err := platform.Examine(ctx, platform.Options{Config: o.Config, Version: o.Version, Log: o.Log}, true)
	if err != nil {
		return ledger.Report{}, err
	}
	defer p.Close()
	return ledger.Verify(ctx, p.Audit())
}

func verifyTables(ctx context.Context, o Options) (v admin.Verification, err error) {
	o.Reads = false // beside a server that does not answer there is no telling
	a, err := Open(ctx, o)
	if errors.Is(err, sqlite.ErrLocked) {
		return admin.Judge(ledger.Report{}, &ledger.UnverifiableError{What: "the tables, because the server that has them does not answer", Err: err})
	}
	if err != nil {
		return admin.Judge(ledger.Report{}, err)
	}
	defer a.Close()
	raw, err := a.Do(ctx, http.MethodPost, "/admin/audit/verify", nil)
	if err != nil {
		return v, err
	}
	return v, json.Unmarshal(raw, &v)
}
