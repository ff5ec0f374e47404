package api

import (
	"net/http"
	"slices"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/subject"
)

// listDevices shows a customer what can answer requests in their name.
func (s *Server) listDevices(v *visit, who Session) error {
	return s.showDevices(v, who, problem{})
}

func (s *Server) showDevices(v *visit, who Session, p problem) error {
	ctx := v.Request().Context()
	state, _, err := s.Subjects.Get(ctx, who.Subject)
	if err != nil {
		return err
	}
	view := devicesView{Problem: p, Recent: freshly(v, who)}
	if view.Passkeys, err = s.ownPasskeys(v, who, state); err != nil {
		return err
	}
	for _, d := range state.Devices() {
		view.Devices = append(view.Devices, deviceItem{d.ID, d.Name, s.clientName(ctx, d.Client), d.Receiver != ""})
	}
	if view.Add, err = s.offerRegistration(v, who, state); err != nil {
		return err
	}
	title := "Your passkeys and devices"
	if p.Text != "" {
		title = "Problem: " + title
	}
	return s.show(v, p.status(), "mydevices", title, view, "")
}

type devicesView struct {
	Passkeys []passkeyItem
	Devices  []deviceItem
	Add      passkeyView // empty where passkeys cannot be
	Recent   bool        // the customer signed in a moment ago
	Problem  problem
}

type passkeyItem struct{ ID, Name, Since, Used string }

type deviceItem struct {
	ID, Name, Client string
	Told             bool // it is told of requests
}

func (s *Server) ownPasskeys(v *visit, who Session, state subject.State) (items []passkeyItem, err error) {
	all, err := s.Passkeys.Passkeys(v.Request().Context(), who.Subject)
	for _, p := range all {
		if !state.Bound(boundAs(p.ID)) {
			continue
		}
		item := passkeyItem{ID: p.ID, Name: p.Name, Since: dayOf(p.Created)}
		if !p.Used.IsZero() {
			item.Used = momentOf(p.Used)
		}
		items = append(items, item)
	}
	return items, err
}

// removePasskey ends a passkey: it counts no more from the moment this is
// answered.
func (s *Server) removePasskey(v *visit, who Session) error {
	ctx, id := v.Request().Context(), v.Param("passkey")
	state, _, err := s.Subjects.Get(ctx, who.Subject)
	if err != nil {
		return err
	}
	if !state.Bound(boundAs(id)) {
		return nothingThere("there is no such passkey")
	}
	_, err = s.Subjects.Execute(ctx, s.ownMeta(v, who), who.Subject, subject.RemoveCredential{
		CredentialRemoved: subject.CredentialRemoved{ID: boundAs(id)}})
	if err == nil {
		err = s.Passkeys.Remove(ctx, who.Subject, id)
	}
	if err != nil {
		return err
	}
	return v.Redirect(http.StatusSeeOther, v.Tenant.URL+"/my/devices")
}

// removeDevice ends a device of a bank's own app.
func (s *Server) removeDevice(v *visit, who Session) error {
	ctx, id := v.Request().Context(), v.Param("device")
	state, _, err := s.Subjects.Get(ctx, who.Subject)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(state.Devices(), func(d subject.DeviceBound) bool { return d.ID == id }) {
		return nothingThere("there is no such device")
	}
	_, err = s.Subjects.Execute(ctx, s.ownMeta(v, who), who.Subject, subject.UnbindDevice{
		DeviceUnbound: subject.DeviceUnbound{ID: id, By: "customer"}})
	if err != nil {
		return err
	}
	return v.Redirect(http.StatusSeeOther, v.Tenant.URL+"/my/devices")
}

// ownMeta is the metadata of what a customer does about themselves.
func (s *Server) ownMeta(v *visit, who Session) event.Meta {
	m := s.meta(v, event.ActorCustomer)
	m.Subject, m.Session = who.Subject, who.ID
	m.Correlation = string(s.Subjects.Stream(who.Subject))
	return m
}
