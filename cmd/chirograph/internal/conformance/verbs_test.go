package conformance

import (
	"errors"
	"fmt"
	"maps"
	"time"
)

// verbs returns the statements of the language.
func verbs() map[string]func(*session, []word) error {
	return map[string]func(*session, []word) error{
		"client": become, "with": tweak, "browser": switchBrowser, "back": goBack, "advance": advance, "everywhere": everywhere, "save": save,
		"par": pushRequest, "redeem": redeem, "refresh": refresh, "client_credentials": clientCredentials,
		"introspect": introspect, "revoke": revoke, "userinfo": userinfo, "resource": readResource,
		"backchannel": askCustomer, "poll": poll, "decide": decideFor, "answer": answerWith, "called": called, "uncalled": uncalled, "delivery": checkDelivery,
		"register": register, "manage": manage, "get": get, "post": post,
		"open": open, "sign-in": signIn, "approve": approve, "deny": deny, "confirm": confirm, "cancel": cancel, "submit": submit, "visit": visit, "press": pressButton,
		"status": checkStatus, "json": checkJSON, "header": checkHeader, "callback": checkCallback, "idtoken": checkIDToken,
		"token": checkToken, "page": checkPage, "body": checkBody, "expect": expect, "race": race, "together": together,
	}
}

// errUsage says that a line is not how its statement is written.
var errUsage = errors.New("the statement is not written like this")

func become(s *session, args []word) error {
	if len(args) != 1 {
		return errUsage
	}
	return s.use(args[0].text)
}

func tweak(s *session, args []word) error {
	for _, w := range args {
		name, value, ok := w.field()
		if !ok {
			return errUsage
		}
		if err := s.tweaks.add(name, value); err != nil {
			return err
		}
	}
	return nil
}

func advance(s *session, args []word) error {
	if len(args) != 1 {
		return errUsage
	}
	d, err := time.ParseDuration(args[0].text)
	if err != nil || d < 0 {
		return fmt.Errorf("%s is not a duration", args[0].text)
	}
	s.house.clock.advance(d)
	return nil
}

// everywhere waits until all nodes have heard of what was acknowledged.
func everywhere(s *session, args []word) error {
	if len(args) != 0 {
		return errUsage
	}
	return s.house.everywhere()
}

// race runs a statement n times at once and demands one success, and of the
// others that they are refused cleanly. Where nodes race for a code a replay may
// be seen before the tokens are issued, and then nobody gets any.
func race(s *session, args []word) error {
	forks, n, err := s.concurrently(args)
	if err != nil {
		return err
	}
	none := len(forks) == 0 && s.house.nodes > 1 && args[1].text == "redeem"
	if len(forks) != 1 && !none {
		return fmt.Errorf("%d of %d succeeded, want one", len(forks), n)
	}
	return nil
}

// together runs a statement n times at once and demands that all succeed, with
// access tokens of their own.
func together(s *session, args []word) error {
	forks, n, err := s.concurrently(args)
	if err != nil {
		return err
	}
	different := map[string]bool{}
	for _, f := range forks {
		different[f.saved["token"]] = true
	}
	if len(forks) != n || len(different) != n {
		return fmt.Errorf("%d of %d succeeded with %d different tokens", len(forks), n, len(different))
	}
	return nil
}

// concurrently runs the statement in args[1:] as often as args[0] says, keeps
// what the first that succeeded saved, and returns all that succeeded.
func (s *session) concurrently(args []word) (succeeded []*session, n int, err error) {
	if len(args) < 2 {
		return nil, 0, errUsage
	}
	verb := verbs()[args[1].text]
	if _, err := fmt.Sscan(args[0].text, &n); err != nil || n < 2 || verb == nil {
		return nil, 0, errUsage
	}
	forks, failures := make([]*session, n), make(chan error, n)
	for i := range forks {
		forks[i] = s.fork()
		go func() { failures <- verb(forks[i], args[2:]) }()
	}
	for range forks {
		err = errors.Join(err, <-failures)
	}
	s.tweaks = tweaks{}
	for _, f := range forks {
		switch status := f.answer.status; {
		case status < 400 && (status < 300 || f.back.Has("code")):
			succeeded = append(succeeded, f)
		case status >= 500 || status < 400:
			err = errors.Join(err, fmt.Errorf("one was answered with %d: %.200s", status, f.answer.body))
		}
	}
	if len(succeeded) > 0 {
		first := succeeded[0]
		maps.Copy(s.saved, first.saved)
		s.back, s.answer = first.back, first.answer
	}
	return succeeded, n, err
}
