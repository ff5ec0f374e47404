package api

import (
	"cmp"
	"context"
	"errors"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"

	"github.com/google/uuid"
)

// waitingFor returns the requests that a customer may answer, the newest first.
func (s *Server) waitingFor(ctx context.Context, subject string, now time.Time) ([]PendingRequest, error) {
	all, err := s.Pending.Pending(ctx, subject, now)
	slices.SortFunc(all, func(a, b PendingRequest) int { return cmp.Or(b.Asked.Compare(a.Asked), strings.Compare(b.ID, a.ID)) })
	return all, err
}

// versionOf tells two lists of waiting requests apart.
func versionOf(waiting []PendingRequest) string {
	var ids []string
	for _, w := range waiting {
		ids = append(ids, w.ID)
	}
	return hashOf(strings.Join(ids, " "))[:16]
}

// listRequests shows a customer what other screens ask for, and wait.
func (s *Server) listRequests(v *visit, who Session) error {
	ctx := v.Request().Context()
	waiting, err := s.waitingFor(ctx, who.Subject, v.At)
	if err != nil {
		return err
	}
	view := requestsView{Version: versionOf(waiting)}
	for _, w := range waiting {
		view.Requests = append(view.Requests, requestItem{w.ID, s.clientName(ctx, w.Client), clockOf(w.Asked), clockOf(w.Expires)})
	}
	return s.show(v, http.StatusOK, "requests", "Requests", view, "")
}

type requestsView struct {
	Version  string // of the list
	Requests []requestItem
}

type requestItem struct{ ID, Client, Asked, Expires string }

// askedOf is the request that the path names.
func askedOf(v *visit) (string, error) {
	id := v.Param("request")
	if !requestID(id) {
		return "", nothingThere("there is no such request")
	}
	return id, nil
}

func requestID(text string) bool { return len(text) == 36 && uuid.Validate(text) == nil }

// showRequest shows one request, and asks; or what became of it.
func (s *Server) showRequest(v *visit, who Session) error {
	id, err := askedOf(v)
	if err != nil {
		return err
	}
	return s.askOnPage(v, who, id, problem{})
}

func (s *Server) askOnPage(v *visit, who Session, id string, p problem) error {
	shown, err := s.presentBackchannel(v, id, who.Subject, "")
	if err != nil {
		return s.showOutcome(v, who, id, http.StatusOK, err)
	}
	waiting, err := s.waitingFor(v.Request().Context(), who.Subject, v.At)
	if err != nil {
		return err
	}
	passkey, err := s.offerApproval(v, who, id, shown.shown)
	if err != nil {
		return err
	}
	title := "Request of " + displayName(shown.asked.client)
	if p.Text != "" {
		title = "Problem: " + title
	}
	if p.After > 0 {
		v.Response().Header().Set("Retry-After", strconv.FormatInt(wholeSeconds(p.After), 10))
	}
	return s.show(v, p.status(), "request-device", title, requestPageView{
		ID: id, Client: displayName(shown.asked.client), Customer: shown.offer.customer, Version: versionOf(waiting),
		Shown: shown.shown, Request: shown.page, Expires: clockOf(shown.request.Expires), Passkey: passkey, Problem: p,
	}, "")
}

type requestPageView struct {
	ID, Client, Customer string
	Version              string
	Shown                string // hash of Request
	Request              template.HTML
	Expires              string
	Passkey              passkeyView // empty if the customer has none
	Problem              problem
}

// showOutcome says what became of a request that cannot be answered, for which
// reason is why. Of other customers' requests it says nothing.
func (s *Server) showOutcome(v *visit, who Session, id string, status int, reason error) error {
	if errors.Is(reason, backchannel.ErrUnknown) || errors.Is(reason, backchannel.ErrOtherSubject) {
		return nothingThere("there is no such request")
	}
	if !errors.Is(reason, backchannel.ErrDecided) && !errors.Is(reason, backchannel.ErrExpired) {
		return reason
	}
	ctx := v.Request().Context()
	state, _, err := s.Backchannels.Load(ctx, id)
	if err == nil {
		err = s.completeBackchannel(ctx, s.backchannelMeta(v, id, state, answer{session: who.ID}), id, state, v.At)
	}
	if err != nil {
		return err
	}
	view := outcomeOf(state)
	view.Client, view.Late = s.clientName(ctx, state.Requested().Client), status == http.StatusConflict
	return s.show(v, status, "outcome", view.Heading, view, "")
}

type outcomeView struct {
	Heading, Text string
	Good          bool
	Client        string
	Consent       string // that was given
	Late          bool   // who sees this has just answered, in vain
}

func outcomeOf(state backchannel.State) outcomeView {
	yes, no := state.Approved(), state.Denied()
	switch {
	case yes.Consent != "":
		return outcomeView{Heading: "You have approved this request", Good: true, Consent: yes.Consent,
			Text: "Go on at the other screen. You can put the phone away."}
	case no.NotMe:
		return outcomeView{Heading: "You have told us that this was not you",
			Text: "The request is denied, nothing is shared, and we look into who sent it. You can put the phone away."}
	case no.By == backchannel.System:
		return outcomeView{Heading: "This request could not be approved",
			Text: "Nothing is shared: " + no.Reason + ". You can put the phone away."}
	case no.By != "":
		return outcomeView{Heading: "You have denied this request",
			Text: "Nothing is shared. You can put the phone away."}
	}
	return outcomeView{Heading: "This request has run out",
		Text: "It was not answered in time, and nothing is shared. If you still want it, start again at the other screen."}
}
