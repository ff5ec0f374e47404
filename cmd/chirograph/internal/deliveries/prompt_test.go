package deliveries

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/oauth"
)

// TestAPingComesAtOnce bounds the time from a customer's answer to the ping, at
// the median: 50 ms. Other tests do not run beside it.
func TestAPingComesAtOnce(t *testing.T) {
	came := make(chan time.Time, 1)
	r := newReceiver(t, map[string]func(http.ResponseWriter, int){"client": func(http.ResponseWriter, int) { came <- time.Now() }})
	b := newBank(t, r, map[string]string{"client": oauth.Ping})
	b.start(t)
	var took []time.Duration
	for i := range 41 {
		asked, err := b.ask("client", i, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		decided := time.Now()
		if err := b.decide(asked, "allow"); err != nil {
			t.Fatal(err)
		}
		took = append(took, (<-came).Sub(decided))
	}
	b.stop(t)
	slices.Sort(took)
	t.Logf("from the answer to the ping: %s at the median, %s at most", took[len(took)/2], took[len(took)-1])
	if took[len(took)/2] > 50*time.Millisecond {
		t.Errorf("it took %s at the median", took[len(took)/2])
	}
}
