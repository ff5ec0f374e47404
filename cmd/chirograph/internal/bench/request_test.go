package bench

import (
	"encoding/json"
	"flag"
	"net/http"
	"net/url"
	"testing"
)

// What the server's events measured, data and metadata, in bytes; the floor
// writes as much.
var (
	tokenSize       = size{1148, 262}
	tokenSizeMutual = size{328, 276}
	parSize         = size{1466, 329}
)

var (
	roundsPerBenchmark = flag.Int("rounds", 7, "how often both sides are measured")
	requestsPerRound   = flag.Int("requests", 2000, "how many requests a round has")
)

// BenchmarkClientCredentials asks for a DPoP-bound JWT with a signed
// assertion.
func BenchmarkClientCredentials(b *testing.B) {
	floor, server := startProcess(b, "floor"), startProcess(b, "server")
	report(b, rounds(b, load{http.StatusOK, clientCredentials}, floor, server, httpClient(nil)))
}

func clientCredentials(b *testing.B, p *process, n int) []call {
	issuer := "https://" + p.Public + "/fapi2"
	return calls(n, func() call {
		form := benchClient.authenticated("bench", issuer, url.Values{"grant_type": {"client_credentials"}, "scope": {"accounts"}})
		return call{url: issuer + "/token", form: form, dpop: benchClient.proof("POST", issuer+"/token")}
	})
}

// BenchmarkClientCredentialsMutual is the same with a certificate for both
// authentication and binding.
func BenchmarkClientCredentialsMutual(b *testing.B) {
	certificate := newCertificate(b)
	floor, server := startProcess(b, "floor"), startProcess(b, "server")
	report(b, rounds(b, load{http.StatusOK, mutualCredentials}, floor, server, httpClient(certificate)))
}

func mutualCredentials(b *testing.B, p *process, n int) []call {
	return calls(n, func() call {
		form := url.Values{"client_id": {"bench-mutual"}, "grant_type": {"client_credentials"}, "scope": {"accounts"}}
		return call{url: "https://" + p.Mutual + "/fapi2/token", form: form}
	})
}

// BenchmarkPushedRequest pushes an authorization request with assertion and
// proof.
func BenchmarkPushedRequest(b *testing.B) {
	floor, server := startProcess(b, "floor"), startProcess(b, "server")
	report(b, rounds(b, load{http.StatusCreated, pushedRequests}, floor, server, httpClient(nil)))
}

func pushedRequests(b *testing.B, p *process, n int) []call {
	issuer := "https://" + p.Public + "/fapi2"
	return calls(n, func() call {
		form := benchClient.authenticated("bench", issuer, url.Values{
			"response_type": {"code"}, "redirect_uri": {"https://client.example/cb"}, "scope": {"openid accounts"},
			"state": {"af0ifjsldkj"}, "nonce": {"n-0S6_WzA2Mj"},
			"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
		})
		return call{url: issuer + "/par", form: form, dpop: benchClient.proof("POST", issuer+"/par")}
	})
}

// BenchmarkIntrospection asks about one of a set of JWT access tokens.
func BenchmarkIntrospection(b *testing.B) {
	floor, server := startProcess(b, "floor"), startProcess(b, "server")
	tokens := map[*process][]string{}
	for _, p := range []*process{floor, server} {
		for _, body := range send(b, httpClient(nil), clientCredentials(b, p, 200), http.StatusOK) {
			tokens[p] = append(tokens[p], accessToken(b, body))
		}
	}
	report(b, rounds(b, load{http.StatusOK, func(b *testing.B, p *process, n int) []call {
		issuer, next := "https://"+p.Public+"/fapi2", 0
		return calls(n, func() call {
			next++
			form := benchClient.authenticated("bench-resource", issuer, url.Values{"token": {tokens[p][next%len(tokens[p])]}})
			return call{url: issuer + "/introspect", form: form}
		})
	}}, floor, server, httpClient(nil)))
}

func accessToken(b *testing.B, body string) string {
	b.Helper()
	var answer struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Access == "" {
		b.Fatalf("no access token: %s", body)
	}
	return answer.Access
}

func calls(n int, one func() call) []call {
	all := make([]call, n)
	for i := range all {
		all[i] = one()
	}
	return all
}
