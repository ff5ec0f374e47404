// Package api serves the platform over HTTP.
//
// Each endpoint has its own file, read from top to bottom: a handler that
// speaks HTTP, a flow that speaks the protocol, and the types of the wire. A
// request is asked three questions in three places: here whether it is well
// formed, in adapters whether it is genuine, in domain whether it is permitted.
package api

import (
	"log/slog"
	"time"

	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/signingkey"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
)

// Server serves every issuer of one log. Make it with [New].
type Server struct {
	Outside

	Journal        *eventstore.Journal
	Issuers        *eventstore.Collection[issuer.State, issuer.Command, issuer.Event]
	SigningKeys    *eventstore.Collection[signingkey.State, signingkey.Command, signingkey.Event]
	Clients        *eventstore.Cache[client.State, client.Command, client.Event]
	Subjects       *eventstore.Cache[subject.State, subject.Command, subject.Event]
	Authorizations eventstore.Streams[authorization.State, authorization.Command, authorization.Event]
	Consents       eventstore.Streams[consent.State, consent.Command, consent.Event]
	Tokens         eventstore.Streams[token.State, token.Command, token.Event]
	Refreshes      eventstore.Streams[token.Refresh, token.RefreshCommand, token.RefreshEvent]
	Backchannels   eventstore.Streams[backchannel.State, backchannel.Command, backchannel.Event]
	Deliveries     eventstore.Streams[delivery.State, delivery.Command, delivery.Event]

	tenants   tenants
	refusals  refusals
	recent    recent
	changes   *changes
	kept      openPages
	paces     paces
	undecided *eventstore.Cache[undecided, backchannel.Command, backchannel.Event]
}

// Outside is everything the server needs from elsewhere. All fields are
// required.
type Outside struct {
	Profiles     map[string]oauth.Profile
	Proofs       Proofs
	ClientKeys   ClientKeys
	Sectors      Sectors
	Certificates Certificates
	Signer       Signer
	Nonces       Nonces
	Logins       Logins
	Sessions     Sessions
	Directory    Directory
	Journeys     Journeys
	Customers    CustomerConsents
	HintTokens   HintTokens
	UserCodes    UserCodes
	Passkeys     Passkeys
	DeviceKeys   DeviceKeys
	Waiting      Waiting
	Pending      PendingRequests
	Limits       Limits
	Metrics      Metrics
	PairwiseKey  [32]byte // names customers to clients whose subject_type is pairwise
	PageKey      [32]byte // authenticates what pages carry from step to step
	MTLSOrigin   string   // scheme, host and port of the mutual-TLS listener, "" if there is none
	Software     string   // version, for the metadata of events
	Dev          bool     // pages carry a ribbon
	Now          func() time.Time
	Log          *slog.Logger
}

// New returns a server of the issuers in a log.
func New(j *eventstore.Journal, o Outside) *Server {
	s := &Server{
		Outside: o,
		Journal: j,
		Issuers: eventstore.NewCollection(eventstore.Streams[issuer.State, issuer.Command, issuer.Event]{Journal: j, Kind: "issuer"}),
		SigningKeys: eventstore.NewCollection(
			eventstore.Streams[signingkey.State, signingkey.Command, signingkey.Event]{Journal: j, Kind: "signingkey"}),
		Clients:  eventstore.NewCache(eventstore.Streams[client.State, client.Command, client.Event]{Journal: j, Kind: "client"}),
		Subjects: eventstore.NewExactCache(eventstore.Streams[subject.State, subject.Command, subject.Event]{Journal: j, Kind: "subject"}),
	}
	s.changes = newChanges(j)
	s.undecided = newUndecided(j)
	s.Authorizations.Journal, s.Authorizations.Kind = j, "authorization"
	s.Consents.Journal, s.Consents.Kind = j, "consent"
	s.Tokens.Journal, s.Tokens.Kind = j, "token"
	s.Refreshes.Journal, s.Refreshes.Kind = j, "refresh"
	s.Backchannels.Journal, s.Backchannels.Kind = j, "backchannel"
	s.Deliveries.Journal, s.Deliveries.Kind = j, "delivery"
	return s
}
