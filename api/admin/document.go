package admin

import (
	"time"

	"github.com/chirograph/chirograph/domain/issuer"
)

// A Document declares issuers, clients and customers as they should be. Ids
// and keys may be fixed. Applying it twice changes nothing the second time;
// what it does not name stays as it is.
type Document struct {
	Issuers   []Issuer   `json:"issuers,omitempty"`
	Clients   []Client   `json:"clients,omitempty"`
	Customers []Customer `json:"customers,omitempty"`
}

// An Issuer is a tenant.
type Issuer struct {
	ID          string       `json:"id"`
	URL         string       `json:"url"`
	Profile     string       `json:"profile"`
	Status      string       `json:"status,omitempty"`    // told, never declared
	Suspended   *string      `json:"suspended,omitempty"` // why, or "" to reinstate
	Settings    Settings     `json:"settings"`
	Keys        *KeyPolicy   `json:"keys,omitempty"`
	SigningKeys []SigningKey `json:"signing_keys,omitempty"` // brought along; others are made
}

// Settings are an issuer's settings with durations as people write them. What
// is left out has its default.
type Settings struct {
	Scopes              []string            `json:"scopes,omitempty"`
	Resources           []string            `json:"resources,omitempty"`
	Accounts            bool                `json:"accounts,omitempty"`
	AccessTokenLifetime Duration            `json:"access_token_lifetime,omitzero"`
	IDTokenLifetime     Duration            `json:"id_token_lifetime,omitzero"`
	CodeLifetime        Duration            `json:"code_lifetime,omitzero"`
	PushedLifetime      Duration            `json:"request_uri_lifetime,omitzero"`
	InteractionLifetime Duration            `json:"interaction_lifetime,omitzero"`
	ConsentLifetime     Duration            `json:"consent_lifetime,omitzero"`
	DPoPNonce           string              `json:"dpop_nonce,omitempty"`
	Registration        bool                `json:"registration,omitempty"`
	FetchOrigins        []string            `json:"fetch_origins,omitempty"`
	DisplayName         string              `json:"display_name,omitempty"`
	BackchannelLifetime Duration            `json:"backchannel_lifetime,omitzero"`
	BackchannelLongest  Duration            `json:"backchannel_longest,omitzero"`
	BackchannelInterval Duration            `json:"backchannel_interval,omitzero"`
	UserCodes           bool                `json:"user_codes,omitempty"`
	HintIssuers         []issuer.HintIssuer `json:"hint_issuers,omitempty"`
	Purpose             string              `json:"purpose,omitempty"`
}

func (s Settings) domain() issuer.Settings {
	return issuer.Settings{
		Scopes: some(s.Scopes), Resources: some(s.Resources), Accounts: s.Accounts,
		AccessTokenLifetime: time.Duration(s.AccessTokenLifetime), IDTokenLifetime: time.Duration(s.IDTokenLifetime),
		CodeLifetime: time.Duration(s.CodeLifetime), PushedLifetime: time.Duration(s.PushedLifetime),
		InteractionLifetime: time.Duration(s.InteractionLifetime), ConsentLifetime: time.Duration(s.ConsentLifetime),
		DPoPNonce: s.DPoPNonce, Registration: s.Registration, FetchOrigins: some(s.FetchOrigins), DisplayName: s.DisplayName,
		BackchannelLifetime: time.Duration(s.BackchannelLifetime), BackchannelLongest: time.Duration(s.BackchannelLongest),
		BackchannelInterval: time.Duration(s.BackchannelInterval), UserCodes: s.UserCodes, HintIssuers: some(s.HintIssuers), Purpose: s.Purpose,
	}
}

// some makes an empty list none, which is how it comes back from the log.
func some[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

func settingsOf(s issuer.Settings) Settings {
	return Settings{
		Scopes: s.Scopes, Resources: s.Resources, Accounts: s.Accounts,
		AccessTokenLifetime: Duration(s.AccessTokenLifetime), IDTokenLifetime: Duration(s.IDTokenLifetime),
		CodeLifetime: Duration(s.CodeLifetime), PushedLifetime: Duration(s.PushedLifetime),
		InteractionLifetime: Duration(s.InteractionLifetime), ConsentLifetime: Duration(s.ConsentLifetime),
		DPoPNonce: s.DPoPNonce, Registration: s.Registration, FetchOrigins: s.FetchOrigins, DisplayName: s.DisplayName,
		BackchannelLifetime: Duration(s.BackchannelLifetime), BackchannelLongest: Duration(s.BackchannelLongest),
		BackchannelInterval: Duration(s.BackchannelInterval), UserCodes: s.UserCodes, HintIssuers: s.HintIssuers, Purpose: s.Purpose,
	}
}

// A KeyPolicy says which signing keys an issuer keeps.
type KeyPolicy struct {
	Algorithms []string `json:"algorithms"`
	Rotation   Duration `json:"rotation,omitzero"` // 0s: by hand
}

// A SigningKey is a private key that the operator brings. Commands read the
// file; the server gets the key.
type SigningKey struct {
	ID      string `json:"kid"`
	File    string `json:"private_key_file,omitempty"`
	Private string `json:"private_key,omitempty"` // PEM, PKCS #8
}

// A Customer is somebody who can sign in: a customer, or one of the bank's own
// staff.
type Customer struct {
	ID       string         `json:"id"`
	Issuer   string         `json:"issuer"`
	Name     string         `json:"name"`
	Email    string         `json:"email,omitempty"`
	Claims   map[string]any `json:"claims,omitempty"` // further ones, OIDC-Core §5.1
	Accounts []Account      `json:"accounts,omitempty"`
	Login    *Login         `json:"login,omitempty"`
	Test     bool           `json:"test,omitempty"` // nobody real; said at the first time
	Roles    *[]string      `json:"roles,omitempty"`

	// UserCode is what clients must know to ask the customer for something
	// (CIBA §7.1.2); "" takes it away. Commands read the file.
	UserCode     *string `json:"user_code,omitempty"`
	UserCodeFile string  `json:"user_code_file,omitempty"`
}

// An Account is one that a customer may share.
type Account struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Number   string `json:"number"` // masked
	Kind     string `json:"kind,omitempty"`
	Currency string `json:"currency"`
}

// A Login is a name and a password. Commands read the file; the server gets
// the password.
type Login struct {
	Name         string `json:"name"`
	PasswordFile string `json:"password_file,omitempty"`
	Password     string `json:"password,omitempty"`
}

// A Change is something that applying a document did.
type Change struct {
	Kind string `json:"kind"` // "issuer", "client", "customer", "key"
	ID   string `json:"id"`
	Did  string `json:"did"`
}
