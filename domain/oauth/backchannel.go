package oauth

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

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

// backchannelParameters are those that a [BackchannelRequest] holds.
var backchannelParameters = []string{
	"scope", "client_notification_token", "acr_values", "login_hint", "login_hint_token", "id_token_hint", "binding_message",
	"user_code", "requested_expiry", "authorization_details", "request_context", "resource",
}

// ParseBackchannelForm reads the parameters it knows and ignores the rest
// (CIBA, Section 7.2).
func ParseBackchannelForm(form url.Values) BackchannelRequest {
	return BackchannelRequest{
		Scope:                form.Get("scope"),
		NotificationToken:    form.Get("client_notification_token"),
		ACRValues:            form.Get("acr_values"),
		LoginHint:            form.Get("login_hint"),
		LoginHintToken:       form.Get("login_hint_token"),
		IDTokenHint:          form.Get("id_token_hint"),
		BindingMessage:       form.Get("binding_message"),
		UserCode:             form.Get("user_code"),
		RequestedExpiry:      form.Get("requested_expiry"),
		AuthorizationDetails: form.Get("authorization_details"),
		RequestContext:       form.Get("request_context"),
		Resource:             slices.DeleteFunc(slices.Clone(form["resource"]), func(s string) bool { return s == "" }),
	}
}

// CheckSignedForm refuses a form beside a signed request that has parameters of
// the request too (CIBA, Section 7.1.1).
func CheckSignedForm(form url.Values) error {
	beside := func(name string) bool { return strings.Join(form[name], "") != "" }
	return refusal(slices.ContainsFunc(backchannelParameters, beside), InvalidRequest, "CIBA §7.1.1",
		"parameters of a signed request must not be sent beside it")
}

// Hints are the names of the hints that were sent.
func (r BackchannelRequest) Hints() (names []string) {
	for _, hint := range [][2]string{{"login_hint", r.LoginHint}, {"login_hint_token", r.LoginHintToken}, {"id_token_hint", r.IDTokenHint}} {
		if hint[1] != "" {
			names = append(names, hint[0])
		}
	}
	return names
}

// Scopes returns the values of scope.
func (r BackchannelRequest) Scopes() []string { return strings.Fields(r.Scope) }

// Lifetime returns how long auth_req_id lives: as long as the client asked
// for, but not longer than longest, or as usual if it did not ask.
func (r BackchannelRequest) Lifetime(usual, longest time.Duration) time.Duration {
	if r.RequestedExpiry == "" {
		return usual
	}
	seconds, err := strconv.Atoi(r.RequestedExpiry)
	if err != nil || seconds > int(longest/time.Second) {
		return longest
	}
	return time.Duration(seconds) * time.Second
}
