package jose

import (
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4/json"

	"github.com/chirograph/chirograph/domain/oauth"
)

const (
	registrationType = "device-registration+jwt"
	answerType       = "device-answer+jwt"

	maxDeviceKey = 4 << 10
)

// DeviceKeys verifies what customers' own devices sign.
type DeviceKeys struct{}

// Key reads the JWK of a device and returns its public members and its
// thumbprint. Private keys are refused rather than stripped.
func (DeviceKeys) Key(jwk []byte) (public []byte, thumbprint string, err error) {
	key, err := deviceKey(jwk)
	if err != nil {
		return nil, "", err
	}
	public, err = PublicJWK("", "", "", key.Public)
	return public, key.Thumbprint, err
}

// Registration returns the facts of a statement that binds the key which
// signed it.
func (DeviceKeys) Registration(jwk []byte, compact string) (oauth.DeviceStatement, error) {
	return verifyDevice(jwk, compact, registrationType)
}

// Answer returns the facts of an answer that a device's key signed.
func (DeviceKeys) Answer(jwk []byte, compact string) (oauth.DeviceStatement, error) {
	return verifyDevice(jwk, compact, answerType)
}

func deviceKey(jwk []byte) (Key, error) {
	if len(jwk) > maxDeviceKey {
		return Key{}, fmt.Errorf("%w: longer than %d bytes", ErrKey, maxDeviceKey)
	}
	key, known, err := parseKey(jwk)
	if err == nil && (!known || !slices.ContainsFunc([]string{PS256, ES256, EdDSA}, func(alg string) bool { return signs(key.Public, alg) })) {
		err = fmt.Errorf("%w: of a kind that signs with none of the accepted algorithms", ErrKey)
	}
	return key, err
}

func verifyDevice(jwk []byte, compact, typ string) (oauth.DeviceStatement, error) {
	key, err := deviceKey(jwk)
	if err != nil {
		return oauth.DeviceStatement{}, err
	}
	jwt, err := parse(compact, maxJWT)
	if err != nil {
		return oauth.DeviceStatement{}, err
	}
	if jwt.Type != typ { // one is never good for the other: RFC 8725 §3.11
		return oauth.DeviceStatement{}, ErrType
	}
	if !signs(key.Public, jwt.Algorithm) {
		return oauth.DeviceStatement{}, ErrAlgorithm
	}
	payload, err := jwt.verify(key.Public)
	if err != nil {
		return oauth.DeviceStatement{}, err
	}
	c, err := parseClaims(payload)
	if err != nil {
		return oauth.DeviceStatement{}, err
	}
	var said struct {
		Decision string   `json:"decision"`
		Shown    string   `json:"shown"`
		Accounts []string `json:"accounts"`
	}
	if err := json.Unmarshal(payload, &said); err != nil {
		return oauth.DeviceStatement{}, fmt.Errorf("%w: a claim has the wrong type", ErrMalformed)
	}
	return oauth.DeviceStatement{
		Raw: compact, Algorithm: jwt.Algorithm, Issuer: c.Issuer, Subject: c.Subject, Audience: c.Audience.values, ID: c.ID,
		IssuedAt: c.IssuedAt.Time, NotBefore: c.NotBefore.Time, Expires: c.Expires.Time,
		Decision: said.Decision, Shown: said.Shown, Accounts: said.Accounts,
	}, nil
}
