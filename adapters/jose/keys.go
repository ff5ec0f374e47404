package jose

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	stdjson "encoding/json"
	"fmt"
	"slices"

	gojose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// A Key is a public key of a client.
type Key struct {
	KeyID      string
	Algorithm  string
	Use        string
	Thumbprint string // RFC 7638, SHA-256, base64url
	Public     crypto.PublicKey
	JWK        stdjson.RawMessage // public, for the evidence

	Certificates          [][]byte // x5c, DER, leaf first
	CertificateThumbprint string   // x5t#S256 of the leaf, given or computed

	operations []string // key_ops
}

const (
	maxKeySet = 64 << 10
	maxKeys   = 32
)

// ParseKeys reads a client's JWK set (RFC 7517, Section 5). Keys of unknown
// kinds are left out as Section 5 asks. A set that holds private or symmetric
// material, a weak key, or more than 32 keys is refused whole: its owner must
// hear of it.
func ParseKeys(jwks []byte) ([]Key, error) {
	if len(jwks) > maxKeySet {
		return nil, fmt.Errorf("%w: the set is longer than %d bytes", ErrKey, maxKeySet)
	}
	var set struct {
		Keys []stdjson.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(jwks, &set); err != nil || set.Keys == nil {
		return nil, fmt.Errorf("%w: not a JWK set", ErrKey)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("%w: %d keys, at most %d are read", ErrKey, len(set.Keys), maxKeys)
	}
	keys := make([]Key, 0, len(set.Keys))
	for _, raw := range set.Keys {
		key, known, err := parseKey(raw)
		if err != nil {
			return nil, err
		}
		if known {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// outline is what must be known of a JWK before its key is looked at.
type outline struct {
	Type       string   `json:"kty"`
	Curve      string   `json:"crv"`
	Operations []string `json:"key_ops"`

	// Private or symmetric members: RFC 7518 §6.2.2, §6.3.2, §6.4.1. Their
	// presence is enough, whatever they hold.
	D   present `json:"d"`
	P   present `json:"p"`
	Q   present `json:"q"`
	DP  present `json:"dp"`
	DQ  present `json:"dq"`
	QI  present `json:"qi"`
	Oth present `json:"oth"`
	K   present `json:"k"`
}

type present bool

func (p *present) UnmarshalJSON([]byte) error { *p = true; return nil }

func (o outline) private() bool {
	return bool(o.D || o.P || o.Q || o.DP || o.DQ || o.QI || o.Oth || o.K)
}

func (o outline) known() bool {
	switch o.Type {
	case "RSA":
		return true
	case "EC":
		return o.Curve == "P-256" || o.Curve == "P-384" || o.Curve == "P-521"
	case "OKP":
		return o.Curve == "Ed25519"
	}
	return false
}

func parseKey(raw []byte) (key Key, known bool, err error) {
	var o outline
	if err := json.Unmarshal(raw, &o); err != nil {
		return Key{}, false, fmt.Errorf("%w: not a JWK", ErrKey)
	}
	if o.private() {
		return Key{}, false, fmt.Errorf("%w: the set holds private or symmetric key material", ErrKey)
	}
	if !o.known() {
		return Key{}, false, nil
	}
	var jwk gojose.JSONWebKey
	if err := jwk.UnmarshalJSON(raw); err != nil {
		return Key{}, false, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if err := strong(jwk.Key); err != nil {
		return Key{}, false, err
	}
	key = Key{KeyID: jwk.KeyID, Algorithm: jwk.Algorithm, Use: jwk.Use, Public: jwk.Key, operations: o.Operations}
	if key.Thumbprint, err = Thumbprint(jwk.Key); err != nil {
		return Key{}, false, err
	}
	if key.JWK, err = jwk.MarshalJSON(); err != nil {
		return Key{}, false, fmt.Errorf("%w: %w", ErrKey, err)
	}
	key.certificates(jwk)
	return key, true, nil
}

func (k *Key) certificates(jwk gojose.JSONWebKey) {
	thumbprint := jwk.CertificateThumbprintSHA256
	for i, cert := range jwk.Certificates {
		k.Certificates = append(k.Certificates, cert.Raw)
		if i == 0 {
			sum := sha256.Sum256(cert.Raw)
			thumbprint = sum[:]
		}
	}
	k.CertificateThumbprint = base64.RawURLEncoding.EncodeToString(thumbprint)
}

// fits reports whether a JWT with header h may have been signed with k. Key
// ids may repeat in a set, so they alone decide nothing (FAPI2-SP §5.4.3-1).
func (k Key) fits(h Header) bool {
	return signs(k.Public, h.Algorithm) &&
		(h.KeyID == "" || k.KeyID == "" || k.KeyID == h.KeyID) &&
		(k.Use == "" || k.Use == "sig") &&
		(k.operations == nil || slices.Contains(k.operations, "verify")) &&
		(k.Algorithm == "" || signs(k.Public, k.Algorithm))
}

// verifyAny returns the claims and the key of keys that signed them.
func (s signed) verifyAny(keys []Key) (Key, []byte, error) {
	refusal := ErrUnknownKey
	for _, key := range keys {
		if !key.fits(s.Header) {
			continue
		}
		claims, err := s.verify(key.Public)
		if err == nil {
			return key, claims, nil
		}
		refusal = err
	}
	return Key{}, nil, refusal
}
