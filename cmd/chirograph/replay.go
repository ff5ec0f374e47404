package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/ask"
	"github.com/chirograph/chirograph/projections"

	"github.com/spf13/cobra"
)

func newReplay() *cobra.Command {
	return group("replay", "See past states", newReplayState(), newReplayDiff())
}

func newReplayState() *cobra.Command {
	c := &cobra.Command{
		Use: "state KIND/ID", Short: "Show what a stream said of itself at a past moment", Args: thingAfter(),
		Example: "  chirograph replay state --at 2026-03-04T10:00Z consent/0198…",
	}
	c.Flags().String("at", "now", "a time, a position or now")
	return asking(c, reads, func(cmd *cobra.Command, a *ask.Asker, args []string) error {
		about, err := readThing(args)
		if err != nil {
			return err
		}
		raw, err := a.Get(cmd.Context(), "/admin/replay/state", map[string]string{"stream": about.stream(), "at": text(cmd, "at")})
		if err != nil {
			return err
		}
		if form, _ := cmd.Flags().GetString("output"); form != "table" {
			return show(cmd, raw)
		}
		return tellState(cmd, raw)
	})
}

func tellState(cmd *cobra.Command, raw json.RawMessage) error {
	var s projections.State
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%s at position %d, revision %d\n\n", s.Stream, s.At, s.Revision)
	state, err := json.MarshalIndent(s.State, "  ", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  %s\n\n", state)
	if len(s.Erased) > 0 {
		fmt.Fprintf(out, "  erased: %s\n\n", strings.Join(s.Erased, ", "))
	}
	tellEvents(cmd, s.Events)
	return nil
}

func tellEvents(cmd *cobra.Command, all []projections.Entry) {
	for _, e := range all {
		fmt.Fprintf(cmd.OutOrStdout(), "  %6d  %s  %s\n", e.Position, e.Time.Format("2006-01-02 15:04:05.000"), printable(e.Sentence))
	}
}

func newReplayDiff() *cobra.Command {
	c := &cobra.Command{
		Use: "diff A..B KIND/ID", Short: "Show what changed in a stream from one moment to another", Args: thingAfter("A..B"),
		Example: "  chirograph replay diff 120..180 consent/0198…",
	}
	return asking(c, reads, func(cmd *cobra.Command, a *ask.Asker, args []string) error {
		from, to, found := strings.Cut(args[0], "..")
		if !found {
			return usageError{fmt.Errorf("%q is not A..B, such as 120..180 or 2026-03-04..now", args[0])}
		}
		about, err := readThing(args[1:])
		if err != nil {
			return err
		}
		raw, err := a.Get(cmd.Context(), "/admin/replay/diff", map[string]string{"stream": about.stream(), "from": from, "to": to})
		if err != nil {
			return err
		}
		if form, _ := cmd.Flags().GetString("output"); form != "table" {
			return show(cmd, raw)
		}
		var d projections.Diff
		if err := json.Unmarshal(raw, &d); err != nil {
			return err
		}
		out := cmd.OutOrStdout()
		fmt.Fprintf(out, "%s from position %d to %d\n\n", d.Stream, d.From, d.To)
		if len(d.Changes) == 0 {
			fmt.Fprintln(out, "  nothing changed")
		}
		for _, words := range d.Words() {
			fmt.Fprintf(out, "  %s\n", printable(words))
		}
		fmt.Fprintln(out)
		tellEvents(cmd, d.Events)
		return nil
	})
}
