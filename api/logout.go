package api

import (
	"errors"
	"net/http"
)

// askSignOut asks before it ends a session, whoever led here: no
// post_logout_redirect_uri can be registered, so there is nowhere to go without
// asking (OIDC RP-Initiated Logout, Section 2).
func (s *Server) askSignOut(v *visit) error {
	_, err := s.session(v)
	if err != nil && !errors.Is(err, ErrNoSession) {
		return err
	}
	if err != nil {
		return s.show(v, http.StatusOK, "signedout", "You are signed out", nil, "")
	}
	return s.show(v, http.StatusOK, "signout", "Sign out", nil, "")
}

// signOut ends the session. A client may post here too; then the customer is
// asked.
func (s *Server) signOut(v *visit) error {
	if ownForm(v.Request()) != nil {
		return v.Redirect(http.StatusSeeOther, v.Tenant.URL+"/logout")
	}
	if err := s.endSession(v); err != nil {
		return err
	}
	setCookie(v, sessionCookie(v.Tenant), "")
	setCookie(v, browserCookie, "") // who uses the browser next does not go on with this customer's requests
	return v.Redirect(http.StatusSeeOther, v.Tenant.URL+"/logout")
}
