package main

import (
	"net/http"
	"net/url"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/ask"

	"github.com/spf13/cobra"
)

var deliveryColumns = []column{
	{"DELIVERY", "delivery_id"}, {"KIND", "kind"}, {"CLIENT", "client_id"}, {"STATUS", "status"}, {"ATTEMPTS", "attempts"},
	{"LAST", "last_status"}, {"CREATED", "created_at"}, {"NEXT", "due_at"}, {"UNTIL", "until"}, {"SAYS", "says"}, {"RECEIVER", "receiver"},
}

func newDelivery() *cobra.Command {
	return group("delivery", "What others are told: list, show, redeliver, park",
		newDeliveryList(), newDeliveryShow(), newRedeliver(), newPark())
}

func newDeliveryList() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "List pings, pushes, device notifications and webhooks, the newest first", Args: exactly()}
	flags := map[string]string{
		"status": "scheduled, delivered or parked", "kind": "ping, push, device, webhook or unreadable",
		"client": "to this client", "consent": "about this consent", "backchannel": "about this backchannel request",
	}
	for name, usage := range flags {
		c.Flags().String(name, "", usage)
	}
	return listing(c, "/admin/deliveries", func(cmd *cobra.Command) map[string]string {
		params := map[string]string{}
		for name := range flags {
			params[name] = text(cmd, name)
		}
		return params
	}, deliveryColumns...)
}

func newDeliveryShow() *cobra.Command {
	c := &cobra.Command{
		Use: "show DELIVERY", Short: "Prove a delivery: what was sent, where to and when, and each answer", Args: exactly("DELIVERY"),
		Long: `Tells what the log holds of a delivery. What holds secrets, such as pushed
tokens, is in the log as a digest alone, with which a receiver's copy can be
compared; the position of each line is that of its event, see audit prove.`,
	}
	return asking(c, reads, func(cmd *cobra.Command, a *ask.Asker, args []string) error {
		raw, err := a.Do(cmd.Context(), http.MethodGet, deliveryPath(args[0]), nil)
		if err != nil {
			return err
		}
		form, _ := cmd.Flags().GetString("output")
		if quiet, _ := cmd.Flags().GetBool("quiet"); quiet || form != "table" {
			return show(cmd, raw, deliveryColumns...)
		}
		return tellDelivery(cmd.OutOrStdout(), raw)
	})
}

func newRedeliver() *cobra.Command {
	c := &cobra.Command{
		Use: "redeliver DELIVERY", Short: "Take a parked delivery up again, when its receiver has healed", Args: exactly("DELIVERY"),
		Long: `The same bytes are sent again, at once and then ever less often: those of a
backchannel request until it expires, a webhook for 72 hours. A running server
sends them; on a stopped folder it does so when it starts.`,
	}
	return simple(c, changes, func(_ *cobra.Command, args []string) (string, string, any) {
		return http.MethodPost, deliveryPath(args[0]) + "/redeliver", nil
	}, deliveryColumns...)
}

func newPark() *cobra.Command {
	c := &cobra.Command{Use: "park DELIVERY", Short: "End a delivery that goes on failing", Args: exactly("DELIVERY")}
	required(c, "reason", "why; it is kept in the log")
	return simple(c, changes, func(cmd *cobra.Command, args []string) (string, string, any) {
		return http.MethodPost, deliveryPath(args[0]) + "/park", object{"reason": text(cmd, "reason")}
	}, deliveryColumns...)
}

func deliveryPath(id string) string { return "/admin/deliveries/" + url.PathEscape(id) }
