package passkeys

import (
	"context"
	"encoding/json"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/chirograph/chirograph/api"
)

// CreationOptions implements [api.Passkeys].
func (c Ceremonies) CreationOptions(ctx context.Context, ceremony api.Ceremony) ([]byte, error) {
	bank, err := relyingParty(ceremony)
	if err != nil {
		return nil, err
	}
	u, _, err := c.user(ctx, ceremony)
	if err != nil {
		return nil, err
	}
	options, _, err := bank.BeginRegistration(u,
		webauthn.WithCredentialParameters(algorithms),
		webauthn.WithExclusions(webauthn.Credentials(u.credentials).CredentialDescriptors()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Challenge = ceremony.Challenge
			return nil
		})
	if err != nil {
		return nil, err
	}
	return json.Marshal(options.Response)
}

// Register implements [api.Passkeys]: Web Authentication, Section 7.1.
func (c Ceremonies) Register(ctx context.Context, ceremony api.Ceremony, response []byte, name string, now time.Time) (api.Passkey, error) {
	bank, err := relyingParty(ceremony)
	if err != nil {
		return api.Passkey{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return api.Passkey{}, refused(err)
	}
	made, err := bank.CreateCredential(user{ceremony: ceremony}, webauthn.SessionData{
		Challenge: encoded(ceremony.Challenge), RelyingPartyID: ceremony.RelyingParty, Origin: ceremony.Origin,
		UserID: ceremony.Handle, UserVerification: protocol.VerificationRequired, CredParams: algorithms,
	}, parsed)
	if err != nil {
		return api.Passkey{}, refused(err)
	}
	made.Attestation = webauthn.CredentialAttestation{}
	p := passkey{Record{ID: shortID(made.ID), Count: made.Authenticator.SignCount, Created: now}, kept{name, *made}}
	if p.Record.Record, err = json.Marshal(p.kept); err != nil {
		return api.Passkey{}, err
	}
	if err := c.tidy(ctx, ceremony, now); err != nil {
		return api.Passkey{}, err
	}
	return p.shown(), c.Store.AddPasskey(ctx, ceremony.Subject, p.Record)
}

// unboundFor is how long a passkey may be kept that the log does not know: its
// registration or removal is under way, or was cut off.
const unboundFor = time.Hour

// tidy drops the passkeys of a customer that never came to count, or no longer
// do.
func (c Ceremonies) tidy(ctx context.Context, ceremony api.Ceremony, now time.Time) error {
	all, err := c.Store.Passkeys(ctx, ceremony.Subject)
	if err != nil {
		return err
	}
	for _, r := range all {
		if ceremony.Bound(r.ID) || now.Sub(r.Created) < unboundFor {
			continue
		}
		if err := c.Store.DropPasskey(ctx, ceremony.Subject, r.ID); err != nil {
			return err
		}
	}
	return nil
}
