package login

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// ErrBadName means that a text cannot be a login name.
var ErrBadName = errors.New("login: a name has 1 to 254 printable characters")

// maxName is that of an e-mail address (RFC 5321, Section 4.5.3.1).
const maxName = 254

// foldName returns the form in which names are compared: they are equal if
// they differ only in case, width or composition (Unicode 15, D146).
func foldName(name string) (string, error) {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > maxName*utf8.UTFMax || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName {
		return "", ErrBadName
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return "", ErrBadName
		}
	}
	fold := cases.Fold()
	folded := norm.NFKD.String(fold.String(norm.NFKD.String(fold.String(norm.NFD.String(name)))))
	if folded = strings.TrimSpace(norm.NFKC.String(folded)); folded == "" {
		return "", ErrBadName
	}
	return folded, nil
}

// keyed returns what a name or an address is stored as. Without the
// installation's key nobody can tell which one it was.
func (s *Store) keyed(parts ...string) []byte {
	mac := hmac.New(sha256.New, s.index[:])
	for _, p := range parts {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(p))))
		mac.Write([]byte(p))
	}
	return mac.Sum(nil)
}

// network returns the part of an address that one household has: an IPv4
// address, or an IPv6 network of 64 bits.
func network(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}
