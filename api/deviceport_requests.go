package api

import (
	"net/http"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"
)

// A portRequest is a backchannel request that waits, in a list.
type portRequest struct {
	ID      string    `json:"request"`
	Client  string    `json:"client_name"`
	Asked   time.Time `json:"asked"`
	Expires time.Time `json:"exp"`
}

// portRequests lists the requests that wait for the customer.
func (s *Server) portRequests(v *visit, c portCaller) error {
	ctx := v.Request().Context()
	waiting, err := s.waitingFor(ctx, c.subject, v.At)
	if err != nil {
		return err
	}
	all := []portRequest{}
	for _, w := range waiting {
		all = append(all, portRequest{w.ID, s.clientName(ctx, w.Client), w.Asked.UTC(), w.Expires.UTC()})
	}
	return v.JSON(http.StatusOK, map[string]any{"requests": all})
}

// A portPresentation is what a device shows its customer. The text is what
// counts: shown is its hash, and the device's answer signs that. The rest
// repeats parts of it for an app's own layout.
type portPresentation struct {
	ID             string        `json:"request"`
	ClientID       string        `json:"client_id"`
	ClientName     string        `json:"client_name"`
	BindingMessage string        `json:"binding_message,omitempty"`
	Scope          string        `json:"scope"`
	ACRValues      []string      `json:"acr_values,omitempty"`
	Accounts       []portAccount `json:"accounts"`
	Text           string        `json:"text"`
	Media          string        `json:"text_media_type"`
	Locale         string        `json:"locale"`
	Shown          string        `json:"shown"` // SHA-256 of Text, base64url
	Expires        time.Time     `json:"exp"`
}

type portAccount struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Number   string `json:"number"`
	Currency string `json:"currency,omitempty"`
	Asked    bool   `json:"asked,omitempty"` // the client names it
}

// portRequest returns what the device that the query names is to show, and
// records that it was.
func (s *Server) portRequest(v *visit, c portCaller) error {
	id, err := askedOf(v)
	if err != nil {
		return err
	}
	device, err := deviceOf(c, v.QueryParam("device"))
	if err != nil {
		return err
	}
	p, err := s.presentBackchannel(v, id, c.subject, device.ID)
	if err != nil {
		return err
	}
	view := portPresentation{
		ID: id, ClientID: p.asked.client.ID, ClientName: displayName(p.asked.client), BindingMessage: p.request.BindingMessage,
		Scope: p.request.Scope, ACRValues: p.request.ACRValues, Accounts: []portAccount{},
		Text: string(p.page), Media: "text/html", Locale: locale, Shown: p.shown, Expires: p.request.Expires.UTC(),
	}
	for _, a := range p.offer.accounts {
		view.Accounts = append(view.Accounts, portAccount{a.ID, a.Name, a.Number, a.Currency, p.offer.named[a.ID]})
	}
	return v.JSON(http.StatusOK, view)
}

func deviceOf(c portCaller, id string) (subject.DeviceBound, error) {
	device, found := c.state.Device(id)
	if !found {
		return device, oauth.Refuse(oauth.InvalidRequest, "CIBA §8", "device must be one of the customer's")
	}
	return device, nil
}

// answerOnPort takes the answer that a device of the customer signed.
func (s *Server) answerOnPort(v *visit, c portCaller) error {
	id, err := askedOf(v)
	if err != nil {
		return err
	}
	compact, err := portBody(v.Request(), "application/jose") // RFC 7515 §9.2.1
	if err != nil {
		return err
	}
	said, device, err := s.signedAnswer(c, string(compact))
	if err == nil {
		err = said.CheckAnswer(v.Tenant.URL, device.ID, id, v.At)
	}
	if err != nil {
		return err
	}
	a := answer{
		id: id, subject: c.subject, method: backchannel.DeviceKey, device: device.ID, proof: said.Raw,
		shown: said.Shown, accounts: said.Accounts, acr: ACRDevice, amr: []string{"swk", "user"}, authTime: v.At,
	}
	if said.Decision == oauth.DeviceApproves {
		err = s.approveBackchannel(v, a)
	} else {
		err = s.denyBackchannel(v, a, said.Decision == oauth.DeviceNotMe)
	}
	if err != nil {
		return err
	}
	return v.NoContent(http.StatusNoContent)
}

// signedAnswer finds the device of the customer whose key signed. One whose
// key was bound and is no longer does not count.
func (s *Server) signedAnswer(c portCaller, compact string) (oauth.DeviceStatement, subject.DeviceBound, error) {
	var why error
	for _, d := range c.state.Devices() {
		said, err := s.DeviceKeys.Answer(d.JWK, compact)
		if err == nil {
			return said, d, nil
		}
		why = err
	}
	e := oauth.Refuse(oauth.InvalidRequest, "RFC 7515 §5.2", "no device of the customer signed this")
	e.Cause = why
	return oauth.DeviceStatement{}, subject.DeviceBound{}, e
}
