// Package passkeys conducts the ceremonies of Web Authentication, Level 3: it
// makes the options that a browser hands to an authenticator and verifies what
// comes back. The caller chooses the challenge and says what it stands for;
// where credentials are kept is a [Store]'s business.
package passkeys

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/chirograph/chirograph/api"
)

// A Record is a passkey as it is kept.
type Record struct {
	ID      string
	Record  []byte
	Count   uint32
	Created time.Time
	Used    time.Time
}

// A Store keeps passkeys, sealed and durable. It refuses with
// [api.ErrPasskeyTaken], [api.ErrPasskeys] and [api.ErrPasskeyCopied].
type Store interface {
	Passkeys(ctx context.Context, subject string) ([]Record, error)
	AddPasskey(ctx context.Context, subject string, r Record) error
	UsePasskey(ctx context.Context, subject, id string, count uint32, now time.Time) error
	DropPasskey(ctx context.Context, subject, id string) error
}

// Ceremonies implements [api.Passkeys].
type Ceremonies struct{ Store Store }

var _ api.Passkeys = Ceremonies{}

// kept is what a record holds. Of an attestation nothing is kept: none is asked
// for, and it could tell customers apart.
type kept struct {
	Name       string              `json:"name"`
	Credential webauthn.Credential `json:"credential"`
}

// Passkeys implements [api.Passkeys].
func (c Ceremonies) Passkeys(ctx context.Context, subject string) ([]api.Passkey, error) {
	known, err := c.read(ctx, subject)
	all := make([]api.Passkey, len(known))
	for i, k := range known {
		all[i] = k.shown()
	}
	return all, err
}

// Remove implements [api.Passkeys].
func (c Ceremonies) Remove(ctx context.Context, subject, id string) error {
	return c.Store.DropPasskey(ctx, subject, id)
}

// A passkey is a record that was read.
type passkey struct {
	Record
	kept
}

func (c Ceremonies) read(ctx context.Context, subject string) ([]passkey, error) {
	records, err := c.Store.Passkeys(ctx, subject)
	if err != nil {
		return nil, err
	}
	all := make([]passkey, len(records))
	for i, r := range records {
		all[i].Record = r
		if err := json.Unmarshal(r.Record, &all[i].kept); err != nil {
			return nil, fmt.Errorf("passkeys: the record of %s: %w", r.ID, err)
		}
		all[i].Credential.Authenticator.SignCount = r.Count
	}
	return all, nil
}

func (p passkey) shown() api.Passkey {
	return api.Passkey{
		ID: p.ID, Name: p.Name, Synced: p.Credential.Flags.BackupEligible,
		PublicKey: p.Credential.PublicKey, Created: p.Created, Used: p.Used,
	}
}

// shortID names a credential in the log and in pages: half of a hash of its id.
func shortID(credential []byte) string {
	sum := sha256.Sum256(credential)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// algorithms are those that the platform takes from anybody (RFC 9053).
var algorithms = []protocol.CredentialParameter{
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgES256},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgEdDSA},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgRS256}, // of older platforms
}

// relyingParty is the bank towards authenticators. Users are always verified.
func relyingParty(c api.Ceremony) (*webauthn.WebAuthn, error) {
	return webauthn.New(&webauthn.Config{
		RPID: c.RelyingParty, RPDisplayName: c.Bank, RPOrigins: []string{c.Origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationRequired,
		},
	})
}

// A user is a customer towards authenticators.
type user struct {
	ceremony    api.Ceremony
	credentials []webauthn.Credential
}

func (u user) WebAuthnID() []byte                         { return u.ceremony.Handle }
func (u user) WebAuthnName() string                       { return u.ceremony.Customer }
func (u user) WebAuthnDisplayName() string                { return u.ceremony.Customer }
func (u user) WebAuthnCredentials() []webauthn.Credential { return u.credentials }

// user returns the customer with the passkeys that count.
func (c Ceremonies) user(ctx context.Context, ceremony api.Ceremony) (user, []passkey, error) {
	all, err := c.read(ctx, ceremony.Subject)
	u := user{ceremony: ceremony}
	var counting []passkey
	for _, p := range all {
		if ceremony.Bound(p.ID) {
			u.credentials, counting = append(u.credentials, p.Credential), append(counting, p)
		}
	}
	return u, counting, err
}

// refused is [api.ErrPasskey] with what the library says, which is for the log:
// it may quote what was sent.
func refused(err error) error {
	if detailed, ok := errors.AsType[*protocol.Error](err); ok && detailed.DevInfo != "" {
		return fmt.Errorf("%w: %s (%s)", api.ErrPasskey, detailed.Details, detailed.DevInfo)
	}
	return fmt.Errorf("%w: %w", api.ErrPasskey, err)
}
