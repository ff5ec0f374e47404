package oauth

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// ParseBackchannelClaims reads the parameters of a signed request out of its
// claims (CIBA, Section 7.1.1). Claims that it does not know are ignored.
// requested_expiry may be a number or a string.
func ParseBackchannelClaims(claims []byte) (BackchannelRequest, error) {
	members, ok := uniqueMembers(claims)
	if !ok {
		return BackchannelRequest{}, badClaim("the claims of the signed request must be a JSON object whose members occur once")
	}
	var r BackchannelRequest
	read := reading{members: members}
	read.text("scope", &r.Scope)
	read.text("client_notification_token", &r.NotificationToken)
	read.text("acr_values", &r.ACRValues)
	read.text("login_hint", &r.LoginHint)
	read.text("login_hint_token", &r.LoginHintToken)
	read.text("id_token_hint", &r.IDTokenHint)
	read.text("binding_message", &r.BindingMessage)
	read.text("user_code", &r.UserCode)
	read.seconds("requested_expiry", &r.RequestedExpiry)
	read.raw("authorization_details", '[', &r.AuthorizationDetails)
	read.raw("request_context", '{', &r.RequestContext)
	read.texts("resource", &r.Resource)
	return r, read.wrong
}

// ClaimedClient returns the client_id among the claims of a signed request, ""
// if there is none.
func ClaimedClient(claims []byte) (id string, err error) {
	members, _ := uniqueMembers(claims)
	read := reading{members: members}
	read.text("client_id", &id)
	return id, read.wrong
}

func badClaim(description string) error { return Refuse(InvalidRequest, "CIBA §7.1.1", description) }

// A reading of claims stops at the first one of the wrong type.
type reading struct {
	members map[string]json.RawMessage
	wrong   error
}

// get decodes a claim, unless it is absent or does not begin as one of the
// expected types does.
func (r *reading) get(name, begins string, to any) {
	raw, found := r.members[name]
	if !found || r.wrong != nil {
		return
	}
	if !strings.ContainsRune(begins, rune(raw[0])) || json.Unmarshal(raw, to) != nil {
		r.wrong = badClaim("the claim " + name + " has a value of the wrong type")
	}
}

func (r *reading) text(name string, to *string) { r.get(name, `"`, to) }

func (r *reading) seconds(name string, to *string) {
	var number json.Number // takes a string too
	r.get(name, `"0123456789-`, &number)
	*to = number.String()
}

func (r *reading) raw(name string, begins rune, to *string) {
	var raw json.RawMessage
	r.get(name, string(begins), &raw)
	*to = string(raw)
}

func (r *reading) texts(name string, to *[]string) {
	if raw := r.members[name]; len(raw) > 0 && raw[0] == '"' {
		var one string
		r.get(name, `"`, &one)
		*to = slices.DeleteFunc([]string{one}, func(s string) bool { return s == "" })
		return
	}
	var many []*string
	r.get(name, "[", &many)
	for _, one := range many {
		if one == nil {
			r.wrong = badClaim("the claim " + name + " has a value of the wrong type")
			return
		}
		*to = append(*to, *one)
	}
}

// uniqueMembers returns the members of a JSON object by their exact names, or
// false if it is something else or one occurs twice. The decoder by itself
// would take "SCOPE" for "scope" and the last of two.
func uniqueMembers(object []byte) (map[string]json.RawMessage, bool) {
	if !json.Valid(object) || !bytes.HasPrefix(bytes.TrimLeft(object, " \t\r\n"), []byte("{")) {
		return nil, false
	}
	members := map[string]json.RawMessage{}
	d := json.NewDecoder(bytes.NewReader(object))
	d.Token() // {
	for d.More() {
		name, _ := d.Token()
		member, _ := name.(string)
		var value json.RawMessage
		if _, again := members[member]; again || d.Decode(&value) != nil {
			return nil, false
		}
		members[member] = value
	}
	return members, true
}
