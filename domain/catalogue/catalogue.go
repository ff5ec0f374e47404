// Package catalogue joins the event declarations of every aggregate.
package catalogue

import (
	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/installation"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/signingkey"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/domain/token"
)

// Events knows every event type there is.
var Events = event.NewRegistry(
	installation.Events, issuer.Events, client.Events, authorization.Events, consent.Events,
	token.Events, signingkey.Events, subject.Events, access.Events,
)
