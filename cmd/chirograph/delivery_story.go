package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/chirograph/chirograph/projections"
)

// tellDelivery writes what the log proves of a delivery, a line a fact.
func tellDelivery(w io.Writer, raw json.RawMessage) error {
	var s projections.DeliveryStory
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	line := func(title, text string) { fmt.Fprintf(w, "%-12s %s\n", title, printable(text)) }
	line("delivery", fmt.Sprintf("%s, a %s, %s", s.ID, s.Kind.Noun(), s.Status))
	line("to", strings.Join(named("client", s.Client, "device", s.Device), ", "))
	line("about", strings.Join(named("backchannel", s.Backchannel, "consent", s.Consent, "event", s.Cause), ", "))
	line("says", s.Says)
	sent := "sent"
	if s.Attempts == 0 {
		sent = "to be sent"
	}
	line(sent, fmt.Sprintf("POST %s %s, sha256 %s", s.Receiver, s.Media, s.Digest))
	if s.Secrets {
		line("body", "holds secrets: only its digest is in the log")
	} else {
		line("body", s.Body)
	}
	for _, step := range s.Steps {
		line(stepWords(step))
	}
	if len(s.Erased) > 0 {
		line("erased", strings.Join(s.Erased, ", "))
	}
	return nil
}

// named writes pairs of a word and a value, save those without a value.
func named(pairs ...string) (all []string) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			all = append(all, pairs[i]+" "+pairs[i+1])
		}
	}
	return all
}

// stepWords says what happened to a delivery, when, and where the log has it.
func stepWords(s projections.DeliveryStep) (title, said string) {
	title, said = s.Step, moment(s.Time)
	switch s.Step {
	case "scheduled":
		said += " until " + moment(s.Until)
	case "attempted":
		title = fmt.Sprintf("attempt %d", s.N)
		said += fmt.Sprintf(" %s after %d ms", cmp.Or(s.Failure, fmt.Sprint(s.Status)), s.Took)
		if s.Answer != "" {
			said += ": " + s.Answer
		}
		if !s.Next.IsZero() {
			said += ", next at " + moment(s.Next)
		}
	case "delivered":
		said += fmt.Sprintf(" by attempt %d", s.N)
	case "parked":
		said += " by the " + s.By + ": " + s.Reason
	case "rescheduled":
		said += " by the " + s.By + ", until " + moment(s.Until)
	}
	return title, said + fmt.Sprintf(" [%d]", s.Position)
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }
