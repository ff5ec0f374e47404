package deliveries

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"

	"github.com/google/uuid"
)

func TestAParkedPingIsProvedAndSentAgain(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, map[string]func(http.ResponseWriter, int){"client": func(w http.ResponseWriter, n int) {
		if n == 1 {
			http.Error(w, "who are you", http.StatusUnauthorized)
		}
	}})
	b := newBank(t, r, map[string]string{"client": oauth.Ping})
	b.start(t)
	asked, err := b.ask("client", 0, time.Minute)
	if err == nil {
		err = b.decide(asked, "deny")
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is parked", func() bool { return b.stories(t)[idOf(asked)].delivery.Parked() })
	id := b.stories(t)[idOf(asked)].id
	shown := b.command(t, "delivery", "show", id, "-o", "json")
	for _, proof := range []string{"401", "who are you", "the receiver answered 401", r.URL + "/client"} {
		if !strings.Contains(shown, proof) {
			t.Errorf("delivery show does not tell %q:\n%s", proof, shown)
		}
	}
	for _, secret := range []string{asked.token, asked.authReqID} {
		if strings.Contains(shown, secret) {
			t.Errorf("delivery show tells a secret:\n%s", shown)
		}
	}
	b.command(t, "delivery", "redeliver", id)
	eventually(t, "it is delivered", func() bool { return b.stories(t)[idOf(asked)].delivery.Delivered() })
	if s := b.stories(t)[idOf(asked)]; len(s.attempts) != 2 || len(r.of("client")) != 2 {
		t.Errorf("%d attempts are recorded, and %d came", len(s.attempts), len(r.of("client")))
	}
	pinged(t, r, asked)
	b.stop(t)
	if s := b.said(t); strings.Contains(s, asked.token) || strings.Contains(s, asked.authReqID) {
		t.Error("the server has told a secret")
	}
}

// command runs a command beside the server.
func (b *bank) command(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.Command(binary(t), append(args, "--config", b.file)...)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

func TestWithoutItsSecretsADeliveryIsParked(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, map[string]func(http.ResponseWriter, int){"client": answer(http.StatusServiceUnavailable)})
	b := newBank(t, r, map[string]string{"client": oauth.Ping})
	b.start(t)
	asked, err := b.ask("client", 0, time.Minute)
	if err == nil {
		err = b.decide(asked, "deny")
	}
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "an attempt is recorded", func() bool { return len(b.stories(t)[idOf(asked)].attempts) > 0 })
	b.kill()
	names, err := filepath.Glob(filepath.Join(b.config.DataDir, "waiting.db*")) // as after a backup was put back
	if err != nil || len(names) == 0 {
		t.Fatalf("%v, %v", names, err)
	}
	for _, name := range names {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	b.start(t)
	eventually(t, "it is parked", func() bool { return b.stories(t)[idOf(asked)].delivery.Parked() })
	if s := b.stories(t)[idOf(asked)]; s.delivery.Reason() != "what was to be sent is no longer kept" || uuid.Validate(s.id) != nil {
		t.Errorf("delivery %s is parked because %s", s.id, s.delivery.Reason())
	}
	if !strings.Contains(b.said(t), "is not told to others any more") {
		t.Error("the server did not say so")
	}
	b.stop(t)
}
