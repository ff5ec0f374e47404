package platform

import (
	"fmt"
	"net/http"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/projections"
)

// history tells a customer what happened under her consent, in her words.
// What only machines do among themselves is left out, and the same thing
// again on the same day is counted.
func history(entries []projections.Entry) []api.HistoryLine {
	var lines []api.HistoryLine
	times := 0
	for i, e := range entries {
		sentence := inCustomersWords(e)
		if sentence == "" {
			continue
		}
		if n := len(lines); n > 0 && again(lines[n-1], entries[i].Time, sentence, times) {
			times++
			lines[n-1].Sentence = fmt.Sprintf("%s, %d times", sentence, times)
			continue
		}
		times = 1
		lines = append(lines, api.HistoryLine{Time: e.Time, Sentence: sentence})
	}
	return lines
}

func again(last api.HistoryLine, at time.Time, sentence string, times int) bool {
	said := sentence
	if times > 1 {
		said = fmt.Sprintf("%s, %d times", sentence, times)
	}
	return last.Sentence == said && last.Time.UTC().Format(time.DateOnly) == at.UTC().Format(time.DateOnly)
}

// inCustomersWords is "" for what says nothing to a customer.
func inCustomersWords(e projections.Entry) string {
	client := "The app"
	if e.Client != nil {
		client = e.Client.Name
	}
	switch body := e.Body.(type) {
	case authorization.Pushed:
		return client + " asked for access"
	case authorization.SubjectAuthenticated:
		return "You signed in to decide"
	case authorization.Denied:
		return "Nothing was shared: " + body.Reason
	case authorization.CodeReplayed:
		return "A login of " + client + " was used twice, so we ended it"
	case consent.Authorized:
		return "You agreed to share"
	case consent.Amended:
		return "You changed what you share"
	case consent.Reauthenticated:
		return "You confirmed that you go on sharing"
	case consent.Suspended:
		return "Sharing was paused"
	case consent.Superseded:
		return "A newer agreement took the place of this one"
	case consent.Expired:
		return "The time you agreed to is over"
	case consent.Revoked:
		return stopped(body.By, client)
	case token.RefreshRevoked:
		return client + " gave its access back"
	case access.Recorded:
		return accessed(body, client)
	}
	return ""
}

func stopped(by consent.Party, client string) string {
	switch by {
	case consent.Customer:
		return "You stopped sharing"
	case consent.Client:
		return client + " ended the sharing"
	}
	return "We ended the sharing"
}

func accessed(r access.Recorded, client string) string {
	what := map[string]string{
		oauth.ReadAccounts: "your account details", oauth.ReadBalances: "your balances", oauth.ReadTransactions: "your transactions",
	}[r.Permission]
	if what == "" {
		what = "your data"
	}
	if r.Result >= http.StatusBadRequest {
		return client + " tried to read " + what + " and was refused"
	}
	return client + " read " + what
}
