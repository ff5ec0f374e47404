package oauth

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of single parameters of an authentication request.
const (
	maxNotificationToken = 1024 // characters, CIBA §7.1
	minNotificationToken = 22   // of 6 bits: 128 bits of entropy at least
	maxBindingMessage    = 64   // characters: what a small screen shows
	maxUserCode          = 64   // bytes
	maxHintToken         = 8 << 10
	maxRequestContext    = 8 << 10
)

// CheckBackchannel returns the first rule of p that an authentication request
// breaks, or nil, in the order of CIBA, Section 7.2: may the client ask at all,
// is the request well formed, whom does it mean, what does it ask for.
func (p Profile) CheckBackchannel(r BackchannelRequest, c Client, s Server) error {
	return first(
		CheckBackchannelClient(c),
		p.DeliveryModes.check("backchannel_token_delivery_mode", c.DeliveryMode, UnauthorizedClient), // it may be registered under an earlier profile
		r.bounded(),
		r.hint(),
		r.scope(c, s),
		r.notification(c),
		r.message(p),
		r.userCode(c, s),
		r.expiry(),
		r.context(),
		CheckResources(r.Resource, s),
		checkDetails(AuthorizationRequest{AuthorizationDetails: r.AuthorizationDetails}, c, s),
	)
}

// CheckBackchannelClient refuses a client that did not register for CIBA.
func CheckBackchannelClient(c Client) error {
	may := !c.ResourceServer() && (c.DeliveryMode == Push || c.DeliveryMode != "" && c.Grants(GrantCIBA))
	return refusal(!may, UnauthorizedClient, "CIBA §13", "the client is not registered for backchannel authentication")
}

func (r BackchannelRequest) bounded() error {
	tooLong := limits("CIBA §13")
	return first(
		tooLong("scope", r.Scope, maxScope),
		tooLong("acr_values", r.ACRValues, maxScope),
		tooLong("login_hint", r.LoginHint, maxURI),
		tooLong("login_hint_token", r.LoginHintToken, maxHintToken),
		tooLong("id_token_hint", r.IDTokenHint, maxHint),
		tooLong("authorization_details", r.AuthorizationDetails, maxDetails),
		tooLong("request_context", r.RequestContext, maxRequestContext),
		refusal(strings.ContainsFunc(r.ACRValues, notInScope), InvalidRequest, "CIBA §7.1", "acr_values has a character that is not permitted"),
		refusal(!utf8.ValidString(r.LoginHint), InvalidRequest, "CIBA §7.1", "login_hint is not UTF-8"),
	)
}

func (r BackchannelRequest) hint() error {
	hints := len(r.Hints())
	return first(
		refusal(hints == 0, InvalidRequest, "CIBA §7.1", "one of login_hint, login_hint_token and id_token_hint is required"),
		refusal(hints > 1, InvalidRequest, "CIBA §7.1", "login_hint, login_hint_token and id_token_hint exclude each other"),
	)
}

func (r BackchannelRequest) scope(c Client, s Server) error {
	return first(
		refusal(r.Scope == "", InvalidRequest, "CIBA §7.1", "scope is required"),
		AuthorizationRequest{Scope: r.Scope}.scope(c, s),
		refusal(!slices.Contains(r.Scopes(), "openid"), InvalidScope, "CIBA §7.1", "scope must contain openid"),
	)
}

// notification checks the token that the client will be called with. One of a
// client that polls is never used, and is ignored.
func (r BackchannelRequest) notification(c Client) error {
	if c.DeliveryMode == Poll {
		return nil
	}
	token := r.NotificationToken
	return first(
		refusal(token == "", InvalidRequest, "CIBA §7.1", "client_notification_token is required in the modes ping and push"),
		refusal(len(token) > maxNotificationToken, InvalidRequest, "CIBA §7.1", "client_notification_token is longer than 1024 characters"),
		refusal(!b64token(token), InvalidRequest, "RFC 6750 §2.1", "client_notification_token has a character that is not permitted"),
		refusal(len(token) < minNotificationToken, InvalidRequest, "CIBA §7.1", "client_notification_token is too short for 128 bits of entropy"),
	)
}

func b64token(s string) bool {
	s = strings.TrimRight(s, "=")
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-._~+/", c))
	})
}

// message checks what the customer will compare on two screens.
func (r BackchannelRequest) message(p Profile) error {
	long := utf8.RuneCountInString(r.BindingMessage) > maxBindingMessage
	missing := r.BindingMessage == "" && r.AuthorizationDetails == ""
	return first(
		refusal(missing && p.BackchannelContext.Demanded, InvalidRequest, p.BackchannelContext.By, "binding_message is required where no authorization_details are sent"),
		refusal(long || !printable(r.BindingMessage), InvalidBindingMessage, "CIBA §13", "binding_message must be at most 64 printable characters without markup or direction marks"),
		refusal(r.BindingMessage != "" && !legible(r.BindingMessage), InvalidBindingMessage, "CIBA §13", "binding_message must have something to see, and not many marks on one character"),
	)
}

// legible reports whether a customer sees something that can be compared, and
// that it stays in its line: marks that pile up cover what stands around them.
func legible(s string) bool {
	const maxMarks = 3 // on one character
	seen, marks := false, 0
	for _, c := range s {
		if marks++; !unicode.IsMark(c) {
			marks = 0
			blank := unicode.IsSpace(c) || c == '\u2800' || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, c) // fillers are letters
			seen = seen || !blank
		}
		if marks > maxMarks {
			return false
		}
	}
	return seen
}

func (r BackchannelRequest) userCode(c Client, s Server) error {
	code := r.UserCode
	return first(
		refusal(code != "" && !(s.UserCodes && c.UserCodes), InvalidRequest, "CIBA §7.1", "user_code was sent by a client that is not registered for it"),
		refusal(len(code) > maxUserCode || !printable(code), InvalidUserCode, "CIBA §13", "user_code must be at most 64 printable bytes"),
	)
}

func (r BackchannelRequest) expiry() error {
	digits := strings.TrimLeft(r.RequestedExpiry, "0123456789") == ""
	positive := strings.TrimLeft(r.RequestedExpiry, "0") != ""
	return refusal(r.RequestedExpiry != "" && !(digits && positive && len(r.RequestedExpiry) <= 10), InvalidRequest, "CIBA §7.1", "requested_expiry must be a positive number of seconds")
}

func (r BackchannelRequest) context() error {
	if r.RequestContext == "" {
		return nil
	}
	_, object := uniqueMembers([]byte(r.RequestContext))
	return refusal(!object || !utf8.ValidString(r.RequestContext), InvalidRequest, "FAPI-CIBA-ID1 §5.3", "request_context must be a JSON object")
}
