package jose

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

const goodClaims = `{"iss":"budgetly","sub":"budgetly","aud":"https://bank.example/fapi2","jti":"a1","iat":1700000000,"nbf":1700000001,"exp":1700000060}`

func TestVerifyAssertionSignature(t *testing.T) {
	keys := keySet(t,
		jwk("ec", "", "", ecKey()),
		jwk("rsa", "PS256", "sig", rsaKey()),
		jwk("ed", "EdDSA", "", edKey()),
		jwk("p384", "", "", p384Key()),
		jwk("enc", "", "enc", otherECKey()),
	)
	good := handmade(ecKey(), crypto.SHA256, header("ES256", "ec"), goodClaims)
	head, rest, _ := strings.Cut(good, ".")

	tests := []struct {
		name    string
		compact string
		err     error
	}{
		{"ES256 is accepted", good, nil},
		{"PS256 is accepted", handmade(rsaKey(), crypto.SHA256, header("PS256", "rsa"), goodClaims), nil},
		{"EdDSA with Ed25519 is accepted", handmade(edKey(), 0, header("EdDSA", "ed"), goodClaims), nil},
		{"so is its fully specified name", handmade(edKey(), 0, header("Ed25519", "ed"), goodClaims), nil},
		{"under which signatures are verified too", handmade(otherEdKey(), 0, header("Ed25519", "ed"), goodClaims), ErrSignature},
		{"a key id may be absent", handmade(ecKey(), crypto.SHA256, `{"alg":"ES256"}`, goodClaims), nil},
		{"the registered typ is accepted", handmade(ecKey(), crypto.SHA256, `{"alg":"ES256","typ":"client-authentication+jwt"}`, goodClaims), nil},
		{"as is the general one", handmade(ecKey(), crypto.SHA256, `{"alg":"ES256","typ":"JWT"}`, goodClaims), nil},

		{"a request object is no assertion", handmade(ecKey(), crypto.SHA256, `{"alg":"ES256","typ":"oauth-authz-req+jwt"}`, goodClaims), ErrType},
		{"typ must be a string", handmade(ecKey(), crypto.SHA256, `{"alg":"ES256","typ":1}`, goodClaims), ErrMalformed},
		{"RS256 is refused", handmade(rsaKey(), crypto.SHA256, header("RS256", "rsa"), goodClaims), ErrAlgorithm},
		{"ES384 is refused", handmade(p384Key(), crypto.SHA384, header("ES384", "p384"), goodClaims), ErrAlgorithm},
		{"none is refused", b64([]byte(`{"alg":"none"}`)) + "." + b64([]byte(goodClaims)) + ".", ErrAlgorithm},
		{"HS256 with the public key as secret is refused", hs256(keys[0].JWK, header("HS256", "ec"), goodClaims), ErrAlgorithm},
		{"an absent algorithm is refused", handmade(ecKey(), crypto.SHA256, `{"kid":"ec"}`, goodClaims), ErrAlgorithm},
		{"ES256 by another curve is refused", handmade(p384Key(), crypto.SHA256, header("ES256", "p384"), goodClaims), ErrUnknownKey},
		{"EdDSA by an EC key is refused", handmade(ecKey(), 0, header("EdDSA", "ec"), goodClaims), ErrUnknownKey},
		{"an encryption key signs nothing", handmade(otherECKey(), crypto.SHA256, header("ES256", "enc"), goodClaims), ErrUnknownKey},
		{"an unknown key id is told apart", handmade(ecKey(), crypto.SHA256, header("ES256", "new"), goodClaims), ErrUnknownKey},
		{"another key's signature is refused", handmade(otherECKey(), crypto.SHA256, header("ES256", "ec"), goodClaims), ErrSignature},
		{"changed claims are refused", head + "." + b64([]byte(strings.Replace(goodClaims, "a1", "a2", 1))) + rest[strings.Index(rest, "."):], ErrSignature},
		{"a header with crit is refused", handmade(ecKey(), crypto.SHA256, `{"alg":"ES256","crit":["b64"],"b64":true}`, goodClaims), ErrMalformed},
		{"a header with two algorithms is refused", handmade(ecKey(), crypto.SHA256, `{"alg":"ES256","alg":"ES256"}`, goodClaims), ErrMalformed},
		{"nothing is refused", "", ErrMalformed},
		{"two parts are refused", head + "." + head, ErrMalformed},
		{"four parts are refused", good + "." + head, ErrMalformed},
		{"a line break in a part is refused", good[:20] + "\n" + good[20:], ErrMalformed},
		{"padding is refused", good + "=", ErrMalformed},
		{"stray trailing bits are refused", good[:len(good)-1] + nextSpelling(good[len(good)-1]), ErrMalformed},
		{"more than 8 KiB are refused", handmade(ecKey(), crypto.SHA256, header("ES256", "ec"), goodClaims+strings.Repeat(" ", 8<<10)), ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := VerifyAssertion(tt.compact, keys); !errors.Is(err, tt.err) {
				t.Errorf("got %v; want %v", err, tt.err)
			}
		})
	}
}

// nextSpelling changes bits of a last character that decode to nothing.
func nextSpelling(last byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, last)+1])
}

func TestVerifyAssertionFacts(t *testing.T) {
	keys := keySet(t, jwk("ec", "", "", ecKey()))
	compact := handmade(ecKey(), crypto.SHA256, header("ES256", "ec"), goodClaims)
	got, err := VerifyAssertion(compact, keys)
	want := oauth.Assertion{
		Raw: compact, Algorithm: "ES256", KeyID: "ec", Thumbprint: keys[0].Thumbprint,
		Issuer: "budgetly", Subject: "budgetly", Audience: []string{"https://bank.example/fapi2"}, AudienceOne: true, ID: "a1",
		IssuedAt: time.Unix(1700000000, 0).UTC(), NotBefore: time.Unix(1700000001, 0).UTC(), Expires: time.Unix(1700000060, 0).UTC(),
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestVerifyAssertionClaims(t *testing.T) {
	tests := []struct {
		name   string
		claims string
		want   oauth.Assertion
		err    error
	}{
		{"absent claims are zero", `{}`, oauth.Assertion{}, nil},
		{"an array of one audience is told apart", `{"aud":["a"]}`, oauth.Assertion{Audience: []string{"a"}}, nil},
		{"an array keeps its order", `{"aud":["b","a"]}`, oauth.Assertion{Audience: []string{"b", "a"}}, nil},
		{"a date may have a fraction", `{"exp":1.5}`, oauth.Assertion{Expires: time.Unix(1, 5e8).UTC()}, nil},
		{"the epoch is a date", `{"iat":0}`, oauth.Assertion{IssuedAt: time.Unix(0, 0).UTC()}, nil},
		{"names are matched exactly", `{"ISS":"mallory","iss":"budgetly","Sub":"x"}`, oauth.Assertion{Issuer: "budgetly"}, nil},
		{"a jti of 256 bytes is accepted", `{"jti":"` + strings.Repeat("j", 256) + `"}`, oauth.Assertion{ID: strings.Repeat("j", 256)}, nil},

		{"but no longer one", `{"jti":"` + strings.Repeat("j", 257) + `"}`, oauth.Assertion{}, ErrMalformed},
		{"a numeric jti is refused", `{"jti":1}`, oauth.Assertion{}, ErrMalformed},
		{"a numeric issuer is refused", `{"iss":1}`, oauth.Assertion{}, ErrMalformed},
		{"a date in quotes is refused", `{"exp":"1700000060"}`, oauth.Assertion{}, ErrMalformed},
		{"a negative date is refused", `{"exp":-1}`, oauth.Assertion{}, ErrMalformed},
		{"a date may be the last of the year 9999", `{"exp":253402300799}`, oauth.Assertion{Expires: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}, nil},
		{"a date after the year 9999 is refused", `{"exp":253402300800}`, oauth.Assertion{}, ErrMalformed},
		{"a date beyond all measure is refused", `{"exp":1e300}`, oauth.Assertion{}, ErrMalformed},
		{"a boolean date is refused", `{"exp":true}`, oauth.Assertion{}, ErrMalformed},
		{"an audience of numbers is refused", `{"aud":[1]}`, oauth.Assertion{}, ErrMalformed},
		{"an audience with null is refused", `{"aud":["a",null]}`, oauth.Assertion{}, ErrMalformed},
		{"an audience object is refused", `{"aud":{"a":1}}`, oauth.Assertion{}, ErrMalformed},
		{"a claim that occurs twice is refused", `{"sub":"budgetly","sub":"mallory"}`, oauth.Assertion{}, ErrMalformed},
		{"so is one hidden by an escape", `{"sub":"budgetly","s\u0075b":"mallory"}`, oauth.Assertion{}, ErrMalformed},
		{"claims that are no object are refused", `["iss"]`, oauth.Assertion{}, ErrMalformed},
		{"null is refused", `null`, oauth.Assertion{}, ErrMalformed},
		{"claims with a tail are refused", `{} {}`, oauth.Assertion{}, ErrMalformed},
		{"claims that are not UTF-8 are refused", "{\"iss\":\"\xff\"}", oauth.Assertion{}, ErrMalformed},
	}
	keys := keySet(t, jwk("", "", "", edKey()))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := VerifyAssertion(handmade(edKey(), 0, `{"alg":"EdDSA"}`, tt.claims), keys)
			got.Raw, got.Algorithm, got.Thumbprint = "", "", ""
			if !errors.Is(err, tt.err) || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v; want %+v, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestVerifyAssertionAmongSimilarKeys(t *testing.T) {
	keys := keySet(t,
		jwk("same", "", "enc", otherECKey()),
		jwk("same", "", "", rsaKey()),
		jwk("same", "ES256", "sig", otherECKey()),
		jwk("same", "ES256", "sig", ecKey()),
	)
	got, err := VerifyAssertion(handmade(ecKey(), crypto.SHA256, header("ES256", "same"), goodClaims), keys)
	if err != nil || got.Thumbprint != keys[3].Thumbprint {
		t.Errorf("got %q, %v; want the fourth key", got.Thumbprint, err)
	}
}

func TestPeekIssuer(t *testing.T) {
	tests := []struct {
		name    string
		compact string
		want    string
		err     error
	}{
		{"the subject is the client", "e30." + b64([]byte(`{"iss":"a","sub":"b"}`)) + ".", "b", nil},
		{"the issuer stands in for it", "e30." + b64([]byte(`{"iss":"a"}`)) + ".", "a", nil},
		{"nobody is an error", "e30.e30.", "", ErrMalformed},
		{"two subjects are an error", "e30." + b64([]byte(`{"sub":"a","sub":"b"}`)) + ".", "", ErrMalformed},
		{"two parts are an error", "e30.e30", "", ErrMalformed},
		{"another spelling of the same is an error", "e30." + b64([]byte(`{"sub":"a"}`)) + "=.", "", ErrMalformed},
		{"too much is an error", "e30." + b64([]byte(`{"sub":"a"}`)) + "." + strings.Repeat("A", 8<<10), "", ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := PeekIssuer(tt.compact)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestNewAssertion(t *testing.T) {
	now := time.Unix(1700000000, 0).UTC()
	for _, key := range []struct {
		alg string
		key crypto.Signer
	}{{PS256, rsaKey()}, {ES256, ecKey()}, {EdDSA, edKey()}, {Ed25519, edKey()}, {PS256, foreign{rsaKey()}}, {ES256, foreign{ecKey()}}, {EdDSA, foreign{edKey()}}} {
		compact, err := NewAssertion(Signer{"k", key.alg, key.key}, "budgetly", "https://bank.example", now, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		got, err := VerifyAssertion(compact, keySet(t, jwk("k", key.alg, "sig", key.key)))
		if err != nil {
			t.Fatal(err)
		}
		if got.Issuer != "budgetly" || got.Subject != "budgetly" || !got.AudienceOne || got.Audience[0] != "https://bank.example" ||
			len(got.ID) < 22 || !got.IssuedAt.Equal(now) || !got.Expires.Equal(now.Add(time.Minute)) {
			t.Errorf("%s: got %+v", key.alg, got)
		}
	}
}

// foreign is a key in a hardware module: nothing but a crypto.Signer.
type foreign struct{ crypto.Signer }

func TestForeignKeysSaltAsLongAsTheHash(t *testing.T) {
	compact, err := Sign(Signer{"k", PS256, foreign{rsaKey()}}, "JWT", []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	end := strings.LastIndexByte(compact, '.')
	digest := sha256.Sum256([]byte(compact[:end]))
	signature := must(base64.RawURLEncoding.DecodeString(compact[end+1:]))
	err = rsa.VerifyPSS(&rsaKey().PublicKey, crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	if err != nil {
		t.Error(err)
	}
}

func TestGenerateKey(t *testing.T) {
	for _, alg := range []string{PS256, ES256, EdDSA, Ed25519} {
		key, err := GenerateKey(alg)
		if err != nil || !signs(key.Public(), alg) {
			t.Errorf("%s: got %T, %v", alg, key, err)
		}
	}
	if _, err := GenerateKey("RS256"); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("RS256: got %v", err)
	}
}

func TestSignRefuses(t *testing.T) {
	for _, s := range []Signer{
		{"k", "RS256", rsaKey()}, {"k", ES256, rsaKey()}, {"k", "none", ecKey()}, {"k", ES256, p384Key()}, {"k", ES256, nil},
	} {
		if got, err := Sign(s, "JWT", []byte(`{}`)); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%s with %T: got %q, %v", s.Algorithm, s.Key, got, err)
		}
	}
}

func FuzzVerifyAssertion(f *testing.F) {
	keys := keySet(f, jwk("ec", "", "", ecKey()), jwk("ed", "", "", edKey()))
	f.Add(handmade(ecKey(), crypto.SHA256, header("ES256", "ec"), goodClaims))
	f.Add(handmade(edKey(), 0, header("Ed25519", "ed"), `{"aud":["a"],"exp":1e3}`))
	f.Add("e30.e30.")
	f.Fuzz(func(t *testing.T, compact string) {
		PeekIssuer(compact)
		got, err := VerifyAssertion(compact, keys)
		if err == nil && (got.Raw != compact || got.Thumbprint == "" || len(got.ID) > maxJTI) {
			t.Errorf("accepted %q as %+v", compact, got)
		}
	})
}

func FuzzParseClaims(f *testing.F) {
	f.Add([]byte(goodClaims))
	f.Add([]byte(`{"aud":["a","b"],"iat":1.25,"jti":"x"}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := parseClaims(payload)
		if err == nil && (len(c.ID) > maxJTI || c.Audience.one && len(c.Audience.values) != 1 || c.Expires.Year() > 9999) {
			t.Errorf("accepted %q as %+v", payload, c)
		}
	})
}
