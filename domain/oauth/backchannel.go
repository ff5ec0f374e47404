package oauth

import "time"

// GrantCIBA is the grant type of CIBA, Section 10.1.
const GrantCIBA = "urn:openid:params:grant-type:ciba"

// How the client learns of the customer's answer: the values of
// backchannel_token_delivery_mode (CIBA, Section 5).
const (
	Poll = "poll"
	Ping = "ping"
	Push = "push"
)

// A BackchannelRequest is the parameters of an authentication request (CIBA,
// Section 7.1), from the form or from the claims of a signed request. An empty
// parameter counts as absent.
type BackchannelRequest struct {
	Scope                string
	NotificationToken    string // client_notification_token
	ACRValues            string
	LoginHint            string
	LoginHintToken       string
	IDTokenHint          string
	BindingMessage       string
	UserCode             string
	RequestedExpiry      string
	AuthorizationDetails string
	RequestContext       string // JSON object, FAPI-CIBA-ID1 §5.3
	Resource             []string
}

// A SignedRequest is the JWT of a signed authentication request (CIBA, Section
// 7.1.1) whose signature was verified with a key of the client. Times are zero
// when the claim is absent.
type SignedRequest struct {
	Raw        string // as received
	Algorithm  string
	KeyID      string
	Thumbprint string // of the verifying key, RFC 7638
	Issuer     string
	Audience   []string
	ID         string
	IssuedAt   time.Time
	NotBefore  time.Time
	Expires    time.Time
	Claims     []byte // the whole payload
}
