package api

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/chirograph/chirograph/domain/backchannel"
)

// approving is what a passkey signs for: exactly what was shown of one request.
const approving = "chirograph backchannel approval"

// approval is the ceremony that approves what was shown of a request. What is
// signed is told apart from everything else by its challenge (Web
// Authentication, Section 13.4.3), which anybody can compute again from what
// the log keeps of the approval.
func (s *Server) approval(v *visit, who Session, id, shown, nonce string) (Ceremony, bool, error) {
	state, _, err := s.Subjects.Get(v.Request().Context(), who.Subject)
	c, ok := s.ceremony(v, who.Subject, state, digestOf(approving, v.Tenant.URL, id, shown, nonce))
	return c, ok && err == nil, err
}

// offerApproval is what the page carries, nothing if the customer has no
// passkey.
func (s *Server) offerApproval(v *visit, who Session, id, shown string) (passkeyView, error) {
	nonce, carried := s.newNonce(v, approving, who.ID, id, shown)
	c, ok, err := s.approval(v, who, id, shown, nonce)
	if err != nil || !ok {
		return passkeyView{}, err
	}
	options, err := s.Passkeys.RequestOptions(v.Request().Context(), c)
	if errors.Is(err, ErrNoPasskey) {
		return passkeyView{}, nil
	}
	return passkeyView{string(options), carried, passkeyScript.name}, err
}

// approveWithPasskey takes a yes that a passkey signed.
func (s *Server) approveWithPasskey(v *visit, who Session, a answer, params url.Values) error {
	a.method, a.shown, a.accounts = backchannel.Passkey, params.Get("shown"), params["account"]
	nonce, err := s.openNonce(v, params.Get("ceremony"), approving, who.ID, a.id, a.shown)
	if err != nil {
		return err
	}
	c, ok, err := s.approval(v, who, a.id, a.shown, nonce)
	if err != nil {
		return err
	}
	response := []byte(params.Get("passkey"))
	used := Passkey{}
	if err = ErrPasskey; ok {
		used, err = s.Passkeys.Assert(v.Request().Context(), c, response, v.At)
	}
	if errors.Is(err, ErrPasskey) || errors.Is(err, ErrPasskeyCopied) || errors.Is(err, ErrNoPasskey) {
		s.Log.WarnContext(v.Request().Context(), "a passkey is refused", "issuer", v.Tenant.ID, "backchannel", a.id, "err", err)
		return s.askOnPage(v, who, a.id, passkeyRefused)
	}
	if err != nil {
		return err
	}
	a.acr, a.amr, a.authTime = ACRPasskey, used.factors(), v.At
	if a.proof, err = proofOf(v.Tenant.URL, c, used, a, nonce, response); err != nil {
		return err
	}
	return s.approveAsked(v, who, a)
}

var passkeyRefused = problem{
	Text: "The passkey did not work. Nothing is approved yet. Try again, or use your password.", Field: "password", Status: http.StatusBadRequest,
}

// A passkeyProof is all that it takes to verify an approval again: the parts of
// the challenge, the key, and the assertion as the browser sent it. The nonce
// and the hash of what was shown are among the parts.
type passkeyProof struct {
	Challenge    [5]string       `json:"challenge"` // SHA-256 over each behind its length in four bytes
	RelyingParty string          `json:"rp_id"`
	Origin       string          `json:"origin"`
	Credential   string          `json:"credential"`
	PublicKey    string          `json:"public_key"` // COSE_Key, base64url
	Assertion    json.RawMessage `json:"assertion"`
}

func proofOf(issuer string, c Ceremony, used Passkey, a answer, nonce string, response []byte) (string, error) {
	raw, err := json.Marshal(passkeyProof{
		Challenge: [5]string{approving, issuer, a.id, a.shown, nonce}, RelyingParty: c.RelyingParty, Origin: c.Origin,
		Credential: boundAs(used.ID), PublicKey: base64.RawURLEncoding.EncodeToString(used.PublicKey), Assertion: response,
	})
	return string(raw), err
}
