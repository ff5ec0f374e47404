package resource

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/domain/oauth"
)

func TestPresent(t *testing.T) {
	tests := []struct {
		name    string
		query   string
		headers []string
		want    string // token
		err     error
	}{
		{"a DPoP token is read", "", []string{"DPoP abc.def"}, "abc.def", nil},
		{"the scheme may be in any case", "", []string{"bEARER abc"}, "abc", nil},
		{"and be followed by more than one space", "", []string{"Bearer   abc"}, "abc", nil},
		{"a request without credentials has no token", "", nil, "", ErrNoToken},
		{"nor has one with another scheme", "", []string{"Basic abc"}, "", ErrNoToken},
		{"a scheme alone is malformed", "", []string{"Bearer"}, "", oauth.InvalidRequest},
		{"so is a token with a space", "", []string{"Bearer a b"}, "", oauth.InvalidRequest},
		{"or with a character no token has", "", []string{"Bearer a\"b"}, "", oauth.InvalidRequest},
		{"or one that is too long", "", []string{"Bearer " + strings.Repeat("a", maxToken+1)}, "", oauth.InvalidRequest},
		{"two headers are refused", "", []string{"Bearer a", "Bearer a"}, "", oauth.InvalidRequest},
		{"a token in the query is refused", "access_token=a", nil, "", oauth.InvalidRequest},
		{"even beside one in the header", "access_token=", []string{"Bearer a"}, "", oauth.InvalidRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &http.Request{Method: "GET", URL: &url.URL{Path: "/x", RawQuery: tt.query}, Header: http.Header{"Authorization": tt.headers}}
			p, err := Present(r, []string{"https://rs.example/x"}, nil)
			if p.Token != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v; want %q, %v", p.Token, err, tt.want, tt.err)
			}
		})
	}
}

func FuzzPresent(f *testing.F) {
	f.Add("DPoP abc", "", "proof")
	f.Add("Bearer  a,b", "access_token=x", "")
	f.Add("bearer\t", "%zz;access_token", "a b")
	f.Fuzz(func(t *testing.T, authorization, query, proof string) {
		r := &http.Request{
			Method: "GET", URL: &url.URL{Path: "/x", RawQuery: query},
			Header: http.Header{"Authorization": {authorization}, "Dpop": {proof}},
		}
		p, err := Present(r, nil, nil)
		if err != nil {
			if p.Token != "" {
				t.Error("a refused request has a token")
			}
			return
		}
		known := strings.EqualFold(p.Scheme, "DPoP") || strings.EqualFold(p.Scheme, "Bearer")
		if !known || p.Token == "" || len(p.Token) > maxToken || strings.ContainsFunc(p.Token, notInToken) {
			t.Errorf("accepted %q as %q with the scheme %q", authorization, p.Token, p.Scheme)
		}
	})
}
