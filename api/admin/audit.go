package admin

import (
	"errors"
	"strconv"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/projections"
)

// timeline tells everything about one thing, the oldest first.
func (s *Server) timeline(c *call) (any, error) {
	page, err := s.paged(c)
	if err != nil {
		return nil, err
	}
	q := projections.Query{Oldest: true, Page: page}
	if !about(&q, c.PathValue("kind"), c.PathValue("id")) {
		return nil, invalid("there is no timeline of that kind")
	}
	return s.Projections.Audit.Search(c.Context(), q)
}

// about lets a query select what belongs to one thing.
func about(q *projections.Query, kind, id string) bool {
	field := map[projections.Kind]*string{
		projections.OfConsent: &q.Consent, projections.OfClient: &q.Client, projections.OfCustomer: &q.Customer,
		projections.OfToken: &q.Token, projections.OfRefresh: &q.Refresh, projections.OfAuthorization: &q.Authorization,
		projections.OfBackchannel: &q.Backchannel, projections.OfDelivery: &q.Delivery,
		projections.OfInteraction: &q.Interaction, projections.OfIssuer: &q.Issuer, projections.OfKey: &q.Key,
	}[projections.Kind(kind)]
	if field == nil {
		return false
	}
	*field = id
	return true
}

func (s *Server) search(c *call) (any, error) {
	page, err := s.paged(c, "client", "customer", "consent", "token", "backchannel", "delivery", "type", "result", "interaction", "from", "to", "oldest", "as_of")
	if err != nil {
		return nil, err
	}
	q := projections.Query{
		Client: c.param("client"), Customer: c.param("customer"), Consent: c.param("consent"), Token: c.param("token"),
		Backchannel: c.param("backchannel"), Delivery: c.param("delivery"),
		Type: c.param("type"), Result: c.param("result"), Interaction: c.param("interaction"),
		Oldest: c.param("oldest") == "true", Page: page,
	}
	if q.From, err = c.instant("from"); err != nil {
		return nil, err
	}
	if q.To, err = c.instant("to"); err != nil {
		return nil, err
	}
	if q.AsOf, err = parsePosition(c.param("as_of")); err != nil {
		return nil, err
	}
	return s.Projections.Audit.Search(c.Context(), q)
}

// parsePosition reads a position, 0 if the text is empty.
func parsePosition(text string) (eventstore.Position, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 62)
	if err != nil {
		return 0, invalid("a position is a whole number")
	}
	return eventstore.Position(n), nil
}

// A Proof shows offline that an event is in the log.
type Proof struct {
	Position eventstore.Position `json:"position"`
	Record   []byte              `json:"record"` // canonical bytes of the event, base64
	Proof    string              `json:"proof"`  // C2SP tlog-proof, with the checkpoint
	Key      string              `json:"key"`    // of the checkpoint, as C2SP tools take it
}

func (s *Server) prove(c *call) (any, error) {
	at, err := parsePosition(c.PathValue("position"))
	if err != nil {
		return nil, err
	}
	return s.Ledger.Proof(c.Context(), at)
}

// Outcomes of a verification.
const (
	Verified     = "verified"
	Altered      = "altered"
	Unverifiable = "unverifiable"
)

// A Verification says what a full check of the log and of the tables has found.
type Verification struct {
	Outcome     string                   `json:"outcome"`
	Position    eventstore.Position      `json:"position,omitempty"` // the first that is known to differ
	What        string                   `json:"what,omitempty"`
	Report      ledger.Report            `json:"report"`
	Differences []projections.Difference `json:"differences"`
}

// Judge tells the outcome of a check from its error. Other errors are returned.
func Judge(r ledger.Report, err error) (Verification, error) {
	v := Verification{Outcome: Verified, Report: r, Differences: []projections.Difference{}}
	if altered, ok := errors.AsType[*ledger.AlteredError](err); ok {
		v.Outcome, v.Position, v.What = Altered, altered.Position, altered.Error()
		return v, nil
	}
	if rollback, ok := errors.AsType[*ledger.RollbackError](err); ok {
		v.Outcome, v.What = Altered, rollback.Error()
		return v, nil
	}
	if missing, ok := errors.AsType[*ledger.UnverifiableError](err); ok {
		v.Outcome, v.What = Unverifiable, missing.Error()
		return v, nil
	}
	return v, err
}

func (s *Server) verify(c *call) (any, error) {
	v, err := Judge(s.Ledger.Verify(c.Context()))
	if err != nil || v.Outcome != Verified {
		return v, err
	}
	found, err := s.Projections.Verify(c.Context())
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		v.Outcome, v.What, v.Differences = Altered, found[0].String(), found
		v.Position = found[0].Position
	}
	return v, nil
}
