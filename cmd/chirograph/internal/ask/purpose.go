package ask

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/domain/installation"
	"github.com/chirograph/chirograph/domain/issuer"
)

// forCustomers minds what real customers must not meet: a log that was made for
// development, and issuers where a tool decides for them.
func forCustomers(ctx context.Context, o Options) (string, string) {
	made, err := madeFor(ctx, o)
	if err != nil {
		return Bad, err.Error()
	}
	if made == installation.Development {
		return Mind, "the log was made for development"
	}
	testing, err := testIssuers(ctx, o)
	if err != nil {
		return Bad, err.Error()
	}
	if len(testing) > 0 {
		return Mind, "for conformance tests, not for customers: issuer " + strings.Join(testing, ", ")
	}
	return Good, "for production"
}

// madeFor returns what the log says that it was made for.
func madeFor(ctx context.Context, o Options) (string, error) {
	p, err := platform.Examine(ctx, platform.Options{Config: o.Config, Version: o.Version, Log: o.Log}, true)
	if err != nil {
		return "", err
	}
	defer p.Close()
	for e, err := range p.Log.ReadStream(ctx, installation.Stream, 0) {
		var created installation.Created
		if err == nil {
			err = json.Unmarshal(e.Data, &created)
		}
		return created.Purpose, err
	}
	return "", nil
}

// testIssuers returns the issuers that test tools drive.
func testIssuers(ctx context.Context, o Options) (testing []string, err error) {
	a, err := Open(ctx, o)
	if err != nil {
		return nil, err
	}
	raw, err := a.Do(ctx, http.MethodGet, "/admin/issuers", nil)
	if err = errors.Join(err, a.Close()); err != nil {
		return nil, err
	}
	var all struct {
		Items []admin.Issuer `json:"items"`
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	for _, i := range all.Items {
		if i.Settings.Purpose == issuer.Conformance {
			testing = append(testing, i.ID)
		}
	}
	return testing, nil
}
