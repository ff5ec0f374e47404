// Package catalogue joins the event declarations of every aggregate, and the
// profiles of every family.
package catalogue

import (
	"maps"

	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/installation"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/openid"
	"github.com/chirograph/chirograph/domain/signingkey"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/domain/token"
)

// Events knows every event type there is.
var Events = event.NewRegistry(
	installation.Events, issuer.Events, client.Events, authorization.Events, consent.Events,
	token.Events, signingkey.Events, subject.Events, access.Events,
	backchannel.Events, delivery.Events,
)

// Profiles are the profiles an issuer may have, by name.
var Profiles = joined(fapi.Profiles, openid.Profiles)

func joined(families ...map[string]oauth.Profile) map[string]oauth.Profile {
	all := map[string]oauth.Profile{}
	for _, f := range families {
		maps.Copy(all, f)
	}
	return all
}
