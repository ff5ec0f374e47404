package watermill

import (
	"testing"

	"github.com/chirograph/chirograph/domain/delivery"

	"github.com/sony/gobreaker/v2"
)

// A breaker opens because of a receiver that does not answer, and not because of
// what was never sent to it.
func TestWhatOpensABreaker(t *testing.T) {
	for name, tt := range map[string]struct {
		learned error
		want    gobreaker.State
	}{
		"no answer":             {learned(delivery.Answer{Failure: "no answer in time"}), gobreaker.StateOpen},
		"a failure":             {learned(delivery.Answer{Status: 500}), gobreaker.StateOpen},
		"an answer":             {learned(delivery.Answer{Status: 204}), gobreaker.StateClosed},
		"a refusal":             {learned(delivery.Answer{Status: 404}), gobreaker.StateClosed},
		"what our rules forbid": {learned(delivery.Answer{Failure: "not public", Refused: true}), gobreaker.StateClosed},
		"nothing was sent":      {errNothing, gobreaker.StateClosed},
	} {
		b := newBreakers()
		for range tripsAfter {
			done, allowed := b.allow("https://r.example")
			if !allowed {
				t.Fatalf("%s: it opens too early", name)
			}
			done(tt.learned)
		}
		if got := b.state("https://r.example"); got != tt.want {
			t.Errorf("%s: it is %s", name, got)
		}
	}
}
