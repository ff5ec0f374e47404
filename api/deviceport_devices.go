package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// A boundDevice is a device as its app sees it.
type boundDevice struct {
	ID         string `json:"device_id"`
	Name       string `json:"name,omitempty"`
	Receiver   string `json:"receiver,omitempty"`
	Thumbprint string `json:"jkt"`
	Client     string `json:"client_id,omitempty"`
}

func shownDevice(d subject.DeviceBound) boundDevice {
	return boundDevice{d.ID, d.Name, d.Receiver, d.Thumbprint, d.Client}
}

// portDevices lists the customer's devices.
func (s *Server) portDevices(v *visit, c portCaller) error {
	all := []boundDevice{}
	for _, d := range c.state.Devices() {
		all = append(all, shownDevice(d))
	}
	return v.JSON(http.StatusOK, map[string]any{"devices": all})
}

// A deviceRegistration is what an app sends of the device that it is on.
type deviceRegistration struct {
	JWK      json.RawMessage `json:"jwk"`
	Name     string          `json:"name"`
	Receiver string          `json:"receiver"`
	Proof    string          `json:"proof"` // that the device has the key, and which customer and issuer it is for
}

// bindDevice makes a device one of the customer's. A key that is bound already
// stays as it is.
func (s *Server) bindDevice(v *visit, c portCaller) error {
	var sent deviceRegistration
	if err := portJSON(v.Request(), &sent); err != nil {
		return err
	}
	bound, once, err := s.proved(v, c, sent)
	if err != nil {
		return err
	}
	if known, found := c.state.Device(bound.ID); found {
		return v.JSON(http.StatusOK, shownDevice(known))
	}
	ctx := v.Request().Context()
	_, err = execute(ctx, s.Subjects.Streams, s.portMeta(v, c), c.subject, subject.Command(subject.BindDevice{DeviceBound: bound}), []eventstore.Once{once})
	switch {
	case errors.Is(err, subject.ErrDevices):
		return oauth.Refuse(oauth.InvalidRequest, "RFC 9110 §15.5.10", "the customer has as many devices as may be")
	case errors.Is(err, eventstore.ErrReplay):
		return oauth.Refuse(oauth.InvalidRequest, "RFC 7519 §4.1.7", "the proof was used before")
	case err != nil:
		return err
	}
	return v.JSON(http.StatusCreated, shownDevice(bound))
}

// proved checks that the device has the key, and what else is said of it.
func (s *Server) proved(v *visit, c portCaller, sent deviceRegistration) (bound subject.DeviceBound, once eventstore.Once, err error) {
	public, thumbprint, err := s.DeviceKeys.Key(sent.JWK)
	if err != nil {
		return bound, once, &oauth.Error{Code: oauth.InvalidRequest, By: "RFC 7517 §4", Description: "jwk is not a public key that can be used: " + err.Error()}
	}
	said, err := s.DeviceKeys.Registration(public, sent.Proof)
	if err != nil {
		return bound, once, &oauth.Error{Code: oauth.InvalidRequest, By: "RFC 7515 §5.2", Description: "proof is not genuine: " + err.Error()}
	}
	until, err := said.CheckRegistration(v.Tenant.URL, c.known, v.At)
	if err != nil {
		return bound, once, err
	}
	name := strings.TrimSpace(sent.Name)
	if len(name) > 64 || !printableText(name) {
		return bound, once, oauth.Refuse(oauth.InvalidRequest, "RFC 8259 §7", "name must be printable and have at most 64 bytes")
	}
	if sent.Receiver != "" && !receiver(sent.Receiver) {
		return bound, once, oauth.Refuse(oauth.InvalidRequest, "RFC 9110 §4.2.2", "receiver must be an https URL")
	}
	bound = subject.DeviceBound{
		ID: deviceID(c.subject, thumbprint), Thumbprint: thumbprint, JWK: public, Client: c.client, Receiver: sent.Receiver, Name: name,
	}
	return bound, onceKey(until, v.At, "device", v.Tenant.ID, thumbprint, said.ID), nil
}

// deviceID is the same whenever the same key is bound to the same customer, so
// that an app which missed the answer may ask again.
func deviceID(who, thumbprint string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:chirograph:device:"+who+":"+thumbprint)).String()
}

// receiver reports whether a URL may be told of requests. Where it leads is
// checked each time.
func receiver(address string) bool {
	u, err := url.Parse(address)
	return err == nil && len(address) <= 2048 && u.Scheme == "https" && u.Hostname() != "" && u.User == nil && u.Opaque == "" && u.Fragment == ""
}

// unbindDevice ends a device. Ending what is not there changes nothing.
func (s *Server) unbindDevice(v *visit, c portCaller) error {
	if _, found := c.state.Device(v.Param("device")); !found {
		return nothingThere("there is no such device")
	}
	_, err := s.Subjects.Execute(v.Request().Context(), s.portMeta(v, c), c.subject, subject.UnbindDevice{
		DeviceUnbound: subject.DeviceUnbound{ID: v.Param("device"), By: "customer"}})
	if err != nil {
		return err
	}
	return v.NoContent(http.StatusNoContent)
}
