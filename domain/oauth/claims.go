package oauth

import (
	"encoding/json"
	"slices"
	"strings"
)

// A ClaimsRequest is the claims parameter (OIDC-Core, Section 5.5).
type ClaimsRequest struct {
	Userinfo map[string]*ClaimRequest `json:"userinfo"`
	IDToken  map[string]*ClaimRequest `json:"id_token"`
}

// A ClaimRequest says how much one claim matters. A nil one asks for the claim
// in the default manner.
type ClaimRequest struct {
	Essential bool  `json:"essential"`
	Value     any   `json:"value"`
	Values    []any `json:"values"`
}

// ParseClaims reads the claims parameter. Unknown claims are kept and later
// ignored.
func ParseClaims(raw string) (ClaimsRequest, error) {
	var c ClaimsRequest
	if raw == "" {
		return c, nil
	}
	object := strings.HasPrefix(strings.TrimLeft(raw, " \t\r\n"), "{") // null would pass for no claims
	if err := json.Unmarshal([]byte(raw), &c); err != nil || !object {
		return c, Refuse(InvalidRequest, "OIDC-Core §5.5", "claims is not a JSON object of the form that section defines")
	}
	return c, nil
}

// EssentialACR returns the acr values of which one is essential, if any
// (OIDC-Core, Section 5.5.1.1).
func (c ClaimsRequest) EssentialACR() []string {
	asked := c.IDToken["acr"]
	if asked == nil || !asked.Essential {
		return nil
	}
	values := asked.Values
	if asked.Value != nil {
		values = append(slices.Clone(values), asked.Value)
	}
	var acrs []string
	for _, v := range values {
		if s, ok := v.(string); ok {
			acrs = append(acrs, s)
		}
	}
	return acrs
}

// RequestedSubject returns the sub that the claims parameter insists on.
func (c ClaimsRequest) RequestedSubject() string {
	if asked := c.IDToken["sub"]; asked != nil {
		s, _ := asked.Value.(string)
		return s
	}
	return ""
}

func checkClaims(r AuthorizationRequest, s Server) error {
	c, err := ParseClaims(r.Claims)
	if err != nil {
		return err
	}
	essential := c.EssentialACR()
	met := len(essential) == 0 || slices.ContainsFunc(essential, func(a string) bool { return slices.Contains(s.ACRs, a) })
	return refusal(!met, UnmetAuthenticationRequirements, "OIDC-Core §5.5.1.1", "none of the essential acr values can be met")
}

// ScopeClaims are the claims that a scope stands for (OIDC-Core, Section 5.4).
var ScopeClaims = map[string][]string{
	"profile": {"name", "given_name", "family_name", "birthdate", "locale", "zoneinfo", "updated_at"},
	"email":   {"email", "email_verified"},
	"phone":   {"phone_number", "phone_number_verified"},
	"address": {"address"},
}

// UserinfoClaims lists the claims that the userinfo endpoint may return for a
// grant, sub apart.
func UserinfoClaims(scope string, c ClaimsRequest) []string {
	var names []string
	for _, s := range strings.Fields(scope) {
		names = append(names, ScopeClaims[s]...)
	}
	for name := range c.Userinfo {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
