package jose

import (
	"testing"
	"time"
)

func BenchmarkVerifyAssertion(b *testing.B) {
	for _, s := range []Signer{{"k", ES256, ecKey()}, {"k", PS256, rsaKey()}, {"k", EdDSA, edKey()}} {
		b.Run(s.Algorithm, func(b *testing.B) {
			keys := keySet(b, jwk("k", s.Algorithm, "sig", s.Key))
			compact := must(NewAssertion(s, "budgetly", "https://bank.example/fapi2", time.Unix(1700000000, 0), time.Minute))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := VerifyAssertion(compact, keys); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPeekIssuer(b *testing.B) {
	compact := must(NewAssertion(Signer{"k", ES256, ecKey()}, "budgetly", "https://bank.example/fapi2", time.Unix(1700000000, 0), time.Minute))
	for b.Loop() {
		if _, err := PeekIssuer(compact); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyProof(b *testing.B) {
	compact := must(NewProof(Signer{"", ES256, ecKey()}, "POST", "https://bank.example/fapi2/token", "", "", time.Unix(1700000000, 0)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := VerifyProof(compact); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	for _, s := range []Signer{{"k", ES256, ecKey()}, {"k", EdDSA, edKey()}} {
		b.Run(s.Algorithm, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Sign(s, "at+jwt", []byte(goodClaims)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
