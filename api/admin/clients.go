package admin

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"

	"github.com/google/uuid"
)

// A Client is a registration as its operator sees it.
type Client struct {
	ID        string               `json:"client_id"`
	Issuer    string               `json:"issuer"`
	Status    string               `json:"status"`
	Metadata  oauth.ClientMetadata `json:"metadata"`
	Suspended *string              `json:"suspended,omitempty"` // in a document: why, or "" to reinstate
}

func described(id string, s client.State) Client {
	c := Client{ID: id, Issuer: s.Issuer(), Status: "active", Metadata: s.Metadata()}
	switch {
	case s.Suspended():
		c.Status = "suspended"
	case !s.Exists():
		c.Status = "deleted"
	}
	return c
}

func (s *Server) listClients(c *call) (any, error) {
	page, err := s.paged(c, "issuer")
	if err != nil {
		return nil, err
	}
	return s.Projections.Clients.List(c.Context(), c.param("issuer"), page)
}

func (s *Server) getClient(c *call) (any, error) {
	id := c.PathValue("client")
	state, revision, err := s.API.Clients.Get(c.Context(), id)
	if err == nil && revision < 0 {
		err = client.ErrUnknown
	}
	return described(id, state), err
}

func (s *Server) createClient(c *call) (any, error) {
	var want Client
	if err := c.read(&want); err != nil {
		return nil, err
	}
	if want.ID == "" {
		want.ID = uuid.Must(uuid.NewV7()).String()
	}
	return s.register(c.Context(), c.meta(), want)
}

// register admits a client that the operator vouches for.
func (s *Server) register(ctx context.Context, m event.Meta, want Client) (Client, error) {
	if !identifier(want.ID) {
		return Client{}, invalid("client_id must have 1 to 128 letters, digits and -._~")
	}
	metadata, err := s.acceptable(ctx, want.Issuer, want.Metadata)
	if err != nil {
		return Client{}, err
	}
	m.Issuer, m.Client = want.Issuer, want.ID
	state, err := s.API.Clients.Execute(ctx, m, want.ID, client.Register{Registered: client.Registered{
		Issuer: want.Issuer, Metadata: metadata, Statement: metadata.SoftwareStatement, Via: "operator",
	}})
	return described(want.ID, state), err
}

// acceptable returns the metadata with which a client may be registered, or
// the clause of the issuer's profile that it contradicts.
func (s *Server) acceptable(ctx context.Context, issuer string, m oauth.ClientMetadata) (oauth.ClientMetadata, error) {
	t, found, err := s.API.Tenant(ctx, issuer)
	if err != nil {
		return m, err
	}
	if !found {
		return m, notFound("there is no issuer " + issuer)
	}
	m, err = s.API.ClientKeys.Check(m.Defaults(t.Profile))
	if _, refused := errors.AsType[*oauth.Error](err); err != nil && !refused {
		err = &oauth.Error{Code: oauth.InvalidClientMetadata, By: "RFC 7591 §2", Description: "jwks or the registered subject could never verify", Cause: err}
	}
	if err != nil {
		return m, err
	}
	if err := t.Profile.CheckClient(m, t.Server()); err != nil {
		return m, err
	}
	if err := s.API.CheckSector(ctx, t, m); err != nil {
		return m, err
	}
	if err := s.API.CheckSigning(ctx, issuer, m); err != nil {
		return m, err
	}
	return stored(m)
}

// stored is m as it comes back from the log, so that it can be compared.
func stored(m oauth.ClientMetadata) (out oauth.ClientMetadata, err error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(raw, &out)
}

// identifier reports whether an operator may choose s as an id: it will be
// part of a stream's name, of file names and of URLs.
func identifier(s string) bool {
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-._~", c))
	})
}

func (s *Server) updateClient(c *call) (any, error) {
	var want Client
	if err := c.read(&want); err != nil {
		return nil, err
	}
	id := c.PathValue("client")
	state, _, err := s.API.Clients.Get(c.Context(), id)
	if err != nil {
		return nil, err
	}
	if !state.Exists() {
		return nil, client.ErrUnknown
	}
	metadata, err := s.acceptable(c.Context(), state.Issuer(), want.Metadata)
	if err != nil {
		return nil, err
	}
	return s.change(c, client.Update{Updated: client.Updated{Metadata: metadata, Statement: metadata.SoftwareStatement, Via: "operator"}})
}

// change decides a command about the client in the path.
func (s *Server) change(c *call, cmd client.Command) (any, error) {
	id, m := c.PathValue("client"), c.meta()
	m.Client = id
	state, err := s.API.Clients.Execute(c.Context(), m, id, cmd)
	return described(id, state), err
}

func (s *Server) deleteClient(c *call) (any, error) {
	return s.change(c, client.Delete{Deleted: client.Deleted{By: "operator"}})
}

func (s *Server) suspendClient(c *call) (any, error) {
	why, err := c.reason()
	if err != nil {
		return nil, err
	}
	return s.change(c, client.Suspend{Suspended: client.Suspended{Reason: why}})
}

func (s *Server) reinstateClient(c *call) (any, error) {
	why, err := c.reason()
	if err != nil {
		return nil, err
	}
	return s.change(c, client.Reinstate{Reinstated: client.Reinstated{Reason: why}})
}

// reason reads a body that says why, and nothing else.
func (c *call) reason() (string, error) {
	var body reason
	if err := c.read(&body); err != nil {
		return "", err
	}
	return body.Reason, body.check()
}
