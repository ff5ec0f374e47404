package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/oauth"
)

// What the server needs from the outside. Adapters implement these.
type (
	// Proofs verifies DPoP proofs (RFC 9449). An error says what is malformed
	// or not genuine, in words that may be sent to the client.
	Proofs interface {
		Proof(compact string) (oauth.Proof, error)
		SameURI(a, b string) bool
	}

	// ClientKeys verifies what clients sign, with the keys they registered.
	ClientKeys interface {
		// Assertion verifies a client assertion and tells which key did it.
		Assertion(ctx context.Context, c oauth.Client, i Tenant, compact string) (oauth.Assertion, client.KeySeen, error)
		// Request verifies a signed authentication request (CIBA, Section
		// 7.1.1) and tells which key did it.
		Request(ctx context.Context, c oauth.Client, i Tenant, compact string) (oauth.SignedRequest, client.KeySeen, error)
		// Claimed returns the client an assertion says it comes from, unverified.
		Claimed(compact string) string
		// Certificates returns the x5t#S256 thumbprints in the client's JWK set.
		Certificates(ctx context.Context, c oauth.Client, i Tenant) ([]string, error)
		// Check refuses a JWK set or subject name that could never verify, and
		// returns the metadata with the subject name normalized.
		Check(m oauth.ClientMetadata) (oauth.ClientMetadata, error)
	}

	// Sectors reads what lists the addresses of a sector's clients
	// (OIDC-Registration, Section 5).
	Sectors interface {
		Sector(ctx context.Context, t Tenant, uri string) ([]string, error)
	}

	// Certificates returns the facts about the certificate that came with a
	// request, nil if none did.
	Certificates interface {
		Certificate(r *http.Request) (*oauth.Certificate, error)
	}

	// A Signer signs with the private half of a signing key.
	Signer interface {
		Sign(ctx context.Context, kid, typ string, claims []byte) (string, error)
		// Verify checks a JWT that an issuer's key signed, whatever its typ or
		// age, and returns its header's kid and typ and its claims.
		Verify(ctx context.Context, compact string, key func(kid string) (jwk []byte, found bool)) (Signed, error)
	}

	// Nonces are the server-chosen values of DPoP proofs (RFC 9449, Section 8).
	Nonces interface {
		Issue(issuer, role string, now time.Time) string
		Valid(nonce, issuer, role string, now time.Time) bool
	}

	// Logins checks passwords. It refuses with [ErrWrongPassword], as a
	// [*WrongPassword] where the name is somebody's, or with a [*TryLater].
	Logins interface {
		Check(ctx context.Context, realm, name, password, address string, now time.Time) (subject string, err error)
		// CheckSubject checks the password of somebody who is signed in, with
		// the delays that Check has for the same person.
		CheckSubject(ctx context.Context, realm, subject, password, address string, now time.Time) error
		// Subject returns whose sign-in name it is, or [ErrNobody], after the
		// same time.
		Subject(ctx context.Context, realm, name string) (subject string, err error)
	}

	// HintTokens verifies a login_hint_token (CIBA, Section 7.1) with the keys
	// of the issuers that the tenant lets name its customers. An error that is
	// [ErrHintExpired] says only that.
	HintTokens interface {
		Verify(ctx context.Context, t Tenant, compact string, now time.Time) (HintToken, error)
	}

	// UserCodes checks the user_code of a customer (CIBA, Section 7.1.2). It
	// refuses with [ErrNoUserCode] if none is set, or with [ErrWrongUserCode],
	// which is also the answer while too many wrong ones lock it.
	UserCodes interface {
		CheckUserCode(ctx context.Context, subject, code string, now time.Time) error
		HasUserCode(ctx context.Context, subject string) (bool, error)
	}

	// Passkeys conducts ceremonies of Web Authentication and keeps what comes of
	// them. Those that the log does not know do not count.
	Passkeys interface {
		// Passkeys returns those kept of a customer, the oldest first.
		Passkeys(ctx context.Context, subject string) ([]Passkey, error)
		// CreationOptions returns what the browser makes a passkey of.
		CreationOptions(ctx context.Context, c Ceremony) ([]byte, error)
		// Register keeps the passkey that the browser made, or refuses with
		// [ErrPasskey], [ErrPasskeyTaken] or [ErrPasskeys].
		Register(ctx context.Context, c Ceremony, response []byte, name string, now time.Time) (Passkey, error)
		// RequestOptions returns what the browser signs, or [ErrNoPasskey].
		RequestOptions(ctx context.Context, c Ceremony) ([]byte, error)
		// Assert returns the passkey that signed, or refuses with [ErrPasskey]
		// or [ErrPasskeyCopied].
		Assert(ctx context.Context, c Ceremony, response []byte, now time.Time) (Passkey, error)
		Remove(ctx context.Context, subject, id string) error
	}

	// DeviceKeys verifies what devices of customers sign. An error says what is
	// not genuine, in words that may be sent to the device.
	DeviceKeys interface {
		// Key refuses a JWK that could never verify, and returns its public
		// members and its thumbprint.
		Key(jwk []byte) (public []byte, thumbprint string, err error)
		Registration(jwk []byte, compact string) (oauth.DeviceStatement, error)
		Answer(jwk []byte, compact string) (oauth.DeviceStatement, error)
	}

	// Waiting holds what is still to be sent and must not be in the log:
	// tokens to be pushed and notification tokens. It is sealed and durable
	// when Keep returns, and gone after Forget or at its end.
	Waiting interface {
		Keep(ctx context.Context, id string, secret []byte, until time.Time) error
		// Find returns what is kept, or [ErrGone].
		Find(ctx context.Context, id string, now time.Time) ([]byte, error)
		Forget(ctx context.Context, id string) error
	}

	// PendingRequests are the backchannel requests that wait for a customer.
	// Everything that was acknowledged before a call is in its answer.
	PendingRequests interface {
		Pending(ctx context.Context, subject string, now time.Time) ([]PendingRequest, error)
	}

	// Sessions are signed-in browsers. A session belongs to one issuer.
	Sessions interface {
		Start(ctx context.Context, s Session, now time.Time) (cookie string, err error)
		// Find returns the session of a cookie, or [ErrNoSession].
		Find(ctx context.Context, realm, cookie string, now time.Time) (Session, error)
		// Peek is Find for what a page does by itself: it does not keep a
		// session from ending when its customer has gone.
		Peek(ctx context.Context, realm, cookie string, now time.Time) (Session, error)
		End(ctx context.Context, realm, cookie string) error
	}

	// Directory is what the bank knows about its customers.
	Directory interface {
		Accounts(ctx context.Context, subject string) ([]Account, error)
		Claims(ctx context.Context, subject string) (map[string]any, error)
	}

	// Journeys knows whose journey it was: what was sealed for a stream before
	// its customer was known dies with the customer's key.
	Journeys interface {
		Adopt(ctx context.Context, journey, subject string) error
	}

	// CustomerConsents is what a customer has shared. Everything that was
	// acknowledged before a call is in its answer.
	CustomerConsents interface {
		// Consents returns a customer's consents, the newest first.
		Consents(ctx context.Context, subject string) ([]ConsentRow, error)
		// History returns what happened under a consent, the newest first.
		History(ctx context.Context, consent string) ([]HistoryLine, error)
	}

	// Limits says how soon a key may be served again; 0 means now, and counts
	// until it is returned.
	Limits interface {
		Wait(key string, now time.Time) time.Duration
		Return(key string)
	}

	// Metrics counts what the server does.
	Metrics interface {
		Served(endpoint string, status int, took time.Duration)
		Refused(endpoint, code string)
	}
)

// Signed is a JWT whose signature was verified.
type Signed struct {
	KeyID  string
	Type   string
	Claims []byte
}

// A Session is who is signed in and how that was proved.
type Session struct {
	ID       string // names the session in the log; not its cookie
	Realm    string // issuer id
	Subject  string
	AuthTime time.Time
	ACR      string
	AMR      []string
}

// An Account is a customer's account as pages show it.
type Account struct {
	ID       string
	Name     string
	Number   string // masked
	Currency string
}

// A ConsentRow is a consent in a customer's list.
type ConsentRow struct {
	ID         string
	Client     string
	Status     consent.Status
	Since      time.Time
	Expires    time.Time
	Ended      time.Time // zero if nobody ended it
	LastAccess time.Time // zero if there was none
}

// A HistoryLine is one thing that happened under a consent.
type HistoryLine struct {
	Time     time.Time
	Sentence string
}

// A HintToken is a login_hint_token whose signature was verified.
type HintToken struct {
	Issuer  string
	Subject string // of the tenant, if it names one
	Login   string // or a sign-in name
}

// A PendingRequest is a backchannel request that waits for an answer.
type PendingRequest struct {
	ID      string
	Client  string
	Asked   time.Time
	Expires time.Time
}

// Why a customer is not found or what is kept is not there.
var (
	ErrNobody        = errors.New("no customer goes by that name")
	ErrHintExpired   = errors.New("login_hint_token has expired")
	ErrNoUserCode    = errors.New("the customer has no user code")
	ErrWrongUserCode = errors.New("the user code is wrong")
	ErrGone          = errors.New("what was kept is gone")
)

// Why somebody is not signed in.
var (
	ErrWrongPassword = errors.New("name or password is wrong")
	ErrNoSession     = errors.New("nobody is signed in")
)

// WrongPassword is an [ErrWrongPassword] that tells whose name was tried. It
// is for the log: who is signing in must not learn that the name exists.
type WrongPassword struct{ Subject string }

func (e *WrongPassword) Error() string        { return ErrWrongPassword.Error() }
func (e *WrongPassword) Is(target error) bool { return target == ErrWrongPassword }

// TryLater refuses a login attempt that comes too soon after failed ones.
type TryLater struct{ After time.Duration }

func (e *TryLater) Error() string { return fmt.Sprintf("try again in %s", e.After) }
