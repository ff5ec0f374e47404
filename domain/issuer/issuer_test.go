package issuer_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/fapi"
	. "github.com/chirograph/chirograph/domain/issuer"
)

var (
	created  = Created{URL: "https://bank.example/fapi2", Profile: "fapi2-security-profile-final"}
	profile  = ProfileChanged{Profile: "oidc"}
	settings = SettingsChanged{Settings: Settings{DisplayName: "Sample Bank"}}
	tested   = SettingsChanged{Settings: Settings{DisplayName: "Sample Bank", Purpose: Conformance}}
	forTests = Created{URL: created.URL, Profile: created.Profile, Settings: Settings{Purpose: Conformance}}
	policy   = KeyPolicyChanged{Algorithms: []string{"EdDSA"}, Rotation: time.Hour}
	paused   = Suspended{Reason: "incident"}
	back     = Reinstated{Reason: "resolved"}
)

func TestDecide(t *testing.T) {
	at := func(url string) Create { return Create{Created{URL: url, Profile: created.Profile}} }
	tests := []struct {
		name  string
		given []Event
		when  Command
		then  []Event
		err   error
	}{
		{"an issuer is created", nil, Create{created}, []Event{created}, nil},
		{"but only once", []Event{created}, Create{created}, nil, ErrExists},
		{"not without https", nil, at("http://bank.example"), nil, ErrURL},
		{"not without a host", nil, at("https:///fapi2"), nil, ErrURL},
		{"not with a query", nil, at("https://bank.example/?a=b"), nil, ErrURL},
		{"not with a fragment", nil, at("https://bank.example/#"), nil, ErrURL},
		{"not with a user", nil, at("https://mara@bank.example"), nil, ErrURL},
		{"not with a host that could end a header's directive", nil, at("https://bank.example;script-src"), nil, ErrURL},

		{"its profile may change", []Event{created}, ChangeProfile{profile}, []Event{profile}, nil},
		{"to the same changes nothing", []Event{created, profile}, ChangeProfile{profile}, nil, nil},
		{"its settings may change", []Event{created}, ChangeSettings{settings}, []Event{settings}, nil},
		{"to the same changes nothing", []Event{created, settings}, ChangeSettings{settings}, nil, nil},
		{"not to another purpose", []Event{created}, ChangeSettings{tested}, nil, ErrPurpose},
		{"nor from it", []Event{forTests}, ChangeSettings{settings}, nil, ErrPurpose},
		{"with the same purpose they may", []Event{forTests}, ChangeSettings{tested}, []Event{tested}, nil},
		{"its key policy may change", []Event{created}, ChangeKeyPolicy{policy}, []Event{policy}, nil},
		{"to the same changes nothing", []Event{created, policy}, ChangeKeyPolicy{policy}, nil, nil},
		{"nothing changes before it exists", nil, ChangeProfile{profile}, nil, ErrUnknown},

		{"it may be suspended", []Event{created}, Suspend{paused}, []Event{paused}, nil},
		{"suspending again changes nothing", []Event{created, paused}, Suspend{paused}, nil, nil},
		{"and reinstated", []Event{created, paused}, Reinstate{back}, []Event{back}, nil},
		{"not if it is not suspended", []Event{created}, Reinstate{back}, nil, ErrNotSuspended},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := after(tt.given).Decide(tt.when)
			if !errors.Is(err, tt.err) || !reflect.DeepEqual(got, tt.then) {
				t.Errorf("got %v, %v; want %v, %v", got, err, tt.then, tt.err)
			}
		})
	}
}

func after(events []Event) (s State) {
	for _, e := range events {
		s = s.Evolve(e)
	}
	return s
}

func TestState(t *testing.T) {
	s := after([]Event{created})
	if !s.Active() || s.URL() != created.URL || s.Profile() != created.Profile {
		t.Errorf("got %+v", s)
	}
	if got := s.Settings(); got.CodeLifetime != time.Minute || got.PushedLifetime != 90*time.Second || got.DPoPNonce != "resource" || got.AccessTokenLifetime != 5*time.Minute || got.IDTokenLifetime != 10*time.Minute || got.InteractionLifetime != 30*time.Minute || got.ConsentLifetime != 180*24*time.Hour || got.DisplayName == "" || !slices.Contains(got.Scopes, "openid") {
		t.Errorf("got %+v as defaults", got)
	}
	if got := s.KeyPolicy().Algorithms; !reflect.DeepEqual(got, []string{"ES256", "PS256"}) {
		t.Errorf("got %v as default algorithms", got)
	}
	s = after([]Event{created, profile, settings, policy, paused})
	if s.Active() || !s.Exists() || s.Profile() != "oidc" || s.Settings().DisplayName != "Sample Bank" || !reflect.DeepEqual(s.KeyPolicy(), policy) {
		t.Errorf("got %+v, want the latest of everything", s)
	}
}

func TestCheckSettings(t *testing.T) {
	tests := []struct {
		name     string
		settings Settings
		good     bool
	}{
		{"the defaults fit the profile", Settings{}, true},
		{"a code lives 60 seconds at most", Settings{CodeLifetime: 61 * time.Second}, false},
		{"a request_uri lives less than 600 seconds", Settings{PushedLifetime: 600 * time.Second}, false},
		{"which 599 are", Settings{PushedLifetime: 599 * time.Second}, true},
		{"nothing lives for no time", Settings{AccessTokenLifetime: -time.Second}, false},
		{"nor for less than expires_in can say", Settings{CodeLifetime: time.Millisecond}, false},
		{"which one second can", Settings{CodeLifetime: time.Second}, true},
		{"DPoP nonces may be off", Settings{DPoPNonce: "off"}, true},
		{"or asked for everywhere", Settings{DPoPNonce: "all"}, true},
		{"but not something else", Settings{DPoPNonce: "sometimes"}, false},
		{"an issuer may be for tests", Settings{Purpose: Conformance}, true},
		{"but for nothing else", Settings{Purpose: "demonstration"}, false},
		{"an auth_req_id lives an hour at most", Settings{BackchannelLongest: time.Hour + time.Second}, false},
		{"and usually not longer than that", Settings{BackchannelLifetime: 10 * time.Minute, BackchannelLongest: 9 * time.Minute}, false},
		{"nobody waits more than a minute between polls", Settings{BackchannelInterval: 61 * time.Second}, false},
		{"which is as long as may be", Settings{BackchannelInterval: time.Minute, BackchannelLongest: time.Hour}, true},
		{"a hint issuer has keys", Settings{HintIssuers: []HintIssuer{{Issuer: "https://h.example"}}}, false},
		{"of one kind", Settings{HintIssuers: []HintIssuer{{Issuer: "https://h.example", JWKSURI: "https://h.example/jwks", JWKS: []byte("{}")}}}, false},
		{"and a name", Settings{HintIssuers: []HintIssuer{{JWKSURI: "https://h.example/jwks"}}}, false},
		{"which is enough", Settings{HintIssuers: []HintIssuer{{Issuer: "https://h.example", JWKSURI: "https://h.example/jwks"}}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.settings.Check(fapi.SecurityProfile); (err == nil) != tt.good {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCheckKeyPolicy(t *testing.T) {
	tests := []struct {
		name   string
		policy KeyPolicyChanged
		good   bool
	}{
		{"the default fits the profile", after(nil).KeyPolicy(), true},
		{"RS256 does not", KeyPolicyChanged{Algorithms: []string{"ES256", "RS256"}}, false},
		{"nor does turning back time", KeyPolicyChanged{Rotation: -1}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.policy.Check(fapi.SecurityProfile); (err == nil) != tt.good {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Whatever is asked, in whatever order: an issuer keeps its URL, and a
// suspended one is not active.
func FuzzHistory(f *testing.F) {
	anything := []Command{
		Create{created}, Create{Created{URL: "https://rogue.example"}}, ChangeProfile{profile}, ChangeSettings{settings},
		ChangeKeyPolicy{policy}, Suspend{paused}, Reinstate{back},
	}
	f.Add([]byte{2, 0, 1, 5, 5, 3, 6, 6, 4})
	f.Fuzz(func(t *testing.T, script []byte) {
		var s State
		suspended := false
		for _, b := range script {
			url := s.URL()
			events, err := s.Decide(anything[int(b)%len(anything)])
			if err != nil && len(events) > 0 {
				t.Fatal("refused and yet something happened")
			}
			for _, e := range events {
				s = s.Evolve(e)
				switch e.(type) {
				case Suspended:
					suspended = true
				case Reinstated:
					suspended = false
				}
			}
			if url != "" && s.URL() != url {
				t.Fatal("an issuer changed its URL")
			}
			if s.Active() != (s.Exists() && !suspended) {
				t.Fatal("an issuer is active if and only if it exists and is not suspended")
			}
		}
	})
}
