package mtls

import (
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A value is text, or the DER of what is not.
type value struct {
	text string
	der  []byte
}

// dnParser reads the string form of a distinguished name from the left.
type dnParser struct{ rest string }

func (p *dnParser) skip(separator byte) bool {
	if p.rest == "" || p.rest[0] != separator {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// attribute reads a type and its value up to the next separator.
func (p *dnParser) attribute() (string, error) {
	name, rest, found := strings.Cut(p.rest, "=")
	if !found {
		return "", fmt.Errorf("%w: an attribute has no value", ErrName)
	}
	oid, ok := attributeType(strings.Trim(name, " "))
	if !ok {
		return "", fmt.Errorf("%w: unknown attribute type", ErrName)
	}
	p.rest = strings.TrimLeft(rest, " ")
	if p.skip('#') {
		v, err := p.hexValue()
		return attribute(oid, v), err
	}
	text, err := p.textValue()
	return attribute(oid, value{text: text}), err
}

func (p *dnParser) hexValue() (value, error) {
	end := strings.IndexAny(p.rest, ",+")
	if end < 0 {
		end = len(p.rest)
	}
	der, err := hex.DecodeString(strings.TrimRight(p.rest[:end], " "))
	if err != nil {
		return value{}, fmt.Errorf("%w: a value after # is not hexadecimal", ErrName)
	}
	p.rest = p.rest[end:]
	var raw asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &raw); err != nil || len(rest) > 0 {
		return value{}, fmt.Errorf("%w: a value after # is not DER", ErrName)
	}
	return decodeValue(raw), nil
}

// textValue reads up to an unescaped separator. Space at the end belongs to
// the value only if it is escaped.
func (p *dnParser) textValue() (string, error) {
	var b strings.Builder
	kept := 0 // length of b without trailing unescaped space
	for p.rest != "" && p.rest[0] != ',' && p.rest[0] != '+' {
		c := p.rest[0]
		p.rest = p.rest[1:]
		switch {
		case c == '\\':
			unescaped, ok := p.escaped()
			if !ok {
				return "", fmt.Errorf("%w: a bad escape", ErrName)
			}
			b.WriteByte(unescaped)
			kept = b.Len()
		case strings.IndexByte("\";<>\x00", c) >= 0:
			return "", fmt.Errorf("%w: unescaped character in a value", ErrName)
		default:
			b.WriteByte(c)
			if c != ' ' {
				kept = b.Len()
			}
		}
	}
	text := b.String()[:kept]
	if !utf8.ValidString(text) {
		return "", fmt.Errorf("%w: escapes that are not UTF-8", ErrName)
	}
	return text, nil
}

// escaped reads what follows a backslash: a special character or two
// hexadecimal digits.
func (p *dnParser) escaped() (byte, bool) {
	if p.rest == "" {
		return 0, false
	}
	if c := p.rest[0]; strings.IndexByte(` #="+,;<>\`, c) >= 0 {
		p.rest = p.rest[1:]
		return c, true
	}
	if len(p.rest) < 2 {
		return 0, false
	}
	pair, err := hex.DecodeString(p.rest[:2])
	if err != nil {
		return 0, false
	}
	p.rest = p.rest[2:]
	return pair[0], true
}

// decodeValue returns the text of an attribute's value, if it is text in an
// encoding without ambiguity.
func decodeValue(raw asn1.RawValue) value {
	if raw.Class == asn1.ClassUniversal && !raw.IsCompound {
		switch raw.Tag {
		case asn1.TagUTF8String:
			if utf8.Valid(raw.Bytes) {
				return value{text: string(raw.Bytes)}
			}
		case asn1.TagPrintableString, asn1.TagIA5String, asn1.TagNumericString, asn1.TagT61String:
			if ascii(raw.Bytes) {
				return value{text: string(raw.Bytes)}
			}
		case asn1.TagBMPString:
			if text, ok := decodeBMP(raw.Bytes); ok {
				return value{text: text}
			}
		}
	}
	return value{der: raw.FullBytes}
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func decodeBMP(b []byte) (string, bool) {
	if len(b)%2 != 0 {
		return "", false
	}
	units := make([]uint16, 0, len(b)/2)
	for i := 0; i < len(b); i += 2 {
		unit := uint16(b[i])<<8 | uint16(b[i+1])
		if utf16.IsSurrogate(rune(unit)) {
			return "", false
		}
		units = append(units, unit)
	}
	return string(utf16.Decode(units)), true
}
