package delivery_test

import (
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/delivery"
)

func TestJudge(t *testing.T) {
	type kind = delivery.Kind
	type answer = delivery.Answer
	day := noon.Add(24 * time.Hour)
	tests := []struct {
		name   string
		kind   kind
		n      int
		answer answer
		until  time.Time
		want   delivery.Verdict
	}{
		{"204 is what CIBA wants", delivery.Ping, 1, answer{Status: 204}, later, ends},
		{"200 is taken as well", delivery.Ping, 1, answer{Status: 200}, later, ends},
		{"202 is what RFC 8935 wants", delivery.Webhook, 1, answer{Status: 202}, later, ends},
		{"it arrived even if late", delivery.Ping, 9, answer{Status: 204}, noon.Add(-time.Hour), ends},

		{"a redirect is never followed", delivery.Ping, 1, answer{Status: 302}, later, given("the receiver answered 302")},
		{"nor that of a webhook", delivery.Webhook, 1, answer{Status: 307}, later, given("the receiver answered 307")},
		{"a refusal is not asked again", delivery.Ping, 1, answer{Status: 401}, later, givesUp},
		{"whatever refusal it is", delivery.Push, 1, answer{Status: 499}, later, given("the receiver answered 499")},
		{"a ping gets no patience", delivery.Ping, 1, answer{Status: 429}, later, given("the receiver answered 429")},
		{"nor does a push", delivery.Push, 1, answer{Status: 408}, later, given("the receiver answered 408")},
		{"a webhook does", delivery.Webhook, 1, answer{Status: 429}, later, next(time.Second)},
		{"and a device", delivery.Device, 1, answer{Status: 425}, later, next(time.Second)},
		{"but not for every refusal", delivery.Webhook, 1, answer{Status: 404}, later, given("the receiver answered 404")},
		{"our own rules are not tried again", delivery.Ping, 1, answer{Refused: true, Failure: "the address is private"}, later, given("the address is private")},

		{"a failure of the receiver is tried again", delivery.Ping, 1, answer{Status: 500}, later, next(time.Second)},
		{"so is no answer", delivery.Push, 1, answer{Failure: "connection refused"}, later, next(time.Second)},
		{"and an answer that is none", delivery.Ping, 1, answer{Status: 101}, later, next(time.Second)},
		{"whatever its number", delivery.Ping, 0, answer{Status: 500}, later, next(time.Second)},
		{"ever less often", delivery.Ping, 4, answer{Status: 500}, later, next(8 * time.Second)},
		{"but not too rarely for who waits", delivery.Ping, 6, answer{Status: 500}, later, next(30 * time.Second)},
		{"a webhook may wait an hour", delivery.Webhook, 40, answer{Status: 500}, day, next(time.Hour)},
		{"the receiver may ask for more time", delivery.Webhook, 1, answer{Status: 503, RetryAfter: time.Minute}, later, next(time.Minute)},
		{"but not for a long one", delivery.Ping, 1, answer{Status: 503, RetryAfter: time.Hour}, later, next(30 * time.Second)},
		{"nor for less", delivery.Ping, 3, answer{Status: 503, RetryAfter: time.Second}, later, next(4 * time.Second)},

		{"the last attempt is at the end of its life", delivery.Ping, 1, answer{Status: 500}, noon.Add(time.Second), next(time.Second)},
		{"not after it", delivery.Ping, 1, answer{Status: 500}, noon.Add(time.Second - 1), given("no time is left for another attempt")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := delivery.Judge(tt.kind, tt.n, tt.answer, noon, tt.until); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func given(reason string) delivery.Verdict {
	return delivery.Verdict{Ends: delivery.GivenUp, Reason: reason}
}

func next(in time.Duration) delivery.Verdict { return delivery.Verdict{Next: noon.Add(in)} }
