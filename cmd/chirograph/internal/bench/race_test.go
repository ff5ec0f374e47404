package bench

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"

	"github.com/google/uuid"
)

var races = flag.Int("races", 10, "how many codes are raced for")

const redeemers = 16

// TestRaces lets 16 redeemers race for each code over HTTP: exactly one gets a
// token, and because the others are genuine too, that token is revoked.
func TestRaces(t *testing.T) {
	told, p := serveHere(t)
	client := httpClient(nil)
	for n := range *races {
		code, verifier := granted(t, p)
		var won, lost atomic.Int64
		var group sync.WaitGroup
		for range redeemers {
			c := redemption(told, code, verifier)
			group.Go(func() {
				switch status, body := c.post(t, client); {
				case status == http.StatusOK:
					won.Add(1)
				case status == http.StatusBadRequest:
					lost.Add(1)
				default:
					t.Errorf("race %d: status %d: %s", n, status, body)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 || lost.Load() != redeemers-1 {
			t.Fatalf("race %d: %d won and %d were refused", n, won.Load(), lost.Load())
		}
	}
	t.Logf("%d races of %d redeemers: %d single winners", *races, redeemers, *races)
}

func redemption(told ready, code, verifier string) call {
	issuer := "https://" + told.Public + "/fapi2"
	form := benchClient.authenticated("bench", issuer, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://client.example/cb"}, "code_verifier": {verifier},
	})
	return call{url: issuer + "/token", form: form, dpop: benchClient.proof("POST", issuer+"/token")}
}

// granted plays a journey up to its code, without the pages.
func granted(t testing.TB, p *platform.Platform) (code, verifier string) {
	t.Helper()
	var secret [32]byte
	rand.Read(secret[:])
	verifier = base64.RawURLEncoding.EncodeToString(secret[:])
	challenge := sha256.Sum256([]byte(verifier))
	artefact := oauth.Artefact{ID: uuid.Must(uuid.NewV7()).String(), Secret: secret}
	given, now := uuid.NewString(), time.Now()
	body := url.Values{
		"client_id": {"bench"}, "scope": {"openid"}, "redirect_uri": {"https://client.example/cb"}, "response_type": {"code"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}.Encode()
	person := authorization.SubjectAuthenticated{Subject: benchSubjectID, ACR: "test", AuthTime: now, Browser: "b"}
	yes := authorization.Granted{Consent: given, Subject: benchSubjectID, Scope: "openid", Expires: now.Add(time.Hour)}
	steps := []authorization.Command{
		authorization.Push{Pushed: authorization.Pushed{Client: "bench", Digest: "d", Expires: now.Add(time.Minute), Body: body}},
		authorization.Authenticate{SubjectAuthenticated: person},
		authorization.Grant{Granted: yes, Browser: "b", At: now},
		authorization.IssueCode{CodeIssued: authorization.CodeIssued{Digest: artefact.Digest(), Expires: now.Add(time.Minute)}, Browser: "b"},
	}
	ctx, m := context.Background(), event.Meta{Actor: event.ActorOperator, Client: "bench", Subject: benchSubjectID}
	for _, step := range steps {
		if _, err := p.API.Authorizations.Execute(ctx, m, artefact.ID, step); err != nil {
			t.Fatal(err)
		}
	}
	agreed := consent.Authorize{At: now, Authorized: consent.Authorized{
		Client: "bench", Subject: benchSubjectID, Scope: "openid", Expires: now.Add(time.Hour), Authorization: artefact.ID,
	}}
	if _, err := p.API.Consents.Execute(ctx, m, given, agreed); err != nil {
		t.Fatal(err)
	}
	return artefact.Text(), verifier
}

const benchSubjectID = "bench-customer"

// serveHere serves the platform in this process.
func serveHere(t testing.TB) (ready, *platform.Platform) {
	t.Helper()
	told, p, stop, err := openServer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	enroll := subject.Enroll{Enrolled: subject.Enrolled{Issuer: "fapi2"}}
	if _, err := p.API.Subjects.Execute(t.Context(), event.Meta{Actor: event.ActorOperator}, benchSubjectID, enroll); err != nil {
		t.Fatal(err)
	}
	return told, p
}
