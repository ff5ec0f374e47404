package api

import (
	"mime"
	"net/http"
	"net/url"

	"github.com/chirograph/chirograph/domain/oauth"
)

// chosenAgain are the fields of which a page may send several.
var chosenAgain = map[string]bool{"account": true}

// pageForm reads a form that one of our pages sent.
func pageForm(r *http.Request) (url.Values, error) {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		e := oauth.Refuse(oauth.InvalidRequest, "RFC 9110 §15.5.16", "the media type must be application/x-www-form-urlencoded")
		return nil, &httpError{e, http.StatusUnsupportedMediaType, 0}
	}
	raw, err := body(r)
	if err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, oauth.Refuse(oauth.InvalidRequest, "RFC 6749 App. B", "the body is not form-encoded")
	}
	for field, sent := range values {
		if len(sent) > 1 && !chosenAgain[field] {
			return nil, oauth.Refuse(oauth.InvalidRequest, "RFC 6749 §3.1", "a field is sent more than once")
		}
	}
	return values, nil
}

// ours refuses forms that another site made a browser send.
func ours(serve func(*Server, *visit) error) func(*Server, *visit) error {
	return func(s *Server, v *visit) error {
		if err := ownForm(v.Request()); err != nil {
			return err
		}
		return serve(s, v)
	}
}

func ownForm(r *http.Request) error {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		e := oauth.Refuse(oauth.AccessDenied, "", "the form was sent from another site")
		e.Cause = err
		return &httpError{e, http.StatusForbidden, 0}
	}
	return nil
}
