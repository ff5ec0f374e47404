package api

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/chirograph/chirograph/domain/oauth"
)

// Pairwise subject identifiers (OIDC-Core, Section 8.1): each sector knows a
// customer by another name, which only this platform can lead back to the
// customer. A name is the tag of the customer's id for the sector, which none
// other can make, followed by the id encrypted under the tag as its nonce: the
// same each time, and checked when it is led back. The log knows the local id
// only.

// subjectFor returns the sub by which a client knows a customer.
func (s *Server) subjectFor(c oauth.Client, subject string) string {
	if c.SubjectType != "pairwise" {
		return subject
	}
	return pairwise(s.PairwiseKey, c.Sector(), subject)
}

// subjectFrom leads the sub that a client knows back to the customer. It is not
// ok if the sub was never made for the client's sector.
func (s *Server) subjectFrom(c oauth.Client, sub string) (subject string, ok bool) {
	if c.SubjectType != "pairwise" {
		return sub, true
	}
	return unpaired(s.PairwiseKey, c.Sector(), sub)
}

// CheckSector refuses a client that names a sector it is not in.
func (s *Server) CheckSector(ctx context.Context, t Tenant, m oauth.ClientMetadata) error {
	if m.SectorIdentifierURI == "" {
		return nil
	}
	listed, err := s.Sectors.Sector(ctx, t, m.SectorIdentifierURI)
	if errors.Is(err, context.Canceled) {
		return err
	}
	if err != nil {
		return &oauth.Error{Code: oauth.InvalidClientMetadata, By: "OIDC-Registration §5", Description: "sector_identifier_uri cannot be fetched as a JSON array of URIs", Cause: err}
	}
	return m.CheckSector(listed)
}

func pairwise(key [32]byte, sector, subject string) string {
	sub := pairwiseTag(key, sector, subject)
	sub = append(sub, pairwiseCipher(key, sub, []byte(subject))...)
	return base64.RawURLEncoding.EncodeToString(sub)
}

func unpaired(key [32]byte, sector, sub string) (string, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(sub)
	if err != nil || len(raw) <= tagSize || len(sub) > maxSubject || base64.RawURLEncoding.EncodeToString(raw) != sub { // one spelling
		return "", false
	}
	subject := string(pairwiseCipher(key, raw[:tagSize], raw[tagSize:]))
	return subject, hmac.Equal(pairwiseTag(key, sector, subject), raw[:tagSize])
}

const (
	tagSize    = aes.BlockSize
	maxSubject = 1 << 10
)

func pairwiseTag(key [32]byte, sector, subject string) []byte {
	mac := hmac.New(sha256.New, subkey(key, "sector"))
	mac.Write([]byte(sector))
	mac.Write([]byte{0})
	mac.Write([]byte(subject))
	return mac.Sum(nil)[:tagSize]
}

// pairwiseCipher is its own inverse.
func pairwiseCipher(key [32]byte, nonce, text []byte) []byte {
	block, err := aes.NewCipher(subkey(key, "subject"))
	if err != nil {
		panic(err) // a key has 32 bytes
	}
	out := make([]byte, len(text))
	cipher.NewCTR(block, nonce).XORKeyStream(out, text)
	return out
}

func subkey(key [32]byte, purpose string) []byte {
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(purpose))
	return mac.Sum(nil)
}
