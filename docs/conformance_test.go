package docs_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/openid"
)

// The table of every profile is printed from the value that the rules read.
func TestConformance(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(catalogue.Profiles)) {
		folder := "domain/fapi"
		if _, is := openid.Profiles[name]; is {
			folder = "domain/openid"
		}
		begin := "<!-- generated from " + folder + ": " + name + " -->"
		compare(t, "conformance.md", begin, "<!-- end of "+name+" -->", demands(catalogue.Profiles[name]))
	}
}

func demands(p oauth.Profile) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n`%s`\n\n| field of the profile | demand | clause |\n|---|---|---|\n", p.Name)
	for _, d := range p.Demands() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", d.Field, d.Demand, linked(d.By))
	}
	return b.String() + "\n"
}

// texts are where the specifications of a clause can be read.
var texts = map[string]string{
	"FAPI2-SP":      "https://openid.net/specs/fapi-security-profile-2_0-final.html#section-",
	"FAPI-CIBA-ID1": "https://openid.net/specs/openid-financial-api-ciba-ID1.html#" + coarse,
	"CIBA":          "https://openid.net/specs/openid-client-initiated-backchannel-authentication-core-1_0.html#" + coarse,
	"OIDC-Core":     "https://openid.net/specs/openid-connect-core-1_0.html#" + coarse,
}

// coarse begins the anchors of texts that have none for items of a list.
const coarse = "rfc.section."

func linked(c oauth.Clause) string {
	spec, section, found := strings.Cut(string(c), " §")
	if at := texts[spec]; found && at != "" {
		if strings.HasSuffix(at, coarse) {
			section, _, _ = strings.Cut(section, "-")
		}
		return fmt.Sprintf("[%s](%s%s)", c, at, section)
	}
	return string(c)
}
