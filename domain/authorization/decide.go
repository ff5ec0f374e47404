package authorization

import (
	"crypto/subtle"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// Command is the closed set of things one can ask of a journey. A command
// carries everything the decision needs, the time and new identifiers included.
//
//sumtype:decl
type Command interface{ isCommand() }

type (
	Push         struct{ Pushed }
	Authenticate struct{ SubjectAuthenticated }
	Grant        struct {
		Granted
		Browser string // hash of the cookie, as in SubjectAuthenticated
		At      time.Time
	}
	Deny struct {
		Denied
		Browser string // not asked for if the platform denies
	}
	IssueCode struct {
		CodeIssued
		Browser string
	}
	// Redeem presents a code at the token endpoint. The client is
	// authenticated; JKT is the thumbprint of its DPoP key, if any.
	Redeem struct {
		CodeRedeemed
		Code        oauth.Artefact
		Client      string
		RedirectURI string
		Verifier    string
		JKT         string
		Evidence    oauth.Evidence
		At          time.Time
	}
	NoteExpiry struct{ At time.Time }
)

func (Push) isCommand()         {}
func (Authenticate) isCommand() {}
func (Grant) isCommand()        {}
func (Deny) isCommand()         {}
func (IssueCode) isCommand()    {}
func (Redeem) isCommand()       {}
func (NoteExpiry) isCommand()   {}

// Decide returns the events that cmd causes, or why it is refused.
func (s State) Decide(cmd Command) ([]Event, error) {
	switch cmd := cmd.(type) {
	case Push:
		if s.status != nothing {
			return nil, ErrExists
		}
		return []Event{cmd.Pushed}, nil
	case Authenticate:
		return s.authenticate(cmd)
	case Grant:
		return s.grant(cmd)
	case Deny:
		return s.deny(cmd)
	case IssueCode:
		return s.issueCode(cmd)
	case Redeem:
		return s.redeem(cmd)
	case NoteExpiry:
		if s.status != pushed || s.noted || cmd.At.Before(s.pushed.Expires) {
			return nil, nil
		}
		return []Event{Expired{}}, nil
	}
	panic("authorization: unknown command")
}

// authenticate binds the first browser in which a customer is authenticated;
// in that browser the customer may authenticate again.
func (s State) authenticate(cmd Authenticate) ([]Event, error) {
	switch {
	case s.status == nothing:
		return nil, ErrUnknown
	case s.status != pushed:
		return nil, ErrDecided
	case cmd.Subject == "" || cmd.Browser == "":
		return nil, ErrNobody
	case s.person.Subject == "":
		return []Event{cmd.SubjectAuthenticated}, nil
	case s.person.Browser != cmd.Browser:
		return nil, ErrOtherBrowser
	case s.person.Subject != cmd.Subject:
		return nil, ErrOtherSubject
	case !cmd.AuthTime.After(s.person.AuthTime):
		return nil, nil
	}
	return []Event{cmd.SubjectAuthenticated}, nil
}

func (s State) grant(cmd Grant) ([]Event, error) {
	switch {
	case s.status == nothing:
		return nil, ErrUnknown
	case s.status != pushed:
		return nil, ErrDecided
	case s.person.Subject == "":
		return nil, ErrNobody
	case s.person.Browser != cmd.Browser:
		return nil, ErrOtherBrowser
	case s.person.Subject != cmd.Subject:
		return nil, ErrOtherSubject
	case !cmd.At.Before(cmd.Expires):
		return nil, ErrExpired
	}
	return []Event{cmd.Granted}, nil
}

// deny needs no customer: who has not signed in may cancel too. Once a browser
// is bound, only that one may.
func (s State) deny(cmd Deny) ([]Event, error) {
	switch {
	case s.status == nothing:
		return nil, ErrUnknown
	case s.status != pushed:
		return nil, ErrDecided
	case s.person.Subject != "" && cmd.By != System && s.person.Browser != cmd.Browser:
		return nil, ErrOtherBrowser
	}
	return []Event{cmd.Denied}, nil
}

func (s State) issueCode(cmd IssueCode) ([]Event, error) {
	switch {
	case !s.Decided():
		return nil, ErrNotGranted
	case !s.Completable():
		return nil, ErrDecided
	case s.person.Browser != cmd.Browser:
		return nil, ErrOtherBrowser
	}
	return []Event{cmd.CodeIssued}, nil
}

// redeem spends the code once. Presented again by the genuine client it leads
// to CodeReplayed, recorded once; the caller compares Redeemed with what it
// asked for. Anybody else is only refused.
func (s State) redeem(cmd Redeem) ([]Event, error) {
	if err := s.Genuine(cmd); err != nil {
		return nil, err
	}
	switch {
	case s.status == redeemed && s.replays > 0:
		return nil, nil
	case s.status == redeemed:
		return []Event{CodeReplayed{cmd.Evidence}}, nil
	case !cmd.At.Before(s.code.Expires):
		return nil, oauth.Refuse(oauth.InvalidGrant, "RFC 6749 §4.1.2", "the code has expired")
	}
	return []Event{cmd.CodeRedeemed}, nil
}

// Genuine returns why what is presented is not a code of this journey in the
// hands of its client, spent or not, or nil. Until it is asked nothing of the
// journey may show in an answer: its id is no secret.
func (s State) Genuine(cmd Redeem) error {
	bad := func(by oauth.Clause, description string) error {
		return oauth.Refuse(oauth.InvalidGrant, by, description)
	}
	switch {
	case s.status < coded || !cmd.Code.Matches(s.code.Digest):
		return bad("RFC 6749 §5.2", "the code is not valid")
	case cmd.Client != s.pushed.Client:
		return bad("RFC 6749 §4.1.3", "the code was issued to another client")
	case cmd.RedirectURI != "" && cmd.RedirectURI != s.request.RedirectURI:
		return bad("RFC 6749 §4.1.3", "redirect_uri is not the one of the authorization request")
	case cmd.RedirectURI == "" && s.request.RedirectURI != "":
		return bad("RFC 6749 §4.1.3", "redirect_uri is required as in the authorization request")
	case s.pushed.JKT != "" && subtle.ConstantTimeCompare([]byte(s.pushed.JKT), []byte(cmd.JKT)) == 0:
		return bad("RFC 9449 §10", "the code is bound to another DPoP key")
	}
	return oauth.CheckVerifier(cmd.Verifier, s.request.CodeChallenge)
}
