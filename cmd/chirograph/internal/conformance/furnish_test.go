package conformance

import (
	"maps"
	"slices"
	"time"

	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/api/samplebank"
	"github.com/chirograph/chirograph/domain/fapi"
)

// paths are where the issuers are: one as an operator would leave it, and one
// that demands DPoP nonces at every endpoint.
var paths = map[string]string{"main": "/fapi2", "strict": "/strict"}

// furnish declares issuers, cast and customers as an operator would.
func (b *builder) furnish() {
	d := admin.Document{Issuers: []admin.Issuer{b.issuer("main", "resource"), b.issuer("strict", "all")}}
	for _, id := range slices.Sorted(maps.Keys(b.house.clients)) {
		d.Clients = append(d.Clients, b.declared(b.house.clients[id]))
	}
	for _, c := range samplebank.Customers() {
		d.Customers = append(d.Customers, customer(c))
		b.house.passwords[c.Login] = c.Password
	}
	_, err := b.platform.Admin.Apply(b.Context(), b.operator, d)
	b.must(err)
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

func (b *builder) declared(c *client) admin.Client {
	declared := admin.Client{ID: c.id, Issuer: c.issuer, Metadata: c.metadata}
	declared.Metadata.Resources = nil
	for _, name := range c.metadata.Resources {
		declared.Metadata.Resources = append(declared.Metadata.Resources, b.house.resources[name])
	}
	if c.suspended {
		why := "sold customers' data"
		declared.Suspended = &why
	}
	return declared
}

func customer(c samplebank.Customer) admin.Customer {
	declared := admin.Customer{
		ID: c.Subject, Issuer: "main", Name: c.Name, Claims: c.Claims, Login: &admin.Login{Name: c.Login, Password: c.Password},
	}
	for _, a := range c.Accounts {
		declared.Accounts = append(declared.Accounts, admin.Account{ID: a.ID, Name: a.Name, Number: a.Masked(), Kind: a.Kind, Currency: a.Currency})
	}
	return declared
}
