package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/ask"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/dev"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/story"
	"github.com/chirograph/chirograph/domain/oauth"

	"github.com/spf13/cobra"
)

func newFlow() *cobra.Command {
	return group("flow", "Play a sample client of a running dev server", newCIBA())
}

func newCIBA() *cobra.Command {
	a, approve, deny := dev.Asking{}, false, false
	c := &cobra.Command{
		Use: "ciba", Short: "Ask a customer on the phone: by poll, ping or push", Args: exactly(),
		Long: `Sends an authentication request to the running dev server as one of its sample
clients, waits for the customer's answer in the client's delivery mode, reads
the accounts that were approved, and prints what the log says of it.

The customer answers on the phone page, whose address is printed. With --approve
or --deny this command signs in there and answers.`,
		Example: "  chirograph flow ciba --mode push --approve",
		PreRunE: func(*cobra.Command, []string) error {
			if modes := []string{oauth.Poll, oauth.Ping, oauth.Push}; !slices.Contains(modes, a.Mode) {
				return usageError{fmt.Errorf("--mode must be one of %v", modes)}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if approve {
				a.Decision = "approve"
			} else if deny {
				a.Decision = "deny"
			}
			return playCIBA(cmd.Context(), cmd.OutOrStdout(), a)
		},
	}
	f := c.Flags()
	f.StringVar(&a.Mode, "mode", oauth.Poll, "how the client learns of the answer: poll, ping or push")
	f.StringVar(&a.Issuer, "issuer", "", "issuer that is asked (default: the one at /ciba)")
	f.BoolVar(&approve, "approve", false, "approve on the phone page as the customer")
	f.BoolVar(&deny, "deny", false, "deny there")
	f.StringVar(&a.LoginHint, "login-hint", "alice", "whom to ask")
	f.StringVar(&a.Message, "binding-message", "Till 4, receipt 117", "what both screens show")
	f.StringVar(&a.Code, "user-code", "", "the customer's user code, 4711 of ben; then the call centre asks")
	f.IntVar(&a.Expiry, "requested-expiry", 0, "seconds to answer, 0 for as long as the bank likes")
	f.StringVar(&a.Dir, "data", dev.DefaultDir, "data folder of the dev server")
	c.MarkFlagsMutuallyExclusive("approve", "deny")
	return c
}

func playCIBA(ctx context.Context, out io.Writer, a dev.Asking) (err error) {
	till, err := a.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, till.Close()) }()
	outcome, err := story.PlayBackchannel(ctx, till.BackchannelCast, func(who, did, result string) {
		fmt.Fprintf(out, "  %-24s %-52s %s\n", who, did, result)
	})
	if dev.Unreachable(err) {
		return fmt.Errorf("%w at the address that %s names: %w", dev.ErrNotRunning, a.Dir, err)
	}
	if err != nil {
		return err
	}
	return retellCIBA(ctx, out, a, outcome)
}

// retellCIBA prints the timeline of the consent from the log, or of the request
// if there is no consent.
func retellCIBA(ctx context.Context, out io.Writer, a dev.Asking, outcome story.BackchannelOutcome) error {
	c := config.Default()
	c.DataDir = a.Dir
	asker, err := ask.Open(ctx, ask.Options{Config: c, Reads: true, Version: version, Log: logger("error", "text")})
	if err != nil {
		return err
	}
	defer asker.Close()
	told := 0
	if a.Mode == oauth.Push || a.Mode == oauth.Ping && !outcome.Late {
		told++
	}
	if outcome.Late {
		told++
	}
	all, err := settled(ctx, asker, "backchannel", outcome.Request, told)
	if err != nil {
		return err
	}
	kind, id := "request", outcome.Request
	if consent := all.consent(); consent != "" {
		kind, id = "consent", consent
		if all, err = settled(ctx, asker, kind, id, told); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\n  From the log, %s %s:\n\n", kind, id)
	for _, e := range all.Items {
		fmt.Fprintf(out, "  %6d  %s  %s\n", e.Position, e.Time.Format("15:04:05.000"), printable(e.Sentence))
	}
	return nil
}

// A tale is a timeline.
type tale struct {
	Items []struct {
		Position uint64    `json:"position"`
		Time     time.Time `json:"time"`
		Type     string    `json:"type"`
		Consent  string    `json:"consent_id"`
		Sentence string    `json:"sentence"`
	} `json:"items"`
}

func (t tale) consent() string {
	for _, e := range t.Items {
		if e.Consent != "" {
			return e.Consent
		}
	}
	return ""
}

// lateEvents is how long the record of a call may come after the call, and that
// of an expiry after it.
const lateEvents = 8 * time.Second

// settled returns a timeline, once it has so many events that come later.
func settled(ctx context.Context, a *ask.Asker, kind, id string, later int) (t tale, err error) {
	ctx, done := context.WithTimeout(ctx, lateEvents)
	defer done()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		raw, err := a.All(context.WithoutCancel(ctx), "/admin/audit/timeline/"+kind+"/"+id, map[string]string{}, 500)
		if refused, is := errors.AsType[*ask.Refused](err); is && refused.Status == http.StatusNotFound {
			return t, fmt.Errorf("the log knows no %s %s", kind, id)
		}
		t = tale{}
		if err == nil {
			err = json.Unmarshal(raw, &t)
		}
		found := 0
		for _, e := range t.Items {
			if e.Type == "delivery.delivered" || e.Type == "backchannel.expired" {
				found++
			}
		}
		if err != nil || found >= later {
			return t, err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return t, nil
		}
	}
}
