package samplebank

import (
	"net/http"
	"net/url"
	"time"

	"github.com/chirograph/chirograph/api/resource"
	"github.com/chirograph/chirograph/domain/oauth"
)

// transactions answers for the days from "from" to "to", both included. The
// response says which days these were: never before the first day that the
// consent covers.
func (b Bank) transactions(r *http.Request, p resource.Pass) (resource.Answer, error) {
	a, err := named(r, p)
	if err != nil {
		return resource.Answer{}, err
	}
	from, to, err := period(r.URL.RawQuery, b.Now(), p.HistoryFrom(a.ID))
	if err != nil {
		return resource.Answer{}, err
	}
	return resource.Answer{Accounts: []string{a.ID}, Body: struct {
		Account      string        `json:"account_id"`
		From         string        `json:"from"`
		To           string        `json:"to"`
		Transactions []transaction `json:"transactions"`
	}{a.ID, from.Format(time.DateOnly), to.Format(time.DateOnly), a.booked(from, to)}}, nil
}

// period returns the days that are asked for, as far as there are any: not
// before the bank's or the consent's first day, and not after today.
func period(query string, now time.Time, first string) (from, to time.Time, err error) {
	params, err := url.ParseQuery(query)
	if err != nil {
		return from, to, badPeriod("the query is malformed")
	}
	from, to = oldest(now), day(now)
	if first != "" {
		begin, err := time.Parse(time.DateOnly, first)
		if err != nil {
			return from, to, err
		}
		if begin.After(from) {
			from = begin
		}
	}
	asked, err := date(params, "from", from)
	if err != nil {
		return from, to, err
	}
	until, err := date(params, "to", to)
	if err != nil {
		return from, to, err
	}
	if params.Has("from") && params.Has("to") && asked.After(until) {
		return from, to, badPeriod("from is after to")
	}
	if asked.After(from) {
		from = asked
	}
	if until.Before(to) {
		to = until
	}
	return from, to, nil
}

func date(params url.Values, name string, otherwise time.Time) (time.Time, error) {
	switch values := params[name]; len(values) {
	case 0:
		return otherwise, nil
	case 1:
		if d, err := time.Parse(time.DateOnly, values[0]); err == nil {
			return d, nil
		}
	}
	return time.Time{}, badPeriod(name + " must be one date, YYYY-MM-DD")
}

func badPeriod(description string) error {
	return oauth.Refuse(oauth.InvalidRequest, "RFC 9110 §15.5.1", description)
}
