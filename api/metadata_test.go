package api_test

import (
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/signingkey"
)

// The metadata name the algorithms that the issuer signs with, and no others of
// its profile.
func TestMetadataNameWhatSigns(t *testing.T) {
	to := newTown(t)
	check := func(want ...any) {
		t.Helper()
		got := members(t, to.serve(httptest.NewRequest("GET", siteURL+"/.well-known/openid-configuration", nil)))
		if !reflect.DeepEqual(got["id_token_signing_alg_values_supported"], want) {
			t.Errorf("got %v, want %v", got["id_token_signing_alg_values_supported"], want)
		}
	}
	check("ES256", "PS256") // which every issuer keeps unless told otherwise
	_, err := to.Issuers.Execute(t.Context(), event.Meta{}, "fapi2", issuer.ChangeKeyPolicy{KeyPolicyChanged: issuer.KeyPolicyChanged{Algorithms: []string{"PS256"}}})
	to.must(err)
	check("ES256", "PS256") // a key for the first still signs
	_, err = to.SigningKeys.Execute(t.Context(), event.Meta{}, "k1", signingkey.Retire{})
	to.must(err)
	check("PS256")
}
