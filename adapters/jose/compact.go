package jose

import (
	"crypto"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	gojose "github.com/go-jose/go-jose/v4"
)

// A Header is what the protected header of a JWT says of its signature.
type Header struct {
	KeyID     string
	Algorithm string
	Type      string
}

// signed is a JWT whose signature has not been verified yet.
type signed struct {
	jws *gojose.JSONWebSignature
	Header
}

// parse reads a compact JWS of at most limit bytes. Duplicate members of the
// header are refused, so that nobody else can read it differently.
func parse(compact string, limit int) (signed, error) {
	if len(compact) > limit {
		return signed{}, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, limit)
	}
	if !canonical(compact) {
		return signed{}, fmt.Errorf("%w: not three parts in base64url", ErrMalformed)
	}
	jws, err := gojose.ParseSignedCompact(compact, accepted)
	if _, unexpected := errors.AsType[*gojose.ErrUnexpectedSignatureAlgorithm](err); unexpected {
		return signed{}, ErrAlgorithm
	}
	if err != nil {
		return signed{}, fmt.Errorf("%w: header", ErrMalformed)
	}
	h := jws.Signatures[0].Protected
	if _, critical := h.ExtraHeaders["crit"]; critical { // RFC 7515 §4.1.11: no extension is understood here
		return signed{}, fmt.Errorf("%w: crit names extensions that are not understood", ErrMalformed)
	}
	if !utf8.Valid(jws.UnsafePayloadWithoutVerification()) { // RFC 8725 §3.7
		return signed{}, fmt.Errorf("%w: claims are not UTF-8", ErrMalformed)
	}
	typ, textual := h.ExtraHeaders[gojose.HeaderType].(string)
	if _, present := h.ExtraHeaders[gojose.HeaderType]; present && !textual {
		return signed{}, fmt.Errorf("%w: typ is not a string", ErrMalformed)
	}
	return signed{jws, Header{h.KeyID, h.Algorithm, typ}}, nil
}

// verify returns the claims if pub signed them. go-jose refuses a key of
// another kind or curve than the algorithm's.
func (s signed) verify(pub crypto.PublicKey) ([]byte, error) {
	claims, err := s.jws.Verify(verifier(pub, s.Algorithm))
	if err != nil {
		return nil, ErrSignature
	}
	return claims, nil
}

// canonical reports whether s is three parts in base64url of which no other
// spelling decodes to the same bytes. Go's decoder is more lenient: it skips
// line breaks and ignores trailing bits, and then what is kept as evidence
// would not be what was signed.
func canonical(s string) bool {
	parts := 0
	for part := range strings.SplitSeq(s, ".") {
		parts++
		if parts > 3 || !canonicalPart(part) {
			return false
		}
	}
	return parts == 3
}

func canonicalPart(s string) bool {
	var last int8
	for i := range len(s) {
		if last = sextet[s[i]]; last < 0 {
			return false
		}
	}
	switch len(s) % 4 {
	case 1:
		return false
	case 2:
		return last&0b1111 == 0
	case 3:
		return last&0b11 == 0
	}
	return true
}

// sextet holds the six bits of each base64url character, and -1 elsewhere.
var sextet = func() (table [256]int8) {
	for i := range table {
		table[i] = -1
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		table[c] = int8(i)
	}
	return table
}()
