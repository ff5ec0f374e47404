package passkeys

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/chirograph/chirograph/api"
)

// RequestOptions implements [api.Passkeys].
func (c Ceremonies) RequestOptions(ctx context.Context, ceremony api.Ceremony) ([]byte, error) {
	bank, err := relyingParty(ceremony)
	if err != nil {
		return nil, err
	}
	u, counting, err := c.user(ctx, ceremony)
	if err != nil {
		return nil, err
	}
	if len(counting) == 0 {
		return nil, api.ErrNoPasskey
	}
	options, _, err := bank.BeginLogin(u, webauthn.WithChallenge(ceremony.Challenge))
	if err != nil {
		return nil, err
	}
	return json.Marshal(options.Response)
}

// Assert implements [api.Passkeys]: Web Authentication, Section 7.2.
func (c Ceremonies) Assert(ctx context.Context, ceremony api.Ceremony, response []byte, now time.Time) (api.Passkey, error) {
	bank, err := relyingParty(ceremony)
	if err != nil {
		return api.Passkey{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return api.Passkey{}, refused(err)
	}
	u, counting, err := c.user(ctx, ceremony)
	if err != nil {
		return api.Passkey{}, err
	}
	signed, err := bank.ValidateLogin(u, webauthn.SessionData{
		Challenge: encoded(ceremony.Challenge), RelyingPartyID: ceremony.RelyingParty, Origin: ceremony.Origin,
		UserID: ceremony.Handle, UserVerification: protocol.VerificationRequired,
	}, parsed)
	if err != nil {
		return api.Passkey{}, refused(err)
	}
	if signed.Authenticator.CloneWarning {
		return api.Passkey{}, api.ErrPasskeyCopied
	}
	id := shortID(signed.ID)
	if err := c.Store.UsePasskey(ctx, ceremony.Subject, id, signed.Authenticator.SignCount, now); err != nil {
		return api.Passkey{}, err
	}
	for _, p := range counting {
		if p.ID == id {
			return p.shown(), nil
		}
	}
	return api.Passkey{}, api.ErrPasskey
}

func encoded(challenge []byte) string { return base64.RawURLEncoding.EncodeToString(challenge) }
