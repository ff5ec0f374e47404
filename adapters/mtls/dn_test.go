package mtls

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func TestNormalizeDN(t *testing.T) {
	tests := []struct {
		name string
		dn   string
		want string // "" if refused
	}{
		{"a plain name stays", "CN=payzip,O=Payzip,C=DE", "CN=payzip,O=Payzip,C=DE"},
		{"types ignore case", "cn=payzip,o=Payzip,c=DE", "CN=payzip,O=Payzip,C=DE"},
		{"values keep theirs", "CN=PayZip", "CN=PayZip"},
		{"the order is kept", "C=DE,O=Payzip,CN=payzip", "C=DE,O=Payzip,CN=payzip"},
		{"types may be numbers", "2.5.4.3=payzip,OID.2.5.4.10=Payzip", "CN=payzip,O=Payzip"},
		{"other names are known", "emailAddress=a@b.example,E=c@d.example,organizationIdentifier=PSDDE-BAFIN-1", "emailAddress=a@b.example,emailAddress=c@d.example,organizationIdentifier=PSDDE-BAFIN-1"},
		{"a number may have arcs of zero", "0.9.2342.19200300.100.1.1=7", "UID=7"},
		{"or two arcs only", "2.5=x", "2.5=x"},
		{"unknown numbers stay", "1.2.3.4=x", "1.2.3.4=x"},
		{"space round separators goes", " CN = payzip , O = Payzip Ltd ", "CN=payzip,O=Payzip Ltd"},
		{"parts of a name have no order", "UID=7 + CN=payzip", "CN=payzip+UID=7"},
		{"nor the other way round", "CN=payzip+UID=7", "CN=payzip+UID=7"},
		{"escapes of a kind are one", `O=Payzip\2c Inc.`, `O=Payzip\, Inc.`},
		{"needless escapes go", `CN=a\=b\#c\41`, `CN=a=b#cA`},
		{"special characters are escaped", `CN=\"\+\;\<\>\\`, `CN=\"\+\;\<\>\\`},
		{"escaped space at the ends stays", `CN=\ a\ `, `CN=\ a\ `},
		{"a leading hash is escaped", `CN=\#a`, `CN=\#a`},
		{"UTF-8 may be escaped by byte", `CN=\c3\bc`, "CN=ü"},
		{"control characters are escaped", `CN=a\00\0a`, `CN=a\00\0a`},
		{"encoded text is text", "CN=#0c066162632c6465", `CN=abc\,de`},
		{"in any text encoding", "CN=#1303616263+O=#1e0400610062", "CN=abc+O=ab"},
		{"other encoded values stay encoded", "CN=#020107", "CN=#020107"},
		{"also those of another class", "CN=#8c0161", "CN=#8c0161"},
		{"and half a character", "CN=#1e0161+O=#1e02d83d", "CN=#1e0161+O=#1e02d83d"},
		{"in lower case", "CN=#04020FFF", "CN=#04020fff"},
		{"an empty value is a value", "CN=,O=x", "CN=,O=x"},

		{"nothing names nobody", "", ""},
		{"a type without value is refused", "CN", ""},
		{"a trailing comma is refused", "CN=a,", ""},
		{"a trailing plus is refused", "CN=a+", ""},
		{"an unknown type is refused", "XYZ=a", ""},
		{"a number with leading zeros is refused", "02.5.4.3=a", ""},
		{"an unescaped semicolon is refused", "CN=a;O=b", ""},
		{"quotes are refused", `O="Payzip, Inc."`, ""},
		{"even round all of it", `O="a"`, ""},
		{"half an escape is refused", `CN=\a`, ""},
		{"a dangling backslash is refused", `CN=a\`, ""},
		{"a bad escape is refused", `CN=\zz`, ""},
		{"escapes that are not UTF-8 are refused", `CN=\ff`, ""},
		{"half a byte is refused", "CN=#0c0", ""},
		{"what is not DER is refused", "CN=#0cff", ""},
		{"more than 4 KiB are refused", "CN=" + strings.Repeat("a", 4<<10), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := NormalizeDN(tt.dn)
			if got != tt.want || (err == nil) != (tt.want != "") || err != nil && !errors.Is(err, ErrName) {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestSubjectDN(t *testing.T) {
	text := func(oid asn1.ObjectIdentifier, v any) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Type: oid, Value: v}
	}
	cn, o, uid := asn1.ObjectIdentifier{2, 5, 4, 3}, asn1.ObjectIdentifier{2, 5, 4, 10}, asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
	tests := []struct {
		name string
		seq  pkix.RDNSequence
		want string
	}{
		{"the last name comes first", pkix.RDNSequence{{text(o, "Payzip")}, {text(cn, "payzip")}}, "CN=payzip,O=Payzip"},
		{"parts are in one order", pkix.RDNSequence{{text(uid, "7"), text(cn, "payzip")}}, "CN=payzip+UID=7"},
		{"the encoding of text is no difference", pkix.RDNSequence{{text(cn, asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte("payzip")})}}, "CN=payzip"},
		{"a comma in a value is escaped", pkix.RDNSequence{{text(o, "Payzip, Inc.")}}, `O=Payzip\, Inc.`},
		{"an unknown type is a number", pkix.RDNSequence{{text(asn1.ObjectIdentifier{1, 2, 3}, "x")}}, "1.2.3=x"},
		{"Latin-1 in disguise stays encoded", pkix.RDNSequence{{text(cn, asn1.RawValue{Tag: asn1.TagT61String, Bytes: []byte{0xfc}})}}, "CN=#1401fc"},
		{"no name is no name", pkix.RDNSequence{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := SubjectDN(must(asn1.Marshal(tt.seq)))
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
			if again, err := NormalizeDN(got); got != "" && (err != nil || again != got) {
				t.Errorf("%q normalizes to %q, %v", got, again, err)
			}
		})
	}
	if got, err := SubjectDN(must(hex.DecodeString("3003020101"))); !errors.Is(err, ErrName) {
		t.Errorf("a sequence of integers: got %q, %v", got, err)
	}
}

func FuzzNormalizeDN(f *testing.F) {
	f.Add(`CN=a\,b+UID=7, O = Payzip\20 ,2.5.4.97=#0c0141`)
	f.Add(`1.2.3=\#\ x`)
	f.Fuzz(func(t *testing.T, dn string) {
		normal, err := NormalizeDN(dn)
		if err != nil {
			return
		}
		if again, err := NormalizeDN(normal); len(normal) <= maxDN && (err != nil || again != normal) {
			t.Errorf("%q normalizes to %q, then to %q, %v", dn, normal, again, err)
		}
	})
}

func FuzzSubjectDN(f *testing.F) {
	f.Add(must(asn1.Marshal(pkix.Name{CommonName: "payzip", Organization: []string{"Payzip, Inc."}}.ToRDNSequence())))
	f.Fuzz(func(t *testing.T, der []byte) {
		name, err := SubjectDN(der)
		if err != nil || name == "" || len(name) > maxDN {
			return
		}
		if again, err := NormalizeDN(name); err != nil || again != name {
			t.Errorf("%x is %q, which normalizes to %q, %v", der, name, again, err)
		}
	})
}
