package api

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

// A presentation is a backchannel request as its customer is shown it.
type presentation struct {
	id      string
	request backchannel.Requested
	asked   question
	offer   offer
	page    template.HTML
	shown   string // SHA-256 of page, base64url
}

// An answer is what a customer, or who may speak for one, says to a backchannel
// request.
type answer struct {
	id, subject string
	session     string // of the customer's browser, "" on a device
	method      string // [backchannel.Password] and so on
	device      string
	proof       string

	// Of a yes.
	shown    string // hash of what was approved
	accounts []string
	acr      string
	amr      []string
	authTime time.Time
}

// presentBackchannel returns what a customer is to be shown of a request, which
// is in the log by then. It refuses with the errors of [backchannel.State.Answerable].
// A request of which nothing could be approved is denied at once, so that its
// client need not wait, and so is [backchannel.ErrDecided].
func (s *Server) presentBackchannel(v *visit, id, subject, device string) (presentation, error) {
	ctx := v.Request().Context()
	state, _, err := s.Backchannels.Load(ctx, id)
	if err != nil {
		return presentation{}, err
	}
	p, err := s.presentation(v, id, subject, state)
	if err != nil {
		return p, s.unoffered(v, id, state, err)
	}
	if v.Request().Method == http.MethodHead { // nobody sees a page
		return p, nil
	}
	_, err = s.Backchannels.Execute(ctx, s.backchannelMeta(v, id, state, answer{}), id, backchannel.Show{Subject: subject, At: v.At,
		Shown: backchannel.Shown{Device: device, Shown: p.shown, Template: requestTemplate, Locale: locale, Rendered: string(p.page)}})
	return p, err
}

// presentation is what the customer would be shown now.
func (s *Server) presentation(v *visit, id, subject string, state backchannel.State) (presentation, error) {
	if err := state.Answerable(subject, v.At); err != nil {
		return presentation{}, err
	}
	ctx, r := v.Request().Context(), state.Requested()
	known, err := s.knownClient(ctx, v.Tenant, r.Client)
	if err != nil {
		return presentation{}, err
	}
	opened, err := s.begun(ctx, s.Backchannels.Stream(id))
	if err != nil {
		return presentation{}, err
	}
	p := presentation{id: id, request: r, asked: question{
		id: id, subject: subject, client: oauth.Client{ID: r.Client, ClientMetadata: known.Metadata()},
		scope: r.Scope, details: r.Details, opened: opened, elsewhere: true, message: r.BindingMessage,
	}}
	if p.offer, err = s.offer(ctx, v.Tenant, p.asked, v.At); err != nil {
		return p, err
	}
	p.page, p.shown, err = s.explain(v.Tenant, p.asked, p.offer)
	return p, err
}

// begun is when the first event of a stream was recorded.
func (s *Server) begun(ctx context.Context, stream eventstore.Stream) (time.Time, error) {
	for e, err := range s.Journal.Log.ReadStream(ctx, stream, 0) {
		return e.Recorded, err
	}
	return time.Time{}, backchannel.ErrUnknown
}

// unoffered denies a request that asks for nothing that could be shared.
func (s *Server) unoffered(v *visit, id string, state backchannel.State, err error) error {
	reason := ""
	if end, ok := errors.AsType[*ending](err); ok {
		reason = end.refusal.Description
	} else if errors.Is(err, errNoAccounts) {
		reason = "the customer has no account that can be shared"
	}
	if reason == "" {
		return err
	}
	m := s.backchannelMeta(v, id, state, answer{})
	m.Actor = event.ActorSystem
	_, err = s.Backchannels.Execute(v.Request().Context(), m, id, backchannel.Deny{At: v.At,
		Denied: backchannel.Denied{By: backchannel.System, Reason: reason}})
	if err == nil {
		err = backchannel.ErrDecided
	}
	return err
}

// approveBackchannel takes a yes, which counts only if it is to exactly what
// would be shown now, and was: else it refuses with [backchannel.ErrNotShown].
// The first append decides between racers; the losers get
// [backchannel.ErrDecided].
func (s *Server) approveBackchannel(v *visit, a answer) error {
	ctx := v.Request().Context()
	state, _, err := s.Backchannels.Load(ctx, a.id)
	if err != nil {
		return err
	}
	return settle(ctx, s.Backchannels, s.backchannelMeta(v, a.id, state, a), a.id, func(state backchannel.State, revision eventstore.Revision) ([]eventstore.Draft, error) {
		p, err := s.presentation(v, a.id, a.subject, state)
		if err != nil {
			return nil, s.unoffered(v, a.id, state, err)
		}
		if p.shown != a.shown {
			return nil, backchannel.ErrNotShown
		}
		yes, err := p.approved(a)
		if err != nil {
			return nil, err
		}
		approved, err := s.Backchannels.Draft(a.id, state, revision, backchannel.Approve{Approved: yes, At: v.At})
		if err != nil {
			return nil, err
		}
		agreed, err := s.consentOf(a.id, state.Evolve(yes), v.At)
		return []eventstore.Draft{approved, agreed}, err
	})
}

// approved is the yes in full. Accounts that were not offered do not count.
func (p presentation) approved(a answer) (backchannel.Approved, error) {
	g, err := p.offer.grant(a.accounts)
	return backchannel.Approved{
		Consent: newID(), Subject: a.subject, Scope: p.request.Scope, Details: g.Details, Permissions: g.Permissions, Expires: g.Expires, Asked: g.Asked,
		Shown: p.shown, Template: requestTemplate, Locale: locale,
		ACR: a.acr, AMR: a.amr, AuthTime: a.authTime, Method: a.method, Device: a.device, Proof: a.proof,
	}, err
}

// denyBackchannel takes a no. With notMe the customer says that somebody else
// started it; then the client is flagged for staff to look into. The client is
// told no more than of any other no.
func (s *Server) denyBackchannel(v *visit, a answer, notMe bool) error {
	ctx := v.Request().Context()
	state, _, err := s.Backchannels.Load(ctx, a.id)
	if err != nil {
		return err
	}
	m := s.backchannelMeta(v, a.id, state, a)
	after, err := s.Backchannels.Execute(ctx, m, a.id, backchannel.Deny{Subject: a.subject, At: v.At, Denied: backchannel.Denied{
		By: backchannel.Customer, Reason: "the customer denied the request", NotMe: notMe, Method: a.method, Device: a.device, Proof: a.proof}})
	if err != nil || !after.Denied().NotMe {
		return err
	}
	_, failure := s.Clients.Execute(ctx, m, state.Requested().Client, client.Flag{Flagged: client.Flagged{
		Backchannel: a.id, Reason: "the customer did not start the request"}})
	if failure != nil {
		s.Log.ErrorContext(ctx, "a client cannot be flagged", "client", state.Requested().Client, "backchannel", a.id, "err", failure)
	}
	return nil
}

// backchannelMeta is the metadata of what is done about a request.
func (s *Server) backchannelMeta(v *visit, id string, state backchannel.State, a answer) event.Meta {
	m := s.meta(v, event.ActorCustomer)
	if a.method == backchannel.Automatic {
		m.Actor = event.ActorSystem
	}
	m.Client, m.Subject, m.Session = state.Requested().Client, state.Requested().Subject, a.session
	m.Correlation = string(s.Backchannels.Stream(id))
	return m
}
