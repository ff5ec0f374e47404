package backchannel

import (
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// Command is the closed set of things one can ask of a backchannel
// authentication. A command carries everything the decision needs, the time
// and new identifiers included.
//
//sumtype:decl
type Command interface{ isCommand() }

type (
	Request      struct{ Requested }
	NotifyDevice struct{ DeviceNotified }
	Show         struct {
		Shown
		Subject string // who looks at it
		At      time.Time
	}
	Approve struct {
		Approved
		At time.Time
	}
	Deny struct {
		Denied
		Subject string // who says no; not asked for if the platform denies
		At      time.Time
	}
	// Redeem presents auth_req_id at the token endpoint. The client is
	// authenticated.
	Redeem struct {
		Redeemed
		AuthReqID oauth.Artefact
		Client    string
		At        time.Time
	}
	// RedeemByPush issues what will be pushed.
	RedeemByPush struct {
		Redeemed
		At time.Time
	}
	// Fail gives up what cannot be pushed any more.
	Fail       struct{ Failed }
	NoteExpiry struct{ At time.Time }
)

func (Request) isCommand()      {}
func (NotifyDevice) isCommand() {}
func (Show) isCommand()         {}
func (Approve) isCommand()      {}
func (Deny) isCommand()         {}
func (Redeem) isCommand()       {}
func (RedeemByPush) isCommand() {}
func (Fail) isCommand()         {}
func (NoteExpiry) isCommand()   {}

// Decide returns the events that cmd causes, or why it is refused. No events
// and no error mean that cmd asks for what is already so.
func (s State) Decide(cmd Command) ([]Event, error) {
	switch cmd := cmd.(type) {
	case Request:
		return s.request(cmd)
	case NotifyDevice:
		if !s.Exists() {
			return nil, ErrUnknown
		}
		late := cmd.Device == PhonePage && s.Status() != "requested" // who has seen it need not be told
		return unless(late || s.Notified(cmd.Device), cmd.DeviceNotified)
	case Show:
		if err := s.Answerable(cmd.Subject, cmd.At); err != nil {
			return nil, err
		}
		_, already := s.shown[sight{cmd.Shown.Shown, cmd.Device}]
		return unless(already, cmd.Shown)
	case Approve:
		return s.approve(cmd)
	case Deny:
		return s.deny(cmd)
	case Redeem:
		return s.redeem(cmd)
	case RedeemByPush:
		return s.redeemByPush(cmd)
	case Fail:
		return s.fail(cmd)
	case NoteExpiry:
		open := s.status == requested || s.status == approved
		return unless(!open || s.noted || cmd.At.Before(s.requested.Expires), Expired{})
	}
	panic("backchannel: unknown command")
}

func unless(already bool, e Event) ([]Event, error) {
	if already {
		return nil, nil
	}
	return []Event{e}, nil
}

func (s State) request(cmd Request) ([]Event, error) {
	switch {
	case s.Exists():
		return nil, ErrExists
	case cmd.Client == "" || cmd.Subject == "":
		return nil, ErrNobody
	}
	return []Event{cmd.Requested}, nil
}

// Answerable returns why a customer may not look at or answer the request.
func (s State) Answerable(subject string, now time.Time) error {
	switch {
	case !s.Exists():
		return ErrUnknown
	case subject != s.requested.Subject:
		return ErrOtherSubject
	case s.Decided():
		return ErrDecided
	case s.noted, !now.Before(s.requested.Expires):
		return ErrExpired
	}
	return nil
}

// approve takes a yes to exactly what was shown.
func (s State) approve(cmd Approve) ([]Event, error) {
	if err := s.Answerable(cmd.Subject, cmd.At); err != nil {
		return nil, err
	}
	if _, seen := s.Shown(cmd.Shown); !seen {
		return nil, ErrNotShown
	}
	if !cmd.At.Before(cmd.Expires) {
		return nil, ErrExpired
	}
	return []Event{cmd.Approved}, nil
}

func (s State) deny(cmd Deny) ([]Event, error) {
	subject := cmd.Subject
	if cmd.By == System {
		subject = s.requested.Subject
	}
	if err := s.Answerable(subject, cmd.At); err != nil {
		return nil, err
	}
	return []Event{cmd.Denied}, nil
}

// redeem spends auth_req_id once (CIBA, Sections 10.1 and 11).
func (s State) redeem(cmd Redeem) ([]Event, error) {
	if err := s.Redeemable(cmd); err != nil {
		return nil, err
	}
	return []Event{cmd.Redeemed}, nil
}

// Redeemable returns why what is presented cannot be exchanged for tokens now,
// in the words of CIBA, Section 11, or nil. Who does not hold auth_req_id
// learns nothing of the request.
func (s State) Redeemable(cmd Redeem) error {
	refuse := func(code oauth.Code, description string) error { return oauth.Refuse(code, "CIBA §11", description) }
	switch {
	case !s.Names(cmd.AuthReqID) || cmd.Client != s.requested.Client:
		return refuse(oauth.InvalidGrant, "auth_req_id is not valid")
	case s.requested.Mode == oauth.Push:
		return refuse(oauth.UnauthorizedClient, "the tokens of this request are pushed")
	case s.status == redeemed:
		return refuse(oauth.InvalidGrant, "auth_req_id was used before")
	case s.status == denied && s.denied.Failed:
		return refuse(oauth.AccessDenied, "the authentication failed")
	case s.status == denied:
		return refuse(oauth.AccessDenied, "the customer did not approve the request")
	case !cmd.At.Before(s.requested.Expires):
		return refuse(oauth.ExpiredToken, "auth_req_id has expired")
	case s.status == requested:
		return refuse(oauth.AuthorizationPending, "the customer has not answered yet")
	}
	return nil
}

// lateness is how long after the expiry what the customer approved in the last
// moment may still be pushed.
const lateness = time.Minute

// redeemByPush spends auth_req_id for the client, which never presents it.
func (s State) redeemByPush(cmd RedeemByPush) ([]Event, error) {
	switch err := s.pushable(); {
	case err != nil || s.status == redeemed:
		return nil, err
	case s.status == failed:
		return nil, ErrDecided
	case !cmd.At.Before(s.requested.Expires.Add(lateness)):
		return nil, ErrExpired
	}
	return []Event{cmd.Redeemed}, nil
}

func (s State) fail(cmd Fail) ([]Event, error) {
	switch err := s.pushable(); {
	case err != nil || s.status == failed:
		return nil, err
	case s.status == redeemed:
		return nil, ErrDecided
	}
	return []Event{cmd.Failed}, nil
}

// pushable returns why nothing is pushed for the request, or nil if the
// customer has approved it, whatever came of that.
func (s State) pushable() error {
	switch {
	case !s.Exists() || s.requested.Mode != oauth.Push:
		return ErrUnknown
	case s.approved.Consent == "":
		return ErrNotApproved
	}
	return nil
}
