package conformance

import (
	"net/http"
	"regexp"
	"strings"
)

// permitted are the characters of error_description (RFC 6749, Section 5.2).
var permitted = regexp.MustCompile(`^[\x20-\x21\x23-\x5b\x5d-\x7e]*$`)

// sound returns what is wrong with an answer whatever the script expects of
// it.
func (a answer) sound(r request) error {
	switch {
	case a.status >= http.StatusInternalServerError:
		return mismatch("the server failed with %d: %.300s", a.status, a.body)
	case a.status == http.StatusTemporaryRedirect || a.status == http.StatusPermanentRedirect: // FAPI2-SP §5.3.2.2-2.10
		return mismatch("a redirect with %d repeats the form at its target", a.status)
	case r.method == "POST" && a.status/100 == 3 && a.status != http.StatusSeeOther: // FAPI2-SP §5.3.2.2-2.11
		return mismatch("a form was answered with %d", a.status)
	case a.header.Get("Access-Control-Allow-Origin") != "": // FAPI2-SP §5.2.3-2.3
		return mismatch("%s permits other origins", r.url)
	case r.method == "OPTIONS":
		return nil
	case a.header.Get("X-Content-Type-Options") != "nosniff":
		return mismatch("X-Content-Type-Options is missing from %s", r.url)
	case !strings.Contains(a.header.Get("Cache-Control"), "no-store") && !strings.Contains(a.header.Get("Cache-Control"), "public"):
		return mismatch("Cache-Control of %s is %q", r.url, a.header.Get("Cache-Control"))
	}
	return a.soundError()
}

// soundError judges an error response of RFC 6749, Section 5.2.
func (a answer) soundError() error {
	body, err := a.json()
	if err != nil || body["error"] == nil {
		return nil
	}
	description, isText := body["error_description"].(string)
	switch media := a.header.Get("Content-Type"); {
	case !strings.HasPrefix(media, "application/json"):
		return mismatch("an error comes as %s", media)
	case !strings.Contains(a.header.Get("Cache-Control"), "no-store"):
		return mismatch("an error may be cached")
	case !isText || !permitted.MatchString(description):
		return mismatch("error_description has characters that are not permitted: %q", description)
	}
	return nil
}
