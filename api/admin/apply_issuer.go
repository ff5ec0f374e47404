package admin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/signingkey"
)

func (s *Server) listIssuers(c *call) (any, error) {
	states, err := s.API.Issuers.All(c.Context())
	if err != nil {
		return nil, err
	}
	all := []Issuer{}
	for id, state := range states {
		i := Issuer{ID: id, URL: state.URL(), Profile: state.Profile(), Status: "active", Settings: settingsOf(state.Settings())}
		if !state.Active() {
			i.Status = "suspended"
		}
		policy := state.KeyPolicy()
		i.Keys = &KeyPolicy{policy.Algorithms, Duration(policy.Rotation)}
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b Issuer) int { return cmp.Compare(a.ID, b.ID) })
	return listing[Issuer]{all}, nil
}

func (a *application) issuer(want Issuer) error {
	profile, known := a.API.Profiles[want.Profile]
	switch {
	case !identifier(want.ID):
		return invalid("id must have 1 to 128 letters, digits and -._~")
	case !known:
		return invalid("profile is unknown; known are " + strings.Join(profileNames(a.API.Profiles), ", "))
	}
	if err := want.Settings.domain().Check(profile); err != nil {
		return invalid("settings: " + err.Error())
	}
	if want.Keys != nil {
		if err := want.policy().Check(profile); err != nil {
			return invalid("keys: " + err.Error())
		}
	}
	a.meta.Issuer = want.ID
	if err := a.declare(want); err != nil {
		return err
	}
	for _, key := range want.SigningKeys {
		if err := a.keep(want.ID, key); err != nil {
			return err
		}
	}
	return a.EnsureKeys(a.ctx, a.meta, want.ID)
}

func (want Issuer) policy() issuer.KeyPolicyChanged {
	return issuer.KeyPolicyChanged{Algorithms: want.Keys.Algorithms, Rotation: time.Duration(want.Keys.Rotation)}
}

func profileNames(all map[string]oauth.Profile) []string {
	var names []string
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// declare creates the issuer, or changes what differs. Its URL never changes:
// every token and every client's configuration names it.
func (a *application) declare(want Issuer) error {
	state, _, err := a.API.Issuers.Load(a.ctx, want.ID)
	if err != nil {
		return err
	}
	if state.Exists() && state.URL() != want.URL {
		return conflict(fmt.Sprintf("url is %s and cannot change", state.URL()))
	}
	if state.Exists() && state.Settings().Purpose != want.Settings.Purpose {
		return issuer.ErrPurpose
	}
	if err := a.urlFree(a.ctx, want); err != nil {
		return err
	}
	commands := []struct {
		cmd  issuer.Command
		what string
		when bool
	}{
		{issuer.Create{Created: issuer.Created{URL: want.URL, Profile: want.Profile, Settings: want.Settings.domain()}}, "created", !state.Exists()},
		{issuer.ChangeProfile{ProfileChanged: issuer.ProfileChanged{Profile: want.Profile}}, "profile changed", true},
		{issuer.ChangeSettings{SettingsChanged: issuer.SettingsChanged{Settings: want.Settings.domain()}}, "settings changed", true},
	}
	if want.Keys != nil {
		commands = append(commands, struct {
			cmd  issuer.Command
			what string
			when bool
		}{issuer.ChangeKeyPolicy{KeyPolicyChanged: want.policy()}, "key policy changed", true})
	}
	for _, c := range commands {
		if !c.when {
			continue
		}
		if err := execute(a, a.API.Issuers.Streams, a.meta, want.ID, c.cmd, "issuer", c.what); err != nil {
			return err
		}
	}
	return a.standing(want, state)
}

func (a *application) standing(want Issuer, before issuer.State) error {
	switch {
	case want.Suspended == nil:
		return nil
	case *want.Suspended != "":
		cmd := issuer.Suspend{Suspended: issuer.Suspended{Reason: *want.Suspended}}
		return execute(a, a.API.Issuers.Streams, a.meta, want.ID, issuer.Command(cmd), "issuer", "suspended")
	case before.Exists() && !before.Active():
		cmd := issuer.Reinstate{Reinstated: issuer.Reinstated{Reason: "declared so"}}
		return execute(a, a.API.Issuers.Streams, a.meta, want.ID, issuer.Command(cmd), "issuer", "reinstated")
	}
	return nil
}

// urlFree refuses a second issuer at one URL.
func (s *Server) urlFree(ctx context.Context, want Issuer) error {
	states, err := s.API.Issuers.All(ctx)
	if err != nil {
		return err
	}
	for id, state := range states {
		if id != want.ID && strings.TrimSuffix(state.URL(), "/") == strings.TrimSuffix(want.URL, "/") {
			return conflict("url is that of the issuer " + id)
		}
	}
	return nil
}

// keep brings a private key along and lets it sign.
func (a *application) keep(issuer string, key SigningKey) error {
	if !identifier(key.ID) || key.Private == "" {
		return invalid("signing_keys need a kid and a private_key")
	}
	made, err := a.Keys.Keep(a.ctx, issuer, key.ID, []byte(key.Private))
	if err != nil {
		return invalid("signing key " + key.ID + ": " + err.Error())
	}
	state, _, err := a.API.SigningKeys.Load(a.ctx, key.ID)
	if err == nil && state.Status() == signingkey.Nothing {
		announce := signingkey.Announce{Announced: signingkey.Announced{Issuer: issuer, Algorithm: made.Algorithm, Use: "sig", JWK: made.JWK}}
		state, err = a.API.SigningKeys.Execute(a.ctx, a.meta, key.ID, announce)
	}
	if err != nil || state.Status() != signingkey.Waiting {
		return err
	}
	return execute(a, a.API.SigningKeys.Streams, a.meta, key.ID, signingkey.Command(signingkey.Activate{}), "key", "activated")
}
