package dev

import (
	"net/http"

	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/api/samplebank"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/serve"
	"github.com/chirograph/chirograph/domain/fapi"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/openid"
)

// Ids that never change, so that notes and programs stay right.
const (
	issuerID   = "fapi2"
	cibaID     = "ciba"
	fapiCIBA   = "fapi-ciba"
	budgetly   = "budgetly"
	payzip     = "payzip"
	rogue      = "rogue"
	bankServer = "samplebank-rs"
	bankPath   = samplebank.Path
)

const (
	budgetlyBack = "https://budgetly.example/callback"
	payzipBack   = "https://payzip.example/callback"
	rogueBack    = "https://rogue.example/callback"
)

// A tenant is one issuer of the bank. Each has its own address of the accounts
// API, because a token of one is none at another.
type tenant struct {
	id      string
	profile oauth.Profile
	bank    string // path of the accounts API
}

// tenants are all issuers. A customer has another subject id at each, which
// goes by the place in this list.
var tenants = []tenant{
	{issuerID, fapi.SecurityProfile, bankPath},
	{cibaID, openid.CIBA, bankPath + "-ciba"},
	{fapiCIBA, fapi.CIBA, bankPath + "-fapi-ciba"},
}

// bank is the accounts API for one issuer's tokens, on both listeners.
func (s *stage) bank(p *platform.Platform, t tenant) http.Handler {
	return samplebank.Bank{Now: p.Now, Path: t.bank}.Handler(&resource.Server{
		Checker: p.API.Checker(t.id, s.origin()+t.bank), URLs: resource.At(s.origin(), s.config.MTLS.Origin),
		Certificate: p.API.Certificates.Certificate, Now: p.Now, Log: s.Log,
	})
}

// document declares everybody.
func (s *stage) document() admin.Document {
	d := admin.Document{Clients: append(s.clients(), s.backchannelClients()...)}
	for i, t := range tenants {
		settings := admin.Settings{
			Accounts: true, Registration: true, Resources: []string{s.origin() + t.bank},
			FetchOrigins: []string{s.origin()}, DisplayName: samplebank.Name,
		}
		if t.profile.GrantTypes.Permits(oauth.GrantCIBA) {
			settings.FetchOrigins = append(settings.FetchOrigins, s.notify())
			settings.UserCodes = true
		}
		d.Issuers = append(d.Issuers, admin.Issuer{
			ID: t.id, URL: s.origin() + "/" + t.id, Profile: t.profile.Name, Settings: settings,
			Keys: &admin.KeyPolicy{Algorithms: []string{"ES256", "PS256"}},
		})
		d.Customers = append(d.Customers, customers(i, t.id)...)
	}
	d.Customers = append(d.Customers, staff...)
	return d
}

func (s *stage) clients() []admin.Client {
	suspended := "sold customers' data"
	return []admin.Client{
		{ID: budgetly, Issuer: issuerID, Metadata: oauth.ClientMetadata{
			ClientName: "Budgetly", RedirectURIs: []string{budgetlyBack}, TokenEndpointAuthMethod: "private_key_jwt",
			GrantTypes: []string{"authorization_code", "refresh_token", "client_credentials"},
			Scope:      "openid profile email accounts offline_access", JWKS: s.jwks(budgetly), DPoPBoundTokens: true,
		}},
		{ID: payzip, Issuer: issuerID, Metadata: oauth.ClientMetadata{
			ClientName: "Payzip", RedirectURIs: []string{payzipBack}, TokenEndpointAuthMethod: "tls_client_auth",
			TLSSubjectDN: clientName(payzip).String(), GrantTypes: []string{"authorization_code", "refresh_token", "client_credentials"},
			Scope: "openid accounts offline_access", TLSBoundTokens: true,
		}},
		{ID: rogue, Issuer: issuerID, Suspended: &suspended, Metadata: oauth.ClientMetadata{
			ClientName: "Rogue Ltd", RedirectURIs: []string{rogueBack}, TokenEndpointAuthMethod: "private_key_jwt",
			GrantTypes: []string{"authorization_code"}, Scope: "openid accounts", JWKS: s.jwks(rogue), DPoPBoundTokens: true,
		}},
		{ID: bankServer, Issuer: issuerID, Metadata: oauth.ClientMetadata{
			ClientName: samplebank.Name + " accounts API", TokenEndpointAuthMethod: "private_key_jwt",
			JWKS: s.jwks(bankServer), Resources: []string{s.origin() + bankPath},
		}},
	}
}

// userCodes are asked for by the call centre, of customers who have one.
var userCodes = map[string]string{"ben": "4711"}

func customers(place int, issuer string) []admin.Customer {
	var all []admin.Customer
	for _, c := range samplebank.Customers() {
		one := admin.Customer{
			ID: c.At(place).Subject, Issuer: issuer, Name: c.Name, Claims: c.Claims,
			Login: &admin.Login{Name: c.Login, Password: c.Password},
		}
		if code := userCodes[c.Login]; code != "" && issuer != issuerID {
			one.UserCode = &code
		}
		for _, a := range c.Accounts {
			one.Accounts = append(one.Accounts, admin.Account{
				ID: a.ID, Name: a.Name, Number: a.Masked(), Kind: a.Kind, Currency: a.Currency,
			})
		}
		all = append(all, one)
	}
	return all
}

// staff of the bank, who sign in at the admin port.
var staff = []admin.Customer{
	{ID: "staff-admin", Issuer: serve.PlatformIssuer, Name: "Mara Admin", Roles: &[]string{"admin"},
		Login: &admin.Login{Name: "admin", Password: "adminadmin"}},
	{ID: "staff-auditor", Issuer: serve.PlatformIssuer, Name: "Cleo Compliance", Roles: &[]string{"auditor"},
		Login: &admin.Login{Name: "auditor", Password: "auditorauditor"}},
	{ID: "staff-investigator", Issuer: serve.PlatformIssuer, Name: "Ines Investigator", Roles: &[]string{"investigator"},
		Login: &admin.Login{Name: "investigator", Password: "investigator"}},
}

// unused fails while a server has the folder.
func unused(dir string) error {
	log, err := sqlite.Open(sqlite.Options{Dir: dir})
	if err != nil {
		return err
	}
	return log.Close()
}
