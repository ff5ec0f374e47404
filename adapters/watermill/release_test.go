package watermill

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/domain/delivery"
)

func TestRetriesOfOthersAreFoundBehindAReceiverThatIsOnlySlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *world
		w = newWorld(t, func(_ context.Context, host string, n int) (delivery.Answer, string) {
			switch {
			case host == "slow.example": // its breaker stays closed, and there is always some room in its queue
				select {
				case <-time.After(time.Duration(min(n, AtReceiver)) * time.Second / 2):
				case <-w.over:
				}
			case n < 3:
				return delivery.Answer{Status: 500}, ""
			}
			return delivery.Answer{Status: 204}, ""
		})
		w.running(t)
		for range 800 {
			w.deny(t, "slow")
		}
		time.Sleep(10 * time.Second)
		w.deny(t, "quick")
		time.Sleep(time.Minute)
		if state, told := w.of(t, "quick"); !state.Delivered() {
			t.Errorf("the log tells %q", told)
		}
	})
}
