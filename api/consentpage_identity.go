package api

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/domain/oauth"
)

// A fact is something about a customer that a client will learn.
type fact struct{ Label, Value string }

// describeCustomer adds who the customer is and what the client would learn
// about that: the claims of userinfo and of the ID token, as far as the bank
// knows them.
func (s *Server) describeCustomer(ctx context.Context, q question, o *offer) error {
	known, err := s.Directory.Claims(ctx, q.subject)
	if err != nil {
		return err
	}
	o.customer, _ = known["name"].(string)
	if !slices.Contains(strings.Fields(q.scope), "openid") {
		return nil
	}
	asked, err := oauth.ParseClaims(q.claims)
	if err != nil {
		return err
	}
	names := append(oauth.UserinfoClaims(q.scope, asked), slices.Collect(maps.Keys(asked.IDToken))...)
	slices.Sort(names)
	o.identity = []fact{{"Who you are to us", "an identifier that stands for you, the same each time"}}
	for _, n := range slices.Compact(names) {
		value, found := known[n]
		if !found || strings.HasSuffix(n, "_verified") {
			continue
		}
		text, _ := value.(string)
		o.identity = append(o.identity, fact{claimLabel(n), text})
	}
	return nil
}

// claimLabel is what people call a claim (OIDC-Core, Section 5.1).
func claimLabel(claim string) string {
	if label, known := claimLabels[claim]; known {
		return label
	}
	return "Your " + strings.ReplaceAll(claim, "_", " ")
}

var claimLabels = map[string]string{
	"birthdate":    "Your date of birth",
	"email":        "Your e-mail address",
	"given_name":   "Your first name",
	"family_name":  "Your last name",
	"locale":       "Your language",
	"phone_number": "Your phone number",
	"updated_at":   "When your details last changed",
	"zoneinfo":     "Your time zone",
}
