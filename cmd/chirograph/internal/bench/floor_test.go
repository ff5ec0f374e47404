package bench

import (
	"cmp"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/adapters/mtls"
	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// floor does the least that can be called the same work.
type floor struct {
	log    *sqlite.Log
	keys   []jose.Key // of the client
	trust  *mtls.Trust
	signer jose.Signer
}

func startFloor(dir string) (ready, func(), error) {
	log, err := sqlite.Open(sqlite.Options{Dir: dir})
	if err != nil {
		return ready{}, nil, err
	}
	keys, err := jose.ParseKeys(benchClient.jwks())
	if err != nil {
		return ready{}, nil, err
	}
	signing, err := jose.GenerateKey(jose.ES256)
	if err != nil {
		return ready{}, nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(benchClient.authorityPEM())
	f := &floor{log, keys, mtls.NewTrust(roots), jose.Signer{KeyID: uuid.NewString(), Algorithm: jose.ES256, Key: signing}}
	mux := http.NewServeMux()
	mux.HandleFunc("/fapi2/token", answering(f.token))
	mux.HandleFunc("/fapi2/par", answering(f.par))
	mux.HandleFunc("/fapi2/introspect", answering(f.introspect))
	mux.HandleFunc("/ciba/token", answering(f.poll))
	return serveTLS(mux, mux, func() { log.Close() })
}

func answering(serve func(*http.Request) (int, any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, body, err := serve(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(body)
	}
}

// verify parses the form and verifies assertion, proof or certificate,
// whatever the request carries.
func (f *floor) verify(r *http.Request) (evidence oauth.Evidence, err error) {
	if err := r.ParseForm(); err != nil {
		return evidence, err
	}
	if compact := r.PostForm.Get("client_assertion"); compact != "" {
		fact, err := jose.VerifyAssertion(compact, f.keys)
		if err != nil {
			return evidence, err
		}
		evidence.ClientAssertion, evidence.Key = fact.Raw, fact.Thumbprint
	} else {
		fact, err := f.trust.Certificate(r, time.Now())
		if err != nil || fact == nil || !fact.Trusted {
			return evidence, errors.Join(err, errors.New("no trusted certificate"))
		}
		evidence.Certificate = fact.Thumbprint
	}
	if compact := r.Header.Get("DPoP"); compact != "" {
		fact, err := jose.VerifyProof(compact)
		if err != nil {
			return evidence, err
		}
		evidence.DPoP = fact.Raw
	}
	return evidence, nil
}

// append writes one event with the data of evidence and filler up to the
// length of the server's event.
func (f *floor) append(ctx context.Context, typ string, evidence oauth.Evidence, length size) (string, error) {
	data, err := json.Marshal(evidence)
	if err != nil {
		return "", err
	}
	id := uuid.Must(uuid.NewV7())
	_, err = f.log.Append(ctx, eventstore.Append{
		Stream: eventstore.Stream("token-" + id.String()), Expect: eventstore.Absent(),
		Events: []eventstore.Proposed{{ID: id, Type: typ, Version: 1, Data: filled(data, length.data), Meta: filled(nil, length.meta)}},
	})
	return id.String(), err
}

// size is what the server's events measured, in bytes.
type size struct{ data, meta int }

func filled(b []byte, length int) []byte {
	for len(b) < length {
		b = append(b, '.')
	}
	return b
}

func (f *floor) token(r *http.Request) (int, any, error) {
	evidence, err := f.verify(r)
	if err != nil {
		return 0, nil, err
	}
	length := tokenSize
	if evidence.ClientAssertion == "" {
		length = tokenSizeMutual
	}
	id, err := f.append(r.Context(), "token.issued", evidence, length)
	if err != nil {
		return 0, nil, err
	}
	now := time.Now().Unix()
	claims, err := json.Marshal(map[string]any{
		"iss": "https://localhost/fapi2", "sub": "bench", "aud": "https://localhost/bank", "client_id": "bench", "jti": id,
		"iat": now, "exp": now + 300, "scope": "accounts", "cnf": map[string]string{"jkt": evidence.Key},
	})
	if err != nil {
		return 0, nil, err
	}
	jwt, err := jose.Sign(f.signer, "at+jwt", claims)
	return http.StatusOK, map[string]any{"access_token": jwt, "token_type": "DPoP", "expires_in": 300, "scope": "accounts"}, err
}

func (f *floor) par(r *http.Request) (int, any, error) {
	evidence, err := f.verify(r)
	if err != nil {
		return 0, nil, err
	}
	id, err := f.append(r.Context(), "authorization.pushed", evidence, parSize)
	return http.StatusCreated, map[string]any{"request_uri": "urn:ietf:params:oauth:request_uri:" + id, "expires_in": 90}, err
}

// introspect authenticates the caller, verifies the token's signature and
// reads its stream.
func (f *floor) introspect(r *http.Request) (int, any, error) {
	if _, err := f.verify(r); err != nil {
		return 0, nil, err
	}
	raw, _, err := jose.VerifyOwn(r.PostForm.Get("token"), f.ownKey, "at+jwt")
	if err != nil {
		return 0, nil, err
	}
	var claims struct {
		ID string `json:"jti"`
	}
	if err := json.Unmarshal(raw, &claims); err != nil {
		return 0, nil, err
	}
	for _, err := range f.log.ReadStream(r.Context(), eventstore.Stream("token-"+claims.ID), 0) {
		if err != nil {
			return 0, nil, err
		}
	}
	return http.StatusOK, json.RawMessage(raw), nil
}

// poll authenticates the caller and says that there is nothing yet.
func (f *floor) poll(r *http.Request) (int, any, error) {
	_, err := f.verify(r)
	return http.StatusBadRequest, map[string]any{"error": "authorization_pending", "error_description": "the customer has not answered yet"}, err
}

const anyPort = "127.0.0.1:0"

// serveTLS serves public and mutual on loopback with one RSA 2048 certificate.
func serveTLS(public, mutual http.Handler, stop func()) (ready, func(), error) {
	authority, err := mtls.NewAuthority(time.Now())
	if err != nil {
		return ready{}, nil, err
	}
	certificate, err := authority.IssueServer(time.Now())
	if err != nil {
		return ready{}, nil, err
	}
	given := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil }
	var servers sync.WaitGroup
	listen := func(address string, h http.Handler, config *tls.Config) (net.Listener, error) {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return nil, err
		}
		server := &http.Server{Handler: h}
		servers.Go(func() { server.Serve(tls.NewListener(l, config)) })
		return l, nil
	}
	p, err := listen(cmp.Or(os.Getenv(addressVariable), anyPort), public, mtls.ServerConfig(given))
	if err != nil {
		return ready{}, nil, err
	}
	m, err := listen(anyPort, mutual, mtls.MutualConfig(given))
	if err != nil {
		return ready{}, nil, err
	}
	return ready{p.Addr().String(), m.Addr().String()}, func() { p.Close(); m.Close(); servers.Wait(); stop() }, nil
}

func (f *floor) ownKey(kid string) (crypto.PublicKey, string, bool) {
	return f.signer.Key.Public(), f.signer.Algorithm, kid == f.signer.KeyID
}
