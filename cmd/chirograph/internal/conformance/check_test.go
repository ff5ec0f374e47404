package conformance

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// errMismatch is an answer that is not as the script wants it. The script goes
// on after it.
type errMismatch struct{ text string }

func (e *errMismatch) Error() string { return e.text }

func mismatch(format string, args ...any) error { return &errMismatch{fmt.Sprintf(format, args...)} }

func checkStatus(s *session, args []word) error {
	if len(args) != 1 {
		return errUsage
	}
	for want := range strings.SplitSeq(args[0].text, "|") {
		if want == strconv.Itoa(s.answer.status) || want == fmt.Sprintf("%dxx", s.answer.status/100) {
			return nil
		}
	}
	return mismatch("status %d, want %s: %.300s", s.answer.status, args[0].text, s.answer.body)
}

func checkJSON(s *session, args []word) error {
	body, err := s.answer.json()
	if err != nil {
		return mismatch("%v", err)
	}
	return checkMember(body, args)
}

func checkHeader(s *session, args []word) error {
	if len(args) == 0 {
		return errUsage
	}
	values := s.answer.header.Values(args[0].text)
	return compare(args[0].text, strings.Join(values, ", "), len(values) > 0, args[1:])
}

func checkCallback(s *session, args []word) error {
	if len(args) == 0 {
		return errUsage
	}
	if s.back == nil {
		return mismatch("the browser is not at the client: %d %.300s", s.answer.status, s.browser.view.text)
	}
	name := args[0].text
	return compare(name, s.back.Get(name), s.back.Has(name), args[1:])
}

func checkIDToken(s *session, args []word) error { return checkJWT(s.saved["id_token"], args) }
func checkToken(s *session, args []word) error   { return checkJWT(s.saved["token"], args) }

// checkJWT judges a claim, or with "header." before it a header parameter.
func checkJWT(jwt string, args []word) error {
	part := 1
	if len(args) > 0 && strings.HasPrefix(args[0].text, "header.") {
		part = 0
		args = append([]word{{text: strings.TrimPrefix(args[0].text, "header.")}}, args[1:]...)
	}
	claims, err := payload(jwt, part)
	if err != nil {
		return mismatch("%v", err)
	}
	return checkMember(claims, args)
}

func checkPage(s *session, args []word) error {
	return compare("the page", s.browser.view.text, true, args)
}

func checkBody(s *session, args []word) error {
	return compare("the body", string(s.answer.body), true, args)
}

func expect(_ *session, args []word) error {
	if len(args) < 2 {
		return errUsage
	}
	return compare("the value", args[0].text, args[0].text != "", args[1:])
}

func checkMember(object map[string]any, args []word) error {
	if len(args) == 0 {
		return errUsage
	}
	value, found := member(object, args[0].text)
	return compare(args[0].text, text(value), found, args[1:])
}

// member finds a.b.0.c in an object.
func member(object any, path string) (any, bool) {
	if object, ok := object.(map[string]any); ok && object[path] != nil {
		return object[path], true
	}
	name, rest, more := strings.Cut(path, ".")
	var value any
	switch o := object.(type) {
	case map[string]any:
		value = o[name]
	case []any:
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(o) {
			value = o[i]
		}
	}
	if value == nil || !more {
		return value, value != nil
	}
	return member(value, rest)
}

// text writes a JSON value as scripts do: strings plainly, the rest as JSON.
func text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	raw, _ := json.Marshal(value) // it was JSON before
	return string(raw)
}

// compare judges a value with a relation: present, absent, or one with a value.
func compare(name, got string, found bool, args []word) error {
	if len(args) == 1 && (args[0].text == "present" || args[0].text == "absent") {
		if found != (args[0].text == "present") {
			return mismatch("%s is %q, want it %s", name, got, args[0].text)
		}
		return nil
	}
	if len(args) != 2 {
		return errUsage
	}
	want := args[1].text
	holds, err := relate(got, args[0].text, want)
	if err == nil && (!holds || !found && args[0].text != "!=" && args[0].text != "lacks") {
		err = mismatch("%s is %q, want it %s %q", name, got, args[0].text, want)
	}
	return err
}

func relate(got, relation, want string) (bool, error) {
	switch relation {
	case "==":
		return got == want, nil
	case "!=":
		return got != want, nil
	case "contains":
		return strings.Contains(got, want), nil
	case "lacks":
		return !strings.Contains(got, want), nil
	case "matches":
		return regexp.MatchString(want, got)
	case "<=", ">=":
		a, errA := strconv.ParseFloat(got, 64)
		b, errB := strconv.ParseFloat(want, 64)
		return errA == nil && errB == nil && (relation == "<=" && a <= b || relation == ">=" && a >= b), nil
	}
	return false, errUsage
}

// save keeps a value of the last answer under a name.
func save(s *session, args []word) error {
	if len(args) < 2 {
		return errUsage
	}
	name, from, path := args[0].text, args[1].text, ""
	if len(args) == 3 {
		path = args[2].text
	}
	value, found := s.pick(from, path)
	if !found {
		return fmt.Errorf("there is no %s %s: %.300s", from, path, s.answer.body)
	}
	s.saved[name] = value
	return nil
}

func (s *session) pick(from, path string) (value string, found bool) {
	switch from {
	case "body":
		return string(s.answer.body), true
	case "header":
		return s.answer.header.Get(path), s.answer.header.Get(path) != ""
	case "callback":
		return s.back.Get(path), s.back.Has(path)
	case "json":
		body, err := s.answer.json()
		value, found := member(body, path)
		return text(value), err == nil && found
	case "value":
		return path, true
	}
	return "", false
}
