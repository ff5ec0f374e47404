// Package admin is what operators, compliance officers and investigators ask of
// the platform, over HTTP on a port of its own: registrations, keys, people and
// consents; the audit trail; replay.
//
// It stands behind access tokens of the platform's own issuer, bound to a key
// like any other. What somebody may ask is decided by the scope of the token
// and, where a person stands behind it, by that person's roles. Each request
// is recorded in the log before it is answered.
package admin

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/projections"
)

// Server answers operators. Make it with [New].
type Server struct {
	Outside
	API         *api.Server
	Projections *projections.Set
}

// Outside is what the server needs from elsewhere. All fields are required.
type Outside struct {
	Keys   PrivateKeys
	People People
	Ledger Ledger

	// Current returns when the projections have seen all that was
	// acknowledged before the call.
	Current func(context.Context) error

	// Backup writes a copy of the installation into a new folder.
	Backup func(ctx context.Context, folder string) (any, error)
}

type (
	// PrivateKeys keeps the private halves of signing keys.
	PrivateKeys interface {
		// Make makes a key and returns its public half. It is durable.
		Make(ctx context.Context, issuer, alg string) (PublicKey, error)
		// Keep is Make with a private key in PEM. Keeping the same again
		// changes nothing.
		Keep(ctx context.Context, issuer, kid string, pem []byte) (PublicKey, error)
		// Destroy ends a key for good.
		Destroy(ctx context.Context, kid string) error
	}

	// People is what is kept about people beside the log.
	People interface {
		// Put enters somebody in the directory. Putting the same again changes
		// nothing.
		Put(ctx context.Context, c Customer) (changed bool, err error)
		// SetLogin gives somebody a login name and a password, likewise.
		SetLogin(ctx context.Context, issuer, subject, name, password string) (changed bool, err error)
		// SetUserCode gives somebody a user code, or none if it is empty,
		// likewise.
		SetUserCode(ctx context.Context, subject, code string) (changed bool, err error)
		// Named returns whose login name it is, [ErrNotFound] if nobody's.
		Named(ctx context.Context, issuer, name string) (subject string, err error)
		// Erase ends all that is kept of a subject, once its erasure is
		// recorded at a position. Erasing again changes nothing.
		Erase(ctx context.Context, subject string, at eventstore.Position) error
	}

	// Ledger proves what the log holds.
	Ledger interface {
		// Proof returns a proof that an event is in the log, and the canonical
		// record that it proves.
		Proof(ctx context.Context, p eventstore.Position) (Proof, error)
		// Verify checks the whole log.
		Verify(ctx context.Context) (ledger.Report, error)
	}
)

// A PublicKey is the public half of a signing key.
type PublicKey struct {
	ID        string
	Algorithm string
	JWK       json.RawMessage
}

// New returns a server for the installation that s serves.
func New(s *api.Server, p *projections.Set, o Outside) *Server {
	return &Server{Outside: o, API: s, Projections: p}
}

// Handler returns everything below /admin, and the description of it.
func (s *Server) Handler(guard Guard) http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.Handle(r.method+" "+r.path, s.serve(r, guard))
	}
	mux.HandleFunc("GET /openapi.yaml", describe)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		write(w, problemOf(notFound("there is nothing at this path")))
	})
	return mux
}
