package backchannel

import (
	"encoding/json"
	"time"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
)

// Event is the closed set of facts about one backchannel authentication.
//
//sumtype:decl
type Event interface{ isEvent() }

type (
	// Requested records an accepted authentication request (CIBA, Section
	// 7.1). Body is the form as it was received, byte for byte, without what
	// authenticates the client and without the notification token; a signed
	// request that carries that token is inside, which is one reason why Body
	// is sealed. The log holds only the digests of auth_req_id and of the
	// notification token.
	Requested struct {
		Client         string          `json:"client_id"`
		Subject        string          `json:"sub"`
		Digest         string          `json:"digest"` // of the secret in auth_req_id
		Expires        time.Time       `json:"exp"`
		Interval       int             `json:"interval,omitempty"`        // seconds between polls
		Mode           string          `json:"delivery_mode"`             // [oauth.Poll], [oauth.Ping] or [oauth.Push]
		Notification   string          `json:"notification,omitempty"`    // SHA-256 of client_notification_token, base64url
		Hint           string          `json:"hint"`                      // the parameter that named the customer
		Scope          string          `json:"scope"`                     // openid and others
		Resources      []string        `json:"resource,omitempty"`        // RFC 8707
		ACRValues      []string        `json:"acr_values,omitempty"`      // in the client's order
		Details        string          `json:"details,omitempty"`         // authorization_details as sent; sealed
		BindingMessage string          `json:"binding_message,omitempty"` // sealed
		Context        json.RawMessage `json:"request_context,omitempty"` // FAPI-CIBA-ID1 §5.3; sealed
		Body           string          `json:"body,omitempty"`            // sealed
		RequestKey     string          `json:"request_key,omitempty"`     // thumbprint of the key that signed the request, see client.key_seen
		JKT            string          `json:"dpop_jkt,omitempty"`        // key shown here, which binds pushed tokens (CIBA §5)
		X5TS           string          `json:"x5t#S256,omitempty"`        // likewise a certificate
		Evidence       oauth.Evidence  `json:"evidence"`
	}

	// DeviceNotified records that a device of the customer was told, or that a
	// phone page that stays open was about to be.
	DeviceNotified struct {
		Device   string `json:"device"`             // id, see subject.device_bound, or [PhonePage]
		Delivery string `json:"delivery,omitempty"` // that told it
	}

	// Shown records what the customer saw before deciding, as it was rendered.
	Shown struct {
		Device   string `json:"device,omitempty"` // empty on the bank's own page
		Shown    string `json:"shown"`            // SHA-256 of Rendered, base64url
		Template string `json:"template"`
		Locale   string `json:"locale"`
		Rendered string `json:"rendered,omitempty"` // sealed
	}

	// Approved records the customer's yes and everything the consent will say,
	// so that a crash after it can be completed. It decides races.
	Approved struct {
		Consent     string         `json:"consent"`
		Subject     string         `json:"sub"`
		Scope       string         `json:"scope,omitempty"`
		Details     []oauth.Detail `json:"authorization_details,omitempty"` // as granted; sealed
		Permissions []string       `json:"permissions,omitempty"`
		Expires     time.Time      `json:"exp"`
		Asked       bool           `json:"details_asked,omitempty"` // by authorization_details
		Shown       string         `json:"shown"`
		Template    string         `json:"template"`
		Locale      string         `json:"locale"`
		ACR         string         `json:"acr"`
		AMR         []string       `json:"amr"`
		AuthTime    time.Time      `json:"auth_time"`
		Method      string         `json:"method"` // [Password], [Passkey], [DeviceKey] or [Automatic]
		Device      string         `json:"device,omitempty"`
		Proof       string         `json:"proof,omitempty"` // what the device or passkey signed; sealed
	}

	// Denied records a no.
	Denied struct {
		By     string `json:"by"`               // [Customer] or [System]
		Reason string `json:"reason"`           // in words that the client may read
		NotMe  bool   `json:"not_me,omitempty"` // the customer did not start this
		Failed bool   `json:"failed,omitempty"` // transaction_failed rather than access_denied (CIBA §12)
		Method string `json:"method,omitempty"`
		Device string `json:"device,omitempty"`
		Proof  string `json:"proof,omitempty"` // sealed
	}

	// Redeemed spends auth_req_id and names what is issued for it. In push mode
	// the platform redeems by itself.
	Redeemed struct {
		Token   string `json:"jti"`
		Refresh string `json:"refresh,omitempty"`
		Consent string `json:"consent"`
		Via     string `json:"via"` // the delivery mode
	}

	// Failed ends an approved request in push mode for which no tokens can be
	// made any more, and decides so: none ever will be.
	Failed struct {
		Error  oauth.Code `json:"error"`  // of CIBA, Section 12
		Reason string     `json:"reason"` // in words that the client may read
	}

	// Expired notes that nobody decided, or nobody redeemed, in time. The
	// client may be told so, hence no answer counts after it.
	Expired struct{}
)

func (Requested) isEvent()      {}
func (DeviceNotified) isEvent() {}
func (Shown) isEvent()          {}
func (Approved) isEvent()       {}
func (Denied) isEvent()         {}
func (Redeemed) isEvent()       {}
func (Failed) isEvent()         {}
func (Expired) isEvent()        {}

// PhonePage is the device of a customer who keeps the bank's own page open.
const PhonePage = "phone page"

// Who denies.
const (
	Customer = "customer"
	System   = "system"
)

// How the customer proved identity for the answer.
const (
	Password  = "password"
	Passkey   = "passkey"    // its signature covers the hash of what was shown
	DeviceKey = "device_key" // likewise
	Automatic = "automatic"  // a test tool, where no real customer is
)

// Events declares every event of a backchannel authentication.
var Events = []event.Declaration{
	event.Type[Requested]{
		Name:   "backchannel.requested",
		Sealed: []string{"details", "binding_message", "request_context", "body"},
		Audit: func(e Requested, n event.Names) string {
			return n.Client(e.Client) + " asked " + n.Subject(e.Subject) + " by backchannel, " + waiting[e.Mode]
		},
	},
	event.Type[DeviceNotified]{
		Name: "backchannel.device_notified",
		Audit: func(e DeviceNotified, n event.Names) string {
			if e.Device == PhonePage {
				return n.Subject("") + "'s phone page was told"
			}
			return n.Subject("") + " was notified on the device " + e.Device
		},
	},
	event.Type[Shown]{
		Name:   "backchannel.shown",
		Sealed: []string{"rendered"},
		Audit: func(e Shown, n event.Names) string {
			where := "on the phone page"
			if e.Device != "" {
				where = "on the device " + e.Device
			}
			return "the request was shown to " + n.Subject("") + " " + where
		},
	},
	event.Type[Approved]{
		Name:   "backchannel.approved",
		Sealed: []string{"authorization_details", "proof"},
		Audit: func(e Approved, n event.Names) string {
			return n.Subject(e.Subject) + " approved the request by " + words[e.Method]
		},
	},
	event.Type[Denied]{
		Name:   "backchannel.denied",
		Sealed: []string{"proof"},
		Audit: func(e Denied, n event.Names) string {
			switch {
			case e.NotMe:
				return n.Subject("") + " denied the request: somebody else started it"
			case e.By == Customer:
				return n.Subject("") + " denied the request"
			}
			return "the request was denied by the " + e.By + ": " + e.Reason
		},
	},
	event.Type[Redeemed]{
		Name: "backchannel.redeemed",
		Audit: func(e Redeemed, _ event.Names) string {
			if e.Via == oauth.Push {
				return "token " + e.Token + " was made to be pushed"
			}
			return "the auth_req_id was redeemed for token " + e.Token
		},
	},
	event.Type[Failed]{
		Name:  "backchannel.failed",
		Audit: func(e Failed, _ event.Names) string { return "no tokens can be pushed: " + e.Reason },
	},
	event.Type[Expired]{
		Name:  "backchannel.expired",
		Audit: func(Expired, event.Names) string { return "the request ran out" },
	},
}

var waiting = map[string]string{
	oauth.Poll: "polling for the answer", oauth.Ping: "waiting to be pinged", oauth.Push: "waiting for the tokens to be pushed",
}

var words = map[string]string{
	Password: "password", Passkey: "passkey", DeviceKey: "the key of the device", Automatic: "an automatic decision of a test",
}
