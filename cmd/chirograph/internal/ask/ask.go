// Package ask lets commands ask the admin API. While a server runs they ask
// it, over its admin port, as a client like any other: with an access token of
// the platform's own issuer, bound to their key. Else they open the data folder
// and ask the same API without a network in between.
package ask

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/user"
	"strings"

	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/serve"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// Options of [Open].
type Options struct {
	Config  config.Config
	Reads   bool // nothing is changed, so the folder may be opened beside a server
	Create  bool // make the folder if it is missing
	Version string
	Log     *slog.Logger
}

// An Asker asks one installation. Close it after use.
type Asker struct {
	send     func(ctx context.Context, method, path string, body []byte) (int, []byte, error)
	platform *platform.Platform // nil if a server answers
}

// Open finds who answers: the running server of a folder, or the folder.
func Open(ctx context.Context, o Options) (*Asker, error) {
	remote, running, err := find(ctx, o.Config)
	if err != nil {
		return nil, err
	}
	if running {
		return &Asker{send: remote.send}, nil
	}
	p, err := openFolder(ctx, o)
	if err != nil {
		return nil, err
	}
	if o.Create {
		if err := serve.EnsurePlatform(ctx, p); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	handler := p.Admin.Handler(admin.Trusted{Name: whoami()})
	return &Asker{platform: p, send: func(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
		r := httptest.NewRequestWithContext(ctx, method, path, bytes.NewReader(body))
		r.RemoteAddr = ""
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code, w.Body.Bytes(), nil
	}}, nil
}

// openFolder opens the folder as the one writer or, for a question that
// changes nothing, as a reader where there can be no writer now.
func openFolder(ctx context.Context, o Options) (*platform.Platform, error) {
	options := platform.Options{Config: o.Config, Create: o.Create, Version: o.Version, Log: o.Log}
	p, err := platform.Open(ctx, options)
	_, rollback := errors.AsType[*ledger.RollbackError](err)
	_, altered := errors.AsType[*ledger.AlteredError](err)
	locked := errors.Is(err, sqlite.ErrLocked)
	switch {
	case err == nil:
		return p, nil
	case !o.Reads && locked:
		return nil, fmt.Errorf("%w, and its admin port does not answer", err)
	case !o.Reads || !locked && !rollback && !altered:
		return nil, err
	}
	if rollback || altered {
		o.Log.ErrorContext(ctx, "this log may not be served, and what is shown of it may not be true", "err", err)
	}
	options.ReadOnly = true
	if p, err = platform.Open(ctx, options); err != nil {
		return nil, err
	}
	return p, p.Projections.CatchUp(ctx)
}

// whoami names the operator in the log.
func whoami() string {
	u, err := user.Current()
	if err != nil {
		return "local"
	}
	return u.Username
}

// Close closes the folder, if it was opened.
func (a *Asker) Close() error {
	if a.platform == nil {
		return nil
	}
	var err error
	if a.platform.Keeper != nil {
		err = a.platform.Flush(context.Background())
	}
	return errors.Join(err, a.platform.Close())
}

// A Refused is what the admin API said no with.
type Refused struct {
	Status int
	Type   string `json:"type"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Clause string `json:"clause"`
}

func (r *Refused) Error() string {
	text := r.Detail
	if text == "" {
		text = r.Title
	}
	if r.Clause != "" {
		text += " [" + r.Clause + "]"
	}
	return text
}

// Altered reports whether the log was found altered.
func (r *Refused) Altered() bool { return strings.HasSuffix(r.Type, ":altered") }

// Do asks one thing and returns the answer as JSON, or a [*Refused].
func (a *Asker) Do(ctx context.Context, method, path string, body any) (json.RawMessage, error) {
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	status, answer, err := a.send(ctx, method, path, raw)
	if err != nil {
		return nil, err
	}
	if status == http.StatusOK {
		return answer, nil
	}
	refused := &Refused{}
	if err := json.Unmarshal(answer, refused); err != nil {
		refused.Title = http.StatusText(status)
	}
	refused.Status = status
	return nil, refused
}

// Get asks with parameters; empty ones are left out.
func (a *Asker) Get(ctx context.Context, path string, params map[string]string) (json.RawMessage, error) {
	query := url.Values{}
	for name, value := range params {
		if value != "" {
			query.Set(name, value)
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return a.Do(ctx, http.MethodGet, path, nil)
}

// All asks for one page after another until there are limit items, and
// returns them as one answer.
func (a *Asker) All(ctx context.Context, path string, params map[string]string, limit int) (json.RawMessage, error) {
	const most = 500
	items := []json.RawMessage{}
	var page struct {
		Items []json.RawMessage `json:"items"`
		Next  string            `json:"next"`
		AsOf  uint64            `json:"as_of"`
		Lag   uint64            `json:"lag"`
	}
	for cursor := ""; len(items) < limit; cursor = page.Next {
		params["cursor"], params["limit"] = cursor, fmt.Sprint(min(most, limit-len(items)))
		raw, err := a.Get(ctx, path, params)
		if err != nil {
			return nil, err
		}
		page.Items, page.Next = nil, "" // else the next page would be read into the bytes of this one
		if err := json.Unmarshal(raw, &page); err != nil {
			return nil, err
		}
		items = append(items, page.Items...)
		if page.Next == "" {
			break
		}
	}
	return json.Marshal(map[string]any{"items": items, "as_of": page.AsOf, "lag": page.Lag, "more": page.Next != ""})
}
