package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/signingkey"
	"github.com/chirograph/chirograph/eventstore"
)

// A Key is a signing key as its operator sees it.
type Key struct {
	ID        string            `json:"kid"`
	Issuer    string            `json:"issuer"`
	Algorithm string            `json:"alg"`
	Status    signingkey.Status `json:"status"`
	Announced time.Time         `json:"announced_at"`
	Since     time.Time         `json:"since"` // of the status
	JWK       json.RawMessage   `json:"jwk"`

	place eventstore.Position // of its announcement
}

func (s *Server) listKeys(c *call) (any, error) {
	if err := c.only("issuer"); err != nil {
		return nil, err
	}
	keys, err := s.keys(c.Context(), c.param("issuer"))
	return listing[Key]{keys}, err
}

// A listing is an answer that has one page only.
type listing[T any] struct {
	Items []T `json:"items"`
}

// keys returns the signing keys of an issuer, or of all, in the order in which
// they were announced, which is the same on every node.
func (s *Server) keys(ctx context.Context, issuer string) ([]Key, error) {
	states, err := s.API.SigningKeys.All(ctx)
	if err == nil {
		_, err = s.API.Journal.Log.Head(ctx) // numbers what was announced
	}
	if err != nil {
		return nil, err
	}
	all := []Key{}
	for kid, state := range states {
		if issuer != "" && state.Announced().Issuer != issuer {
			continue
		}
		key, err := s.key(ctx, kid, state)
		if err != nil {
			return nil, err
		}
		all = append(all, key)
	}
	slices.SortFunc(all, func(a, b Key) int { return cmp.Compare(a.place, b.place) })
	return all, nil
}

func (s *Server) key(ctx context.Context, kid string, state signingkey.State) (Key, error) {
	a := state.Announced()
	k := Key{ID: kid, Issuer: a.Issuer, Algorithm: a.Algorithm, Status: state.Status(), JWK: a.JWK}
	for e, err := range s.API.Journal.Log.ReadStream(ctx, s.API.SigningKeys.Stream(kid), 0) {
		if err != nil {
			return k, err
		}
		if e.Revision == 0 {
			k.Announced, k.place = e.Recorded, e.Position
		}
		k.Since = e.Recorded
	}
	return k, nil
}

func (s *Server) announceKey(c *call) (any, error) {
	var want struct {
		Issuer    string `json:"issuer"`
		Algorithm string `json:"alg"`
	}
	if err := c.read(&want); err != nil {
		return nil, err
	}
	t, found, err := s.API.Tenant(c.Context(), want.Issuer)
	if err != nil {
		return nil, err
	}
	switch {
	case !found:
		return nil, notFound("there is no issuer " + want.Issuer)
	case !t.Profile.SigningAlgs.Permits(want.Algorithm):
		return nil, invalid("alg is not one of the issuer's profile [" + string(t.Profile.SigningAlgs.By) + "]")
	}
	return s.announce(c.Context(), c.meta(), want.Issuer, want.Algorithm)
}

// announce makes a key and publishes its public half.
func (s *Server) announce(ctx context.Context, m event.Meta, issuer, alg string) (Key, error) {
	made, err := s.Keys.Make(ctx, issuer, alg)
	if err != nil {
		return Key{}, err
	}
	m.Issuer = issuer
	return s.decideKey(ctx, m, made.ID, signingkey.Announce{Announced: signingkey.Announced{
		Issuer: issuer, Algorithm: made.Algorithm, Use: "sig", JWK: made.JWK,
	}})
}

func (s *Server) decideKey(ctx context.Context, m event.Meta, kid string, cmd signingkey.Command) (Key, error) {
	state, err := s.API.SigningKeys.Execute(ctx, m, kid, cmd)
	if err != nil {
		return Key{}, err
	}
	return s.key(ctx, kid, state)
}

func (s *Server) activateKey(c *call) (any, error) {
	return s.decideKey(c.Context(), c.meta(), c.PathValue("kid"), signingkey.Activate{})
}

// retireKey refuses to end the only key that signs with an algorithm of its
// issuer: nothing could be issued then, and nobody could ask for another key
// with a token of that issuer.
func (s *Server) retireKey(c *call) (any, error) {
	kid := c.PathValue("kid")
	all, err := s.keys(c.Context(), "")
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(k Key) bool { return k.ID == kid })
	if i >= 0 && all[i].Status == signingkey.Active && !slices.ContainsFunc(all, func(k Key) bool {
		return k.ID != kid && k.Issuer == all[i].Issuer && k.Algorithm == all[i].Algorithm && k.Status == signingkey.Active
	}) {
		return nil, conflict("it is the only key that signs " + all[i].Algorithm + " for " + all[i].Issuer + ": rotate, and it retires when another signs")
	}
	key, err := s.retire(c.Context(), c.meta(), kid)
	if err != nil {
		return nil, err
	}
	return key, s.EnsureKeys(c.Context(), c.meta(), key.Issuer) // the other one may have been retired meanwhile
}

// retire ends signing. The key stays published as long as something it signed
// may be in use.
func (s *Server) retire(ctx context.Context, m event.Meta, kid string) (Key, error) {
	all, err := s.API.SigningKeys.All(ctx)
	if err != nil {
		return Key{}, err
	}
	t, _, err := s.API.Tenant(ctx, all[kid].Announced().Issuer)
	if err != nil {
		return Key{}, err
	}
	until := s.API.Now().Add(max(t.Settings.AccessTokenLifetime, t.Settings.IDTokenLifetime) + time.Hour)
	return s.decideKey(ctx, m, kid, signingkey.Retire{Retired: signingkey.Retired{PublishedUntil: until.UTC()}})
}

func (s *Server) compromiseKey(c *call) (any, error) {
	var body struct {
		Since  time.Time `json:"since"`
		Reason string    `json:"reason"`
	}
	if err := c.read(&body); err != nil {
		return nil, err
	}
	if err := (reason{body.Reason}).check(); err != nil {
		return nil, err
	}
	if body.Since.IsZero() {
		body.Since = s.API.Now()
	}
	key, err := s.decideKey(c.Context(), c.meta(), c.PathValue("kid"), signingkey.Compromise{Compromised: signingkey.Compromised{
		Since: body.Since.UTC(), Reason: body.Reason,
	}})
	if err != nil {
		return nil, err
	}
	return key, s.EnsureKeys(c.Context(), c.meta(), key.Issuer) // the issuer must go on signing
}

// destroyKey ends the private half, then says so: in between the key is
// useless already.
func (s *Server) destroyKey(c *call) (any, error) {
	kid := c.PathValue("kid")
	all, err := s.API.SigningKeys.All(c.Context())
	if err != nil {
		return nil, err
	}
	if _, err := all[kid].Decide(signingkey.Destroy{}); err != nil {
		return nil, err
	}
	if err := s.Keys.Destroy(c.Context(), kid); err != nil {
		return nil, err
	}
	return s.decideKey(c.Context(), c.meta(), kid, signingkey.Destroy{})
}

func (s *Server) rotateKeys(c *call) (any, error) {
	var body struct {
		Now bool `json:"now"` // do not wait until caches know the new keys
	}
	if err := c.read(&body); err != nil {
		return nil, err
	}
	id := c.PathValue("issuer")
	if _, found, err := s.API.Tenant(c.Context(), id); err != nil || !found {
		return nil, orMissing(err, "there is no issuer "+id)
	}
	keys, err := s.Rotate(c.Context(), c.meta(), id, body.Now)
	return listing[Key]{keys}, err
}

func orMissing(err error, detail string) error {
	if err != nil {
		return err
	}
	return notFound(detail)
}
