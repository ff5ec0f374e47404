package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"

	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/ask"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/strict"
	"github.com/chirograph/chirograph/domain/catalogue"

	"github.com/spf13/cobra"
)

var entryColumns = []column{
	{"POSITION", "position"}, {"TIME (UTC)", "time"}, {"WHAT HAPPENED", "sentence"}, {"CLIENT", "client.name"},
	{"CUSTOMER", "subject.name"}, {"RESULT", "result"}, {"STREAM", "stream"},
}

func newAudit() *cobra.Command {
	return group("audit", "What happened, and proof of it", newTimeline(), newSearch(), newVerify(), newProve(), newCheck())
}

func newTimeline() *cobra.Command {
	c := &cobra.Command{
		Use: "timeline KIND/ID", Short: "Tell everything about one thing, the oldest first", Args: thingAfter(),
		Long: `KIND is consent, client, token, customer, authorization, backchannel, delivery,
refresh, interaction, issuer or signingkey; "KIND ID" and the name of a stream,
KIND-ID, are taken too. The timeline of a consent begins with the request that asked for it and
goes on after its end, with what was refused then.`,
		Example: "  chirograph audit timeline client/budgetly",
	}
	return asking(limited(c), reads, func(cmd *cobra.Command, a *ask.Asker, args []string) error {
		about, err := readThing(args)
		if err == nil {
			about, err = about.timeline()
		}
		if err != nil {
			return err
		}
		limit, _ := cmd.Flags().GetInt("limit")
		raw, err := a.All(cmd.Context(), "/admin/audit/timeline/"+url.PathEscape(about.kind)+"/"+url.PathEscape(about.id), map[string]string{}, limit)
		if err != nil {
			return err
		}
		return show(cmd, raw, entryColumns...)
	})
}

func newSearch() *cobra.Command {
	c := &cobra.Command{Use: "search", Short: "Find events, the newest first", Args: exactly()}
	f := c.Flags()
	for name, usage := range map[string]string{
		"client": "of this client", "customer": "of this subject", "consent": "under this consent", "token": "with this token",
		"backchannel": "of this backchannel request", "delivery": "of this delivery",
		"type": "of this type, such as consent.revoked", "result": `"ok", "refused", or an exact one such as 403`,
		"interaction": "with this x-fapi-interaction-id", "from": "recorded at or after", "to": "recorded before", "as-of": "as known at a position",
	} {
		f.String(name, "", usage)
	}
	f.Bool("oldest", false, "the oldest first")
	c.PreRunE = func(cmd *cobra.Command, _ []string) error { return knownType(text(cmd, "type")) }
	return listing(c, "/admin/audit/events", func(cmd *cobra.Command) map[string]string {
		params := map[string]string{"as_of": text(cmd, "as-of")}
		for _, name := range []string{"client", "customer", "consent", "token", "backchannel", "delivery", "type", "result", "interaction", "from", "to"} {
			params[name] = text(cmd, name)
		}
		if oldest, _ := cmd.Flags().GetBool("oldest"); oldest {
			params["oldest"] = "true"
		}
		return params
	}, entryColumns...)
}

// knownType refuses what is no type of event: nothing would be found, which
// would look as if nothing had happened.
func knownType(name string) error {
	var known []string
	for _, row := range catalogue.Events.Rows() {
		known = append(known, row.Name)
	}
	if name == "" || slices.Contains(known, name) {
		return nil
	}
	if near := strict.Nearest(name, known); near != "" {
		return usageError{fmt.Errorf("there is no type of event %q, did you mean %q?", name, near)}
	}
	return usageError{fmt.Errorf("there is no type of event %q; docs/events.md lists them", name)}
}

func newVerify() *cobra.Command {
	c := &cobra.Command{
		Use: "verify", Short: "Check the whole log: every event, stream, checkpoint and table", Args: exactly(),
		Long: `Hashes every event anew and compares leaves, tree and all checkpoints; demands
that no stream has a gap; folds every projection again and compares.

Exit code 0: nothing was altered. 10: something was, the first position is
named. 11: it cannot be told, because something needed for it is missing.`,
	}
	c.RunE = verify
	return locating(c)
}

func verify(cmd *cobra.Command, _ []string) error {
	where, err := located(cmd)
	if err != nil {
		return err
	}
	v, err := ask.Verify(cmd.Context(), ask.Options{Config: where, Reads: true, Version: version, Log: logger("error", "text")})
	if err != nil {
		return err
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if v.Outcome == admin.Verified {
		return show(cmd, raw, column{"OUTCOME", "outcome"}, column{"EVENTS", "report.events"}, column{"STREAMS", "report.streams"},
			column{"CHECKPOINTS", "report.checkpoints"}, column{"COVERED", "report.covered"}, column{"EPOCH", "report.epoch"})
	}
	if err := show(cmd, raw, column{"OUTCOME", "outcome"}, column{"POSITION", "position"}); err != nil {
		return err
	}
	switch {
	case len(v.Differences) > 0:
		return coded{errors.New("A TABLE WAS ALTERED: " + plainly(v.What)), exitAltered}
	case v.Outcome == admin.Altered:
		return coded{errors.New("THE LOG WAS " + plainly(v.What)), exitAltered}
	}
	return coded{errors.New(plainly(v.What)), exitUnverifiable}
}

func newProve() *cobra.Command {
	c := &cobra.Command{
		Use: "prove POSITION", Short: "Write a proof that an event is in the log, which anybody can check offline", Args: exactly("POSITION"),
		Long: `The proof is a C2SP tlog-proof: the event's place, the hashes up to the root, and
a signed checkpoint of that root. It proves the canonical record of the event,
which is written beside it. "audit check" checks it.`,
	}
	c.Flags().String("out", "", "write NAME.proof, NAME.record and NAME.vkey instead")
	return asking(c, reads, func(cmd *cobra.Command, a *ask.Asker, args []string) error {
		raw, err := a.Do(cmd.Context(), http.MethodGet, "/admin/audit/events/"+url.PathEscape(args[0])+"/proof", nil)
		if err != nil {
			return err
		}
		name := text(cmd, "out")
		if name == "" {
			return show(cmd, raw, column{"POSITION", "position"}, column{"VERIFIER KEY", "key"})
		}
		var p admin.Proof
		if err := json.Unmarshal(raw, &p); err != nil {
			return err
		}
		for suffix, text := range map[string][]byte{".proof": []byte(p.Proof), ".record": p.Record, ".vkey": []byte(p.Key + "\n")} {
			if err := os.WriteFile(name+suffix, text, 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}
