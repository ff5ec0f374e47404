package conformance

import (
	"maps"
	"slices"
	"time"

	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/api/samplebank"
	"github.com/chirograph/chirograph/domain/fapi"
	tenant "github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/openid"
	"github.com/chirograph/chirograph/projections"
)

// paths are where the issuers are: one as an operator would leave it, one that
// demands DPoP nonces at every endpoint, and those of CIBA.
var paths = map[string]string{"main": "/fapi2", "strict": "/strict", "ciba": "/ciba", "fapi-ciba": "/fapi-ciba"}

// furnish declares issuers, cast and customers as an operator would.
func (b *builder) furnish() {
	d := admin.Document{Issuers: []admin.Issuer{
		b.issuer("main", "resource"), b.issuer("strict", "all"), b.backchannelIssuer("ciba", openid.CIBA), b.backchannelIssuer("fapi-ciba", fapi.CIBA),
	}}
	for _, id := range slices.Sorted(maps.Keys(b.house.clients)) {
		d.Clients = append(d.Clients, b.declared(b.house.clients[id]))
	}
	for _, c := range samplebank.Customers() {
		d.Customers = append(d.Customers, customer(c, "main"))
		for i, name := range backchannelIssuers {
			test := customer(c.At(1+i), name)
			test.Test = true
			if code := "4711"; c.Login == "ben" {
				test.UserCode = &code
			}
			d.Customers = append(d.Customers, test)
		}
		b.house.passwords[c.Login] = c.Password
	}
	_, err := b.platform.Admin.Apply(b.Context(), b.operator, d)
	b.must(err)
	b.house.deliveries = func(backchannel string) ([]projections.Delivery, error) {
		if err := b.platform.Current(b.Context()); err != nil {
			return nil, err
		}
		all, err := b.platform.Projections.Deliveries.List(b.Context(), projections.DeliveryQuery{Backchannel: backchannel})
		return all.Items, err
	}
	b.house.initialToken = func(issuer string) (string, error) {
		return b.platform.API.NewInitialAccessToken(b.Context(), b.operator, issuer, time.Hour)
	}
}

func (b *builder) issuer(id, nonce string) admin.Issuer {
	return admin.Issuer{
		ID: id, URL: b.at(b.public, paths[id]), Profile: fapi.SecurityProfile.Name,
		Settings: admin.Settings{
			Accounts: true, Registration: true, DPoPNonce: nonce, DisplayName: samplebank.Name,
			Resources: []string{b.house.resources["bank"], b.house.resources["vault"]},
		},
		Keys: &admin.KeyPolicy{Algorithms: []string{"ES256", "PS256", "EdDSA"}},
	}
}

// backchannelIssuer is one for test tools: they decide in place of customers.
func (b *builder) backchannelIssuer(id string, p oauth.Profile) admin.Issuer {
	i := b.issuer(id, "resource")
	i.Profile, i.Settings.Purpose, i.Settings.UserCodes = p.Name, tenant.Conformance, true
	i.Settings.Resources = []string{b.house.resources["bank@"+id]}
	i.Settings.FetchOrigins = []string{b.house.receiver.origin()}
	i.Keys.Algorithms = []string{"ES256", "PS256"}
	return i
}

func (b *builder) declared(c *client) admin.Client {
	declared := admin.Client{ID: c.id, Issuer: c.issuer, Metadata: c.metadata}
	declared.Metadata.Resources = nil
	for _, name := range c.metadata.Resources {
		declared.Metadata.Resources = append(declared.Metadata.Resources, b.house.resources[name])
	}
	if c.metadata.DeliveryMode == oauth.Ping || c.metadata.DeliveryMode == oauth.Push {
		declared.Metadata.NotificationEndpoint = b.house.receiver.endpoint(c.id)
	}
	if c.suspended {
		why := "sold customers' data"
		declared.Suspended = &why
	}
	return declared
}

func customer(c samplebank.Customer, issuer string) admin.Customer {
	declared := admin.Customer{
		ID: c.Subject, Issuer: issuer, Name: c.Name, Claims: c.Claims, Login: &admin.Login{Name: c.Login, Password: c.Password},
	}
	for _, a := range c.Accounts {
		declared.Accounts = append(declared.Accounts, admin.Account{ID: a.ID, Name: a.Name, Number: a.Masked(), Kind: a.Kind, Currency: a.Currency})
	}
	return declared
}
