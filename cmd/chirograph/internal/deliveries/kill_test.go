package deliveries

import (
	"net/http"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// TestKilled kills the server at each moment of a delivery, and starts it again.
func TestKilled(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		mode string
		kill func(b *bank, w http.ResponseWriter) // when the receiver is first called
		late bool                                 // after the approval, whatever the receiver saw
		back int                                  // status of the answer to the first call, if there is one
	}{
		{"between approval and ping", oauth.Ping, nil, true, 0},
		{"while a ping is sent", oauth.Ping, func(b *bank, _ http.ResponseWriter) { b.kill() }, false, 0},
		{"between a ping and its record", oauth.Ping, answeredThenKilled, false, http.StatusNoContent},
		{"between approval and push", oauth.Push, nil, true, 0},
		{"during a push", oauth.Push, func(b *bank, _ http.ResponseWriter) { b.kill() }, false, 0},
		{"between a push and its record", oauth.Push, answeredThenKilled, false, http.StatusNoContent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var b *bank
			called := make(chan struct{}, 100)
			r := newReceiver(t, map[string]func(http.ResponseWriter, int){"client": func(w http.ResponseWriter, n int) {
				if n == 1 && tt.kill != nil {
					tt.kill(b, w)
				} else {
					w.WriteHeader(http.StatusNoContent)
				}
				called <- struct{}{}
			}})
			b = newBank(t, r, map[string]string{"client": tt.mode})
			b.start(t)
			asked, err := b.ask("client", 0, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			err = b.decide(asked, "allow")
			switch {
			case tt.late:
				b.kill()
			case err != nil:
				t.Logf("the answer to the approval was lost: %v", err)
			}
			if !tt.late {
				<-called
			}
			<-b.ended
			b.start(t)
			var told story
			eventually(t, "it is delivered", func() bool {
				told = b.stories(t)[idOf(asked)]
				return told.delivery.Delivered()
			})
			if tt.mode == oauth.Ping {
				if err := b.poll(asked); err != nil {
					t.Error(err)
				}
				if b.poll(asked) == nil {
					t.Error("auth_req_id is redeemed twice")
				}
			}
			b.stop(t)
			told = b.stories(t)[idOf(asked)]
			for _, once := range []string{"backchannel.approved", "consent.authorized", "backchannel.redeemed", "token.issued", "delivery.scheduled", "delivery.delivered"} {
				if told.types[once] != 1 {
					t.Errorf("%s is in the log %d times", once, told.types[once])
				}
			}
			if len(told.attempts) == 0 || len(r.of("client")) < len(told.attempts) {
				t.Errorf("%d attempts are recorded, and %d came", len(told.attempts), len(r.of("client")))
			}
			same(t, r, asked, tt.mode)
		})
	}
}

// answeredThenKilled kills the server when it has its answer, or nearly.
func answeredThenKilled(b *bank, w http.ResponseWriter) {
	w.WriteHeader(http.StatusNoContent)
	http.NewResponseController(w).Flush()
	b.kill()
}

// same checks that whatever came for a request is one and the same thing.
func same(t *testing.T, r *receiver, asked request, mode string) {
	t.Helper()
	if mode == oauth.Ping {
		pinged(t, r, asked)
		return
	}
	calls := r.of(asked.client)
	for _, c := range calls {
		if c.raw != calls[0].raw || c.bearer != asked.token || c.body["auth_req_id"] != asked.authReqID || c.body["access_token"] == "" || c.body["id_token"] == "" {
			t.Errorf("it got %s, authenticated as %s", c.raw, c.bearer)
		}
	}
}
