// Package issuer decides the life of an issuer. An issuer is a tenant: it has
// its own profile, keys, clients and settings.
//
//	          Create            Suspend
//	(nothing) ------> active <-----------> suspended
//	                          Reinstate
package issuer

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

// Settings are what an operator may choose within the issuer's profile. Zero
// values mean the default, see [Settings.WithDefaults]. Durations are stored
// as nanoseconds.
type Settings struct {
	Scopes              []string      `json:"scopes,omitempty"`
	Resources           []string      `json:"resources,omitempty"` // the first is the default
	Accounts            bool          `json:"accounts,omitempty"`  // offers account_information
	AccessTokenLifetime time.Duration `json:"access_token_lifetime,omitempty"`
	IDTokenLifetime     time.Duration `json:"id_token_lifetime,omitempty"`
	CodeLifetime        time.Duration `json:"code_lifetime,omitempty"`
	PushedLifetime      time.Duration `json:"request_uri_lifetime,omitempty"`
	InteractionLifetime time.Duration `json:"interaction_lifetime,omitempty"`
	ConsentLifetime     time.Duration `json:"consent_lifetime,omitempty"` // when the request names none, and at most
	DPoPNonce           string        `json:"dpop_nonce,omitempty"`       // "off", "resource", "all"
	Registration        bool          `json:"registration,omitempty"`     // RFC 7591 with an initial access token
	FetchOrigins        []string      `json:"fetch_origins,omitempty"`    // excepted from the address rules of outbound fetches
	DisplayName         string        `json:"display_name,omitempty"`     // of the bank, on pages

	// Of the CIBA grant, where the profile has it.
	BackchannelLifetime time.Duration `json:"backchannel_lifetime,omitempty"` // of auth_req_id, unless requested_expiry says otherwise
	BackchannelLongest  time.Duration `json:"backchannel_longest,omitempty"`  // that requested_expiry may ask for
	BackchannelInterval time.Duration `json:"backchannel_interval,omitempty"` // between polls
	UserCodes           bool          `json:"user_codes,omitempty"`           // backchannel_user_code_parameter_supported
	HintIssuers         []HintIssuer  `json:"hint_issuers,omitempty"`         // of login_hint_token

	// Purpose is "" or [Conformance].
	Purpose string `json:"purpose,omitempty"`
}

// Conformance is the purpose of an issuer that test tools drive: it accepts no
// customers but those made for tests, lets a tool decide for them, and says so
// on each page.
const Conformance = "conformance"

// A HintIssuer may name customers in a login_hint_token, which it signs with a
// key of its set.
type HintIssuer struct {
	Issuer  string          `json:"issuer"` // its iss
	JWKSURI string          `json:"jwks_uri,omitempty"`
	JWKS    json.RawMessage `json:"jwks,omitempty"`
}

// WithDefaults fills in what was left out.
func (s Settings) WithDefaults() Settings {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&s.AccessTokenLifetime, 5*time.Minute)
	set(&s.IDTokenLifetime, 10*time.Minute)
	set(&s.CodeLifetime, 60*time.Second)
	set(&s.PushedLifetime, 90*time.Second)
	set(&s.InteractionLifetime, 30*time.Minute)
	set(&s.ConsentLifetime, 180*24*time.Hour)
	set(&s.BackchannelLifetime, 2*time.Minute)
	set(&s.BackchannelLongest, 10*time.Minute)
	set(&s.BackchannelInterval, 5*time.Second)
	if s.DPoPNonce == "" {
		s.DPoPNonce = "resource"
	}
	if len(s.Scopes) == 0 {
		s.Scopes = []string{"openid", "profile", "email", "phone", "offline_access", "accounts"}
	}
	if s.DisplayName == "" {
		s.DisplayName = "The bank"
	}
	return s
}

// Check returns the first setting that contradicts a profile, or nil.
func (s Settings) Check(p oauth.Profile) error {
	s = s.WithDefaults()
	limits := []struct {
		name  string
		value time.Duration
		limit oauth.Limit
	}{
		{"code_lifetime", s.CodeLifetime, p.CodeLifetime},
		{"request_uri_lifetime", s.PushedLifetime, p.PushedLifetime},
		{"access_token_lifetime", s.AccessTokenLifetime, oauth.Limit{}},
		{"id_token_lifetime", s.IDTokenLifetime, oauth.Limit{}},
		{"interaction_lifetime", s.InteractionLifetime, oauth.Limit{}},
		{"consent_lifetime", s.ConsentLifetime, oauth.Limit{}},
		{"backchannel_lifetime", s.BackchannelLifetime, oauth.Limit{Max: s.BackchannelLongest, By: "CIBA §7.3"}},
		{"backchannel_longest", s.BackchannelLongest, oauth.Limit{Max: time.Hour, By: "CIBA §7.3"}},
		{"backchannel_interval", s.BackchannelInterval, oauth.Limit{Max: time.Minute, By: "CIBA §7.3"}},
	}
	for _, l := range limits {
		if l.value < time.Second {
			return fmt.Errorf("%s must be at least one second", l.name)
		}
		if l.limit.Max > 0 && l.value > l.limit.Max {
			return fmt.Errorf("%s must be at most %s [%s]", l.name, l.limit.Max, l.limit.By)
		}
	}
	switch s.DPoPNonce {
	case "off", "resource", "all":
	default:
		return errors.New("dpop_nonce must be off, resource or all")
	}
	if s.Purpose != "" && s.Purpose != Conformance {
		return errors.New("purpose must be conformance or nothing")
	}
	for _, h := range s.HintIssuers {
		if h.Issuer == "" || (h.JWKSURI == "") == (len(h.JWKS) == 0) {
			return errors.New("a hint issuer needs issuer, and either jwks_uri or jwks")
		}
	}
	return nil
}

// Check returns why an issuer of profile p may not sign by this policy, or nil.
func (k KeyPolicyChanged) Check(p oauth.Profile) error {
	for _, alg := range k.Algorithms {
		if !p.SigningAlgs.Permits(alg) {
			return fmt.Errorf("algorithms must be of %v [%s]", p.SigningAlgs.Of, p.SigningAlgs.By)
		}
	}
	if k.Rotation < 0 {
		return errors.New("rotation must not be negative")
	}
	return nil
}

// Event is the closed set of facts about an issuer.
//
//sumtype:decl
type Event interface{ isEvent() }

type (
	// Created begins an issuer. Its URL never changes.
	Created struct {
		URL      string   `json:"url"` // the issuer identifier
		Profile  string   `json:"profile"`
		Settings Settings `json:"settings"`
	}

	// ProfileChanged puts another profile in force, for requests from then on.
	ProfileChanged struct {
		Profile string `json:"profile"`
	}

	// SettingsChanged replaces every setting. The purpose stays: customers of
	// an issuer for tests are never those of another.
	SettingsChanged struct {
		Settings Settings `json:"settings"`
	}

	// KeyPolicyChanged says which signing keys the issuer keeps.
	KeyPolicyChanged struct {
		Algorithms []string      `json:"algorithms"` // one signing key is kept active for each
		Rotation   time.Duration `json:"rotation"`   // 0: by hand
	}

	// Suspended stops an issuer: it answers nothing, and what it issued does
	// not count.
	Suspended struct {
		Reason string `json:"reason"`
	}

	// Reinstated lets a suspended issuer, and what it issued, count again.
	Reinstated struct {
		Reason string `json:"reason"`
	}
)

func (Created) isEvent()          {}
func (ProfileChanged) isEvent()   {}
func (SettingsChanged) isEvent()  {}
func (KeyPolicyChanged) isEvent() {}
func (Suspended) isEvent()        {}
func (Reinstated) isEvent()       {}

func (e KeyPolicyChanged) often() string {
	const day = 24 * time.Hour
	switch {
	case e.Rotation == 0:
		return "by hand"
	case e.Rotation%day == 0:
		return fmt.Sprintf("every %d days", e.Rotation/day)
	}
	return "every " + e.Rotation.String()
}

// Events declares every event of an issuer.
var Events = []event.Declaration{
	event.Type[Created]{
		Name: "issuer.created",
		Past: []event.Upcaster{event.Added},
		Audit: func(e Created, _ event.Names) string {
			return "issuer " + e.URL + " was created with the profile " + e.Profile
		},
	},
	event.Type[ProfileChanged]{
		Name:  "issuer.profile_changed",
		Audit: func(e ProfileChanged, _ event.Names) string { return "the issuer's profile became " + e.Profile },
	},
	event.Type[SettingsChanged]{
		Name:  "issuer.settings_changed",
		Past:  []event.Upcaster{event.Added},
		Audit: func(SettingsChanged, event.Names) string { return "the issuer's settings were changed" },
	},
	event.Type[KeyPolicyChanged]{
		Name: "issuer.key_policy_changed",
		Audit: func(e KeyPolicyChanged, _ event.Names) string {
			return fmt.Sprintf("the issuer's key policy became %v, rotated %s", e.Algorithms, e.often())
		},
	},
	event.Type[Suspended]{
		Name:  "issuer.suspended",
		Audit: func(e Suspended, _ event.Names) string { return "the issuer was suspended: " + e.Reason },
	},
	event.Type[Reinstated]{
		Name:  "issuer.reinstated",
		Audit: func(e Reinstated, _ event.Names) string { return "the issuer was reinstated: " + e.Reason },
	},
}

// Why a command is refused.
var (
	ErrExists       = errors.New("issuer already exists")
	ErrURL          = errors.New("issuer must be an https URL without query and fragment")
	ErrUnknown      = errors.New("there is no such issuer")
	ErrNotSuspended = errors.New("issuer is not suspended")
	ErrPurpose      = errors.New("the purpose of an issuer is said when it is created and cannot change")
)

// State is an issuer as far as its rules need to know it.
type State struct {
	exists    bool
	suspended bool
	url       string
	profile   string
	settings  Settings
	policy    KeyPolicyChanged
}

func (s State) Exists() bool       { return s.exists }
func (s State) Active() bool       { return s.exists && !s.suspended }
func (s State) URL() string        { return s.url }
func (s State) Profile() string    { return s.profile }
func (s State) Settings() Settings { return s.settings.WithDefaults() }

// KeyPolicy returns which signing keys the issuer keeps: ES256 and PS256,
// rotated by hand, unless the operator chose otherwise.
func (s State) KeyPolicy() KeyPolicyChanged {
	if len(s.policy.Algorithms) == 0 {
		return KeyPolicyChanged{Algorithms: []string{"ES256", "PS256"}}
	}
	return s.policy
}

// Command is the closed set of things one can ask of an issuer.
//
//sumtype:decl
type Command interface{ isCommand() }

type (
	Create          struct{ Created }
	ChangeProfile   struct{ ProfileChanged }
	ChangeSettings  struct{ SettingsChanged }
	ChangeKeyPolicy struct{ KeyPolicyChanged }
	Suspend         struct{ Suspended }
	Reinstate       struct{ Reinstated }
)

func (Create) isCommand()          {}
func (ChangeProfile) isCommand()   {}
func (ChangeSettings) isCommand()  {}
func (ChangeKeyPolicy) isCommand() {}
func (Suspend) isCommand()         {}
func (Reinstate) isCommand()       {}

// Decide returns the events that cmd causes, or why it is refused.
func (s State) Decide(cmd Command) ([]Event, error) {
	if create, ok := cmd.(Create); ok {
		if s.exists {
			return nil, ErrExists
		}
		if !oauth.ValidIssuer(create.URL) {
			return nil, ErrURL
		}
		return []Event{create.Created}, nil
	}
	if !s.exists {
		return nil, ErrUnknown
	}
	switch cmd := cmd.(type) {
	case ChangeProfile:
		return unless(cmd.Profile == s.profile, cmd.ProfileChanged)
	case ChangeSettings:
		if cmd.Settings.Purpose != s.settings.Purpose {
			return nil, ErrPurpose
		}
		return unless(reflect.DeepEqual(cmd.Settings, s.settings), cmd.SettingsChanged)
	case ChangeKeyPolicy:
		return unless(reflect.DeepEqual(cmd.KeyPolicyChanged, s.policy), cmd.KeyPolicyChanged)
	case Suspend:
		return unless(s.suspended, cmd.Suspended)
	case Reinstate:
		if !s.suspended {
			return nil, ErrNotSuspended
		}
		return []Event{cmd.Reinstated}, nil
	}
	panic("issuer: unknown command")
}

func unless(already bool, e Event) ([]Event, error) {
	if already {
		return nil, nil
	}
	return []Event{e}, nil
}

// Evolve returns the state after e.
func (s State) Evolve(e Event) State {
	switch e := e.(type) {
	case Created:
		s.exists, s.url, s.profile, s.settings = true, e.URL, e.Profile, e.Settings
	case ProfileChanged:
		s.profile = e.Profile
	case SettingsChanged:
		s.settings = e.Settings
	case KeyPolicyChanged:
		s.policy = e
	case Suspended:
		s.suspended = true
	case Reinstated:
		s.suspended = false
	}
	return s
}
