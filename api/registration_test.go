package api

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func FuzzParseRegistration(f *testing.F) {
	f.Add(`{"client_name":"a","client_name":"b","jwks":{"keys":[]}}`)
	f.Add(`{"Client_Secret":"x","redirect_uris":null}`)
	f.Add(`{"default_max_age":1e9,"client_id":7}`)
	f.Fuzz(func(t *testing.T, body string) {
		sent, err := parseRegistration([]byte(body))
		if err != nil {
			return
		}
		var members map[string]json.RawMessage
		if json.Unmarshal([]byte(body), &members) != nil || sent.raw != body {
			t.Errorf("accepted %q, kept %q", body, sent.raw)
		}
		for name := range members {
			if slices.Contains(neverSent, strings.ToLower(name)) {
				t.Errorf("%s is in the body that the log would keep", name)
			}
		}
		if members["client_name"] == nil && sent.metadata.ClientName != "" {
			t.Errorf("client_name was taken from another member of %q", body)
		}
	})
}
