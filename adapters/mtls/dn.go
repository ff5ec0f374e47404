package mtls

import (
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrName means that something is not a distinguished name.
var ErrName = errors.New("not a distinguished name (RFC 4514)")

const maxDN = 4 << 10

// NormalizeDN returns the one spelling of a distinguished name (RFC 4514), so
// that names are compared by value (RFC 8705, Section 2.1.2): attribute types
// by name or number in either case, any escapes, space round separators, and
// the parts of a multi-valued name in any order come out the same. The order
// of the names is kept, and values keep their case: two certificates that
// differ in it are two.
func NormalizeDN(dn string) (string, error) {
	if len(dn) > maxDN || !utf8.ValidString(dn) {
		return "", fmt.Errorf("%w: too long or not UTF-8", ErrName)
	}
	p := dnParser{rest: dn}
	var names []string
	for {
		var parts []string
		for {
			part, err := p.attribute()
			if err != nil {
				return "", err
			}
			parts = append(parts, part)
			if !p.skip('+') {
				break
			}
		}
		names = append(names, joinParts(parts))
		if !p.skip(',') {
			return strings.Join(names, ","), nil
		}
	}
}

// SubjectDN returns the normalized name of a DER-encoded subject, which lists
// its names in the opposite order (RFC 4514, Section 2.1).
func SubjectDN(der []byte) (string, error) {
	var sequence []relativeSET
	if rest, err := asn1.Unmarshal(der, &sequence); err != nil || len(rest) > 0 {
		return "", fmt.Errorf("%w: not an RDNSequence", ErrName)
	}
	names := make([]string, 0, len(sequence))
	for _, set := range slices.Backward(sequence) {
		parts := make([]string, 0, len(set))
		for _, a := range set {
			parts = append(parts, attribute(a.Type.String(), decodeValue(a.Value)))
		}
		names = append(names, joinParts(parts))
	}
	return strings.Join(names, ","), nil
}

type relativeSET []struct { // the suffix makes encoding/asn1 expect a SET
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// joinParts writes a multi-valued name: a set, so in one fixed order.
func joinParts(parts []string) string {
	slices.Sort(parts)
	return strings.Join(parts, "+")
}

// attribute writes one type and value. A value that is no text is in
// hexadecimal.
func attribute(oid string, v value) string {
	name, ok := shortNames[oid]
	if !ok {
		name = oid
	}
	if v.der != nil {
		return name + "=#" + hex.EncodeToString(v.der)
	}
	return name + "=" + escape(v.text)
}

// escape writes a value as RFC 4514, Section 2.4 demands. Control characters
// are escaped as well, so that a name can be shown.
func escape(s string) string {
	var b strings.Builder
	for i, r := range s {
		leading, trailing := i == 0, i == len(s)-1
		switch {
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\%02x`, r)
		case strings.ContainsRune(`"+,;<>\`, r),
			leading && (r == ' ' || r == '#'),
			trailing && r == ' ':
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
