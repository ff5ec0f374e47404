package api

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"
)

// ACRPasskey is an approval signed by a passkey that verified its user.
const ACRPasskey = "urn:chirograph:acr:passkey"

// A Passkey is a customer's public-key credential (Web Authentication, Level
// 3).
type Passkey struct {
	ID        string // short, and unique among all customers
	Name      string // that the customer gave it
	Synced    bool   // it may be copied to further devices of the customer
	PublicKey []byte // COSE_Key (RFC 9052, Section 7)
	Created   time.Time
	Used      time.Time // zero if never
}

// A Ceremony is one use of Web Authentication.
type Ceremony struct {
	RelyingParty string // its id: the host of the issuer
	Origin       string
	Bank         string
	Subject      string
	Handle       []byte // by which authenticators know the customer
	Customer     string // a name for the customer's eyes
	Challenge    []byte
	Bound        func(id string) bool // whether the log knows the passkey
}

// Why a passkey is not taken.
var (
	ErrPasskey       = errors.New("the passkey did not sign what it was asked to")
	ErrPasskeyCopied = errors.New("the passkey may have been copied: its counter did not grow")
	ErrPasskeyTaken  = errors.New("the passkey is registered already")
	ErrPasskeys      = errors.New("the customer has as many passkeys as may be")
	ErrNoPasskey     = errors.New("the customer has no passkey")
)

// boundAs is what the log calls a passkey.
func boundAs(id string) string { return "passkey:" + id }

// relyingParty returns the id and the origin that passkeys of a tenant are for.
// There is none where the issuer has an address for a name.
func (t Tenant) relyingParty() (id, origin string, ok bool) {
	u, err := url.Parse(t.URL)
	if err != nil || u.Hostname() == "" || net.ParseIP(u.Hostname()) != nil {
		return "", "", false
	}
	return u.Hostname(), u.Scheme + "://" + u.Host, true
}

// ceremony begins or goes on with a ceremony of somebody who is signed in.
func (s *Server) ceremony(v *visit, who string, state subject.State, challenge []byte) (Ceremony, bool) {
	id, origin, ok := v.Tenant.relyingParty()
	return Ceremony{
		RelyingParty: id, Origin: origin, Bank: v.Tenant.Settings.DisplayName, Subject: who,
		Handle: digestOf("chirograph user handle", v.Tenant.URL, who), Challenge: challenge,
		Bound: func(id string) bool { return state.Bound(boundAs(id)) },
	}, ok
}

// digestOf is SHA-256 over parts, each behind its length in four bytes. What a
// customer signed can be checked with it by anybody who has the parts.
func digestOf(parts ...string) []byte {
	h := sha256.New()
	for _, part := range parts {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		h.Write([]byte(part))
	}
	return h.Sum(nil)
}

// ceremonyLife is how long a page waits for an authenticator.
const ceremonyLife = 10 * time.Minute

const nonceSize = 32

// newNonce returns what makes a challenge unlike every other, and what the page
// carries of it: authenticated for one purpose in one session, so that nothing
// need be kept meanwhile.
func (s *Server) newNonce(v *visit, purpose ...string) (nonce, carried string) {
	raw := make([]byte, nonceSize, nonceSize+8+sha256.Size)
	rand.Read(raw)
	nonce = pageText.EncodeToString(raw)
	raw = binary.BigEndian.AppendUint64(raw, uint64(v.At.UnixNano()))
	return nonce, pageText.EncodeToString(append(raw, s.nonceMAC(v, raw, purpose)...))
}

func (s *Server) nonceMAC(v *visit, raw []byte, purpose []string) []byte {
	return s.pageMAC("passkey", append([]string{v.Tenant.ID, string(raw)}, purpose...)...)
}

// openNonce returns the nonce that newNonce made for the same purpose.
func (s *Server) openNonce(v *visit, carried string, purpose ...string) (string, error) {
	raw, err := pageText.DecodeString(carried)
	const signed = nonceSize + 8
	if err != nil || len(raw) != signed+sha256.Size || !hmac.Equal(raw[signed:], s.nonceMAC(v, raw[:signed], purpose)) {
		return "", oauth.Refuse(oauth.AccessDenied, "", "the page was made for something else")
	}
	made := time.Unix(0, int64(binary.BigEndian.Uint64(raw[nonceSize:signed])))
	if !v.At.Before(made.Add(ceremonyLife)) {
		return "", oauth.Refuse(oauth.AccessDenied, "", "the page is too old: load it again")
	}
	return pageText.EncodeToString(raw[:nonceSize]), nil
}

// factors are how a passkey authenticates (RFC 8176, Section 2): a key that its
// user unlocked, here and with another factor. One that may be synced has left
// the hardware.
func (p Passkey) factors() []string {
	if p.Synced {
		return []string{"swk", "user", "mfa"}
	}
	return []string{"hwk", "user", "mfa"}
}

// acrs are the authentication contexts that a tenant's customers can reach:
// those of sign-in first, and on another screen more.
func (t Tenant) acrs() []string {
	all := supportedACRs
	if _, _, ok := t.relyingParty(); ok && t.backchannel() {
		all = append(slices.Clone(all), ACRPasskey)
	}
	if t.devicePort() {
		all = append(slices.Clone(all), ACRDevice)
	}
	return all
}
