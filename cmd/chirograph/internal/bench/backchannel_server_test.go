package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/chirograph/chirograph/adapters/jose"
	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/openid"
)

// receiverVariable tells a server the origin of the clients' notification
// endpoint, authorityOfReceiverVariable the file with who vouches for it.
const (
	receiverVariable            = "CHIROGRAPH_BENCH_RECEIVER"
	authorityOfReceiverVariable = "CHIROGRAPH_BENCH_RECEIVER_CA"
)

// startBackchannel serves the real platform with an issuer of CIBA, without
// limits on the load.
func startBackchannel(dir string) (ready, func(), error) {
	platform.Tune()
	told, _, stop, err := openFurnished(dir, furnishBackchannel)
	return told, stop, err
}

// furnishBackchannel makes an issuer whose customers are answered for, and a
// client that polls and one that is pinged.
func furnishBackchannel(ctx context.Context, p *platform.Platform, at string) error {
	receiver := cmp.Or(os.Getenv(receiverVariable), "https://client.example")
	client := func(id, mode string) admin.Client {
		m := oauth.ClientMetadata{
			ClientName: id, TokenEndpointAuthMethod: "private_key_jwt", JWKS: benchClient.jwks(), Scope: "openid accounts",
			GrantTypes: []string{oauth.GrantCIBA}, DeliveryMode: mode,
		}
		if mode != oauth.Poll {
			m.NotificationEndpoint = receiver + "/ping"
		}
		return admin.Client{ID: id, Issuer: "ciba", Metadata: m}
	}
	document := admin.Document{
		Issuers: []admin.Issuer{{
			ID: "ciba", URL: at + "/ciba", Profile: openid.CIBA.Name, Keys: &admin.KeyPolicy{Algorithms: []string{jose.ES256}},
			Settings: admin.Settings{Accounts: true, FetchOrigins: []string{receiver}, Purpose: issuer.Conformance},
		}},
		Clients: []admin.Client{client("bench-poll", oauth.Poll), client("bench-ping", oauth.Ping)},
	}
	for i := range customers {
		document.Customers = append(document.Customers, admin.Customer{
			ID: fmt.Sprintf("bench-customer-%d", i), Issuer: "ciba", Name: fmt.Sprintf("Customer %d", i), Test: true,
			Login:    &admin.Login{Name: customer(i), Password: "a good password"},
			Accounts: []admin.Account{{ID: fmt.Sprintf("bench-account-%d", i), Name: "Everyday", Number: "•••• 0001", Currency: "EUR"}},
		})
	}
	_, err := p.Admin.Apply(ctx, p.Meta(event.ActorOperator), document)
	return err
}

const customers = 20

func customer(i int) string { return fmt.Sprintf("customer%d", i%customers) }

// pending asks n customers by backchannel and returns the auth_req_ids.
func pending(b *testing.B, p *process, client string, n int) (ids []string) {
	b.Helper()
	issuer, next := "https://"+p.Public+"/ciba", 0
	asking := calls(n, func() call {
		next++
		return call{url: issuer + "/bc-authorize", form: benchClient.authenticated(client, issuer, url.Values{
			"scope": {"openid accounts"}, "login_hint": {customer(next)}, "requested_expiry": {"600"}, "binding_message": {"W4SCT"},
			"client_notification_token": {newID()},
			"authorization_details": {`[{"type":"account_information","permissions":["ReadAccounts","ReadBalances"],"expires_at":"` +
				time.Now().AddDate(0, 1, 0).UTC().Format(time.RFC3339) + `"}]`},
		})}
	})
	for _, body := range send(b, httpClient(nil), asking, http.StatusOK) {
		var said struct {
			AuthReqID string `json:"auth_req_id"`
		}
		if err := json.Unmarshal([]byte(body), &said); err != nil || said.AuthReqID == "" {
			b.Fatalf("no auth_req_id: %s", body)
		}
		ids = append(ids, said.AuthReqID)
	}
	return ids
}

// poll is a client's question for the tokens of a request.
func (p *process) poll(authReqID string) call {
	issuer := "https://" + p.Public + "/ciba"
	form := benchClient.authenticated("bench-poll", issuer, url.Values{"grant_type": {oauth.GrantCIBA}, "auth_req_id": {authReqID}})
	return call{url: issuer + "/token", form: form}
}
