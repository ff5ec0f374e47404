package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/oauth"
)

const maxConsentID = 128

// ownConsent reads a consent from its stream, so that what the page says is so
// at this moment. Other customers' consents do not exist.
func (s *Server) ownConsent(v *visit, who Session) (string, consent.State, error) {
	id := v.Param("consent")
	if id == "" || printableASCII(id, maxConsentID) != id {
		return "", consent.State{}, nothingThere("there is no such consent")
	}
	state, _, err := s.Consents.Load(v.Request().Context(), id)
	if err == nil && state.Subject() != who.Subject {
		err = nothingThere("there is no such consent")
	}
	return id, state, err
}

// showOwnConsent shows one consent, and everything that happened under it.
func (s *Server) showOwnConsent(v *visit, who Session) error {
	id, state, err := s.ownConsent(v, who)
	if err != nil {
		return err
	}
	view, err := s.ownView(v, who, id, state)
	if err != nil {
		return err
	}
	view.JustStopped = v.QueryParams().Has("stopped") && state.Status() == consent.Terminated
	history, err := s.Customers.History(v.Request().Context(), id)
	if err != nil {
		s.Log.ErrorContext(v.Request().Context(), "the history of a consent cannot be read", "consent", id, "err", err)
		view.HistoryMissing = true
	}
	for _, line := range history {
		view.History = append(view.History, historyView{momentOf(line.Time), line.Sentence})
	}
	return s.show(v, http.StatusOK, "myconsent", "What you share with "+view.Client, view, "")
}

type ownView struct {
	ID, Client     string
	Standing       standing
	CanStop        bool
	Until          string
	Access         []accessView
	Identity       []string
	History        []historyView
	HistoryMissing bool
	JustStopped    bool
}

type historyView struct{ Time, Sentence string }

func (s *Server) ownView(v *visit, who Session, id string, state consent.State) (ownView, error) {
	view := ownView{
		ID: id, Client: s.clientName(v.Request().Context(), state.Client()), Until: momentOf(state.Expires()),
		Standing: standingOf(state.Status(), state.Expires(), v.At),
		CanStop:  state.Alive(v.At) || state.Status() == consent.Stopped,
	}
	known, err := s.Directory.Claims(v.Request().Context(), who.Subject)
	if err != nil {
		return view, err
	}
	view.Identity = identityWords(state.Scope(), known)
	own, err := s.Directory.Accounts(v.Request().Context(), who.Subject)
	if err != nil {
		return view, err
	}
	for _, d := range state.Details() {
		view.Access = append(view.Access, accessView{Clusters: clusters(d), Only: enumerate(accountNames(own, d.Accounts)), Purpose: d.Purpose})
	}
	return view, nil
}

func accountNames(own []Account, ids []string) []string {
	var names []string
	for _, id := range ids {
		i := slices.IndexFunc(own, func(a Account) bool { return a.ID == id })
		if i < 0 {
			names = append(names, "an account that you no longer have")
			continue
		}
		names = append(names, own[i].Name+" "+own[i].Number)
	}
	return names
}

// identityWords lists what a scope tells of a customer, as far as it is known.
func identityWords(scope string, known map[string]any) []string {
	var words []string
	for _, claim := range oauth.UserinfoClaims(scope, oauth.ClaimsRequest{}) {
		if _, found := known[claim]; found && !strings.HasSuffix(claim, "_verified") {
			words = append(words, claimLabel(claim))
		}
	}
	return words
}
