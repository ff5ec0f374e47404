package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
)

// An Artefact is a code, request_uri, refresh token or opaque access token: the
// id of its stream followed by a secret of 256 bits. Any node finds the truth
// about it with one stream read; the log holds only the digest of the secret.
type Artefact struct {
	ID     string // UUID of the stream
	Secret [32]byte
}

// Text returns the artefact as it is handed out, 64 characters of base64url.
func (a Artefact) Text() string {
	raw := make([]byte, 0, 48)
	raw = append(raw, parseUUID(a.ID)...)
	raw = append(raw, a.Secret[:]...)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// ParseArtefact reads what [Artefact.Text] wrote.
func ParseArtefact(s string) (Artefact, bool) {
	if len(s) != 64 {
		return Artefact{}, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(raw) != 48 { // line breaks are skipped by the decoder
		return Artefact{}, false
	}
	a := Artefact{ID: formatUUID(raw[:16])}
	copy(a.Secret[:], raw[16:])
	return a, true
}

// Digest is what the log keeps of a: base64url of SHA-256 of the secret. The
// secret is random, so nothing can be guessed from it.
func (a Artefact) Digest() string {
	sum := sha256.Sum256(a.Secret[:])
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Matches compares in constant time.
func (a Artefact) Matches(digest string) bool {
	return subtle.ConstantTimeCompare([]byte(a.Digest()), []byte(digest)) == 1
}

// String and GoString keep the secret out of whatever is printed.
func (a Artefact) String() string   { return "artefact " + a.ID }
func (a Artefact) GoString() string { return "oauth.Artefact{" + a.ID + "}" }

func formatUUID(raw []byte) string {
	h := hex.EncodeToString(raw)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func parseUUID(id string) []byte {
	raw := make([]byte, 0, 16)
	if len(id) == 36 {
		raw, _ = hex.DecodeString(id[:8] + id[9:13] + id[14:18] + id[19:23] + id[24:])
	}
	if len(raw) != 16 {
		panic("oauth: artefact id is not a UUID")
	}
	return raw
}

// RequestURIPrefix begins every request_uri this server issues (RFC 9126,
// Section 2.2).
const RequestURIPrefix = "urn:ietf:params:oauth:request_uri:"
