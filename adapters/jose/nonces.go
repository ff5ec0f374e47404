package jose

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// Nonces are the server-supplied nonces of DPoP (RFC 9449, Section 8). They
// are not stored: a nonce is a MAC over who issued it and when, so any node
// with the key recognizes it.
type Nonces struct{ Key [32]byte }

const nonceSlot = time.Minute

// Issue returns the nonce that an issuer gives out in a role, authorization
// or resource server, at this time.
func (n Nonces) Issue(issuer, role string, now time.Time) string {
	return n.at(issuer, role, slot(now))
}

// Valid reports whether the issuer gave the nonce out in this role and in the
// current or the previous slot of 60 seconds. The next slot counts too: only a
// node whose clock is ahead of this one's can have given that out.
func (n Nonces) Valid(nonce, issuer, role string, now time.Time) bool {
	valid := false
	for _, s := range []int64{slot(now) - 1, slot(now), slot(now) + 1} {
		valid = hmac.Equal([]byte(nonce), []byte(n.at(issuer, role, s))) || valid
	}
	return valid
}

func slot(t time.Time) int64 { return t.Unix() / int64(nonceSlot/time.Second) }

func (n Nonces) at(issuer, role string, slot int64) string {
	mac := hmac.New(sha256.New, n.Key[:])
	for _, field := range []string{issuer, role} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(field)))
		mac.Write(length[:])
		mac.Write([]byte(field))
	}
	var when [8]byte
	binary.BigEndian.PutUint64(when[:], uint64(slot))
	mac.Write(when[:])
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}
