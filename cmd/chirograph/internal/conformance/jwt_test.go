package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
)

// What clients sign is made here and not by adapters/jose, so that it can be
// wrong in every way, and so that the server is not tested against itself.

// A key pair with the algorithm it is registered for.
type key struct {
	id     string
	alg    string
	signer crypto.Signer
}

func newKey(id, alg string) key {
	var signer crypto.Signer
	var err error
	switch alg {
	case "PS256":
		signer, err = rsa.GenerateKey(rand.Reader, 2048)
	case "EdDSA":
		_, signer, err = ed25519.GenerateKey(rand.Reader)
	default:
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		panic(err) // no randomness
	}
	return key{id, alg, signer}
}

// jwk returns the public key with its id, and the private part too if asked.
func (k key) jwk(private bool) map[string]any {
	m := publicJWK(k.signer.Public())
	m["kid"], m["use"] = k.id, "sig"
	if ec, ok := k.signer.(*ecdsa.PrivateKey); ok && private {
		raw, _ := ec.Bytes() // of a curve that Go knows
		m["d"] = b64(raw)
	}
	return m
}

func publicJWK(pub crypto.PublicKey) map[string]any {
	switch p := pub.(type) {
	case *rsa.PublicKey:
		return map[string]any{"kty": "RSA", "n": b64(p.N.Bytes()), "e": b64(big.NewInt(int64(p.E)).Bytes())}
	case ed25519.PublicKey:
		return map[string]any{"kty": "OKP", "crv": "Ed25519", "x": b64(p)}
	case *ecdsa.PublicKey:
		point, _ := p.Bytes() // of a curve that Go knows
		half := len(point) / 2
		return map[string]any{"kty": "EC", "crv": p.Params().Name, "x": b64(point[1 : 1+half]), "y": b64(point[1+half:])}
	}
	panic("a key of a kind that no client has")
}

// thumbprint is RFC 7638, Section 3: the members in lexical order, as
// encoding/json writes maps.
func thumbprint(pub crypto.PublicKey) string {
	raw, _ := json.Marshal(publicJWK(pub))
	return digest(string(raw))
}

// jws signs claims as alg says, whatever the key was made for.
func jws(header, claims map[string]any, k key, alg string) (string, error) {
	header["alg"] = alg
	if alg == "missing" {
		delete(header, "alg")
		alg = k.alg
	}
	h, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	c, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	input := b64(h) + "." + b64(c)
	signature, err := k.sign([]byte(input), alg)
	return input + "." + b64(signature), err
}

func (k key) sign(input []byte, alg string) ([]byte, error) {
	sum := sha256.Sum256(input)
	switch alg {
	case "none":
		return nil, nil
	case "HS256": // with what everybody knows: RFC 8725, Section 2.1
		public, _ := json.Marshal(publicJWK(k.signer.Public()))
		mac := hmac.New(sha256.New, public)
		mac.Write(input)
		return mac.Sum(nil), nil
	case "EdDSA", "Ed25519":
		return k.signer.Sign(nil, input, crypto.Hash(0))
	case "PS256":
		return k.signer.Sign(rand.Reader, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	case "RS256":
		return k.signer.Sign(rand.Reader, sum[:], crypto.SHA256)
	case "ES256":
		return k.signES256(sum[:])
	}
	return nil, fmt.Errorf("alg=%s cannot be made", alg)
}

func (k key) signES256(sum []byte) ([]byte, error) {
	private, ok := k.signer.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the key is not one for ES256")
	}
	r, s, err := ecdsa.Sign(rand.Reader, private, sum)
	if err != nil {
		return nil, err
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), nil
}

// broken flips a bit of a JWT's signature.
func broken(jwt string) string {
	at := strings.LastIndexByte(jwt, '.') + 1
	flipped := byte('A')
	if jwt[at] == flipped {
		flipped = 'B'
	}
	return jwt[:at] + string(flipped) + jwt[at+1:]
}

// payload returns a part of a JWT, decoded.
func payload(jwt string, part int) (map[string]any, error) {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("not a JWT")
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[part])
	if err != nil {
		return nil, err
	}
	var m map[string]any
	return m, json.Unmarshal(raw, &m)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return b64(sum[:])
}

// halfHash is at_hash (OIDC-Core, Section 3.1.3.6) and rt_hash (CIBA, Section
// 10.3.1) for algorithms with SHA-256.
func halfHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return b64(sum[:len(sum)/2])
}

func random() string {
	var bits [32]byte
	rand.Read(bits[:])
	return b64(bits[:])
}
