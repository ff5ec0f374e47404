package jose

import (
	"crypto"
	stdjson "encoding/json"
)

// VerifyOwn returns the claims and header of a JWT that this installation
// issued: an access token, or an ID token that comes back as id_token_hint.
// keys names the public key and the algorithm of a key id. typ must be exactly
// the one it was signed with, so that no kind of token passes for another
// (RFC 8725, Section 3.11).
func VerifyOwn(compact string, keys func(kid string) (pub crypto.PublicKey, alg string, ok bool), typ string) (stdjson.RawMessage, Header, error) {
	jwt, err := parse(compact, maxOwn)
	if err != nil {
		return nil, Header{}, err
	}
	if jwt.Type != typ {
		return nil, Header{}, ErrType
	}
	pub, alg, ok := keys(jwt.KeyID)
	if !ok {
		return nil, Header{}, ErrUnknownKey
	}
	if alg != jwt.Algorithm { // RFC 8725 §3.1
		return nil, Header{}, ErrAlgorithm
	}
	claims, err := jwt.verify(pub)
	if err != nil {
		return nil, Header{}, err
	}
	return claims, jwt.Header, nil
}
