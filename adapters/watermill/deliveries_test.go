package watermill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/ThreeDotsLabs/watermill/message"
)

func status(code int) func(context.Context, string, int) (delivery.Answer, string) {
	return func(context.Context, string, int) (delivery.Answer, string) { return delivery.Answer{Status: code}, "" }
}

func answers(all ...int) func(context.Context, string, int) (delivery.Answer, string) {
	return func(_ context.Context, _ string, n int) (delivery.Answer, string) {
		return delivery.Answer{Status: all[min(n, len(all))-1]}, ""
	}
}

func fails(failure string, refused bool) func(context.Context, string, int) (delivery.Answer, string) {
	return func(context.Context, string, int) (delivery.Answer, string) {
		return delivery.Answer{Failure: failure, Refused: refused}, ""
	}
}

const outOfTime = "parked: no time is left for another attempt"

func TestWhatBecomesOfAPing(t *testing.T) {
	again := func(text string, n int) []string { return slices.Repeat([]string{text}, n) }
	tests := []struct {
		name    string
		receive func(context.Context, string, int) (delivery.Answer, string)
		want    []string
	}{
		{"204 ends it", status(204), []string{"204 ", "delivered"}},
		{"200 with a body ends it, and the body is recorded",
			func(context.Context, string, int) (delivery.Answer, string) {
				return delivery.Answer{Status: 200}, "thank you"
			}, []string{"200 thank you", "delivered"}},
		{"302 is not followed", status(302), []string{"302 ", "parked: the receiver answered 302"}},
		{"400 is not repeated", status(400), []string{"400 ", "parked: the receiver answered 400"}},
		{"401 is not repeated", status(401), []string{"401 ", "parked: the receiver answered 401"}},
		{"429 is not repeated either", status(429), []string{"429 ", "parked: the receiver answered 429"}},
		{"500 is repeated until there is no time", status(500), append(again("500 ", 8), outOfTime)},
		{"no answer is repeated until there is no time", fails("no answer in time", false), append(again("0 no answer in time", 8), outOfTime)},
		{"an address that is not public ends it", fails("not public", true), []string{"0 not public", "parked: not public"}},
		{"a receiver that moves to such an address gets no more",
			func(ctx context.Context, id string, n int) (delivery.Answer, string) {
				if n == 1 {
					return delivery.Answer{Status: 503}, ""
				}
				return fails("not public", true)(ctx, id, n)
			}, []string{"503 ", "0 not public", "parked: not public"}},
		{"a receiver that heals gets it", answers(500, 503, 204), []string{"500 ", "503 ", "204 ", "delivered"}},
		{"one that then refuses does not get it again", answers(500, 401), []string{"500 ", "401 ", "parked: the receiver answered 401"}},
		{"what it answers is printable and short",
			func(context.Context, string, int) (delivery.Answer, string) {
				return delivery.Answer{Status: 401}, "\x1b[31m\nno: ü" + strings.Repeat("x", 4096)
			}, []string{"401 .[31m.no: ." + strings.Repeat("x", 256-11), "parked: the receiver answered 401"}},
		{"what it echoes does not reach the log",
			func(context.Context, string, int) (delivery.Answer, string) {
				return delivery.Answer{Status: 400}, "what is notification-token-of-one and auth-req-id-of-one?"
			}, []string{"400 what is [withheld] and [withheld]?", "parked: the receiver answered 400"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, tt.receive)
				end := w.running(t)
				w.deny(t, "one")
				time.Sleep(2 * lifetime)
				if _, told := w.of(t, "one"); !slices.Equal(told, tt.want) {
					t.Errorf("the log tells %q, want %q", told, tt.want)
				}
				if err := w.said(); err != nil {
					t.Error(err)
				}
				end()
			})
		})
	}
}

func TestAttemptsComeEverMoreSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, status(503))
		w.running(t)
		w.deny(t, "one")
		began := time.Now()
		time.Sleep(2 * lifetime)
		pause := time.Second
		for i, at := range w.times("one") {
			if i == 0 {
				if at.Sub(began) > 0 {
					t.Errorf("the first attempt is %s late", at.Sub(began))
				}
				began = at
				continue
			}
			if late := at.Sub(began) - pause; late < 0 || late > 2*time.Second {
				t.Errorf("attempt %d comes %s after the one before, not %s", i+1, at.Sub(began), pause)
			}
			began, pause = at, min(2*pause, 30*time.Second)
		}
	})
}

// The list of what is due may be old.
func TestNothingIsSentBeforeItIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, status(503))
		w.running(t)
		w.deny(t, "one")
		time.Sleep(500 * time.Millisecond)
		for e, err := range w.Journal.ReadAll(context.Background(), 0, eventstore.Filter{Types: []string{"delivery.attempted"}}) {
			if err != nil {
				t.Fatal(err)
			}
			if err := w.send(message.NewMessage(e.Stream.ID(), nil)); err != nil {
				t.Error(err)
			}
		}
		if all := w.times("one"); len(all) != 1 {
			t.Errorf("%d attempts were made within half a second", len(all))
		}
	})
}

func TestAReceiverThatHangsIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *world
		w = newWorld(t, func(ctx context.Context, _ string, _ int) (delivery.Answer, string) { return w.hangs(ctx) })
		w.running(t)
		w.deny(t, "one")
		time.Sleep(PostTime + 500*time.Millisecond)
		if _, told := w.of(t, "one"); !slices.Equal(told, []string{"0 no answer in time"}) {
			t.Errorf("the log tells %q", told)
		}
	})
}

func TestNothingIsLost(t *testing.T) {
	unavailable := fmt.Errorf("database: %w", eventstore.ErrUnavailable)
	tests := []struct {
		name  string
		spoil func(t *testing.T, w *world)
	}{
		{"when the log cannot be read for a while", func(t *testing.T, w *world) {
			var n atomic.Int32
			w.schedule = func(string) error {
				if n.Add(1) < 20 {
					return unavailable
				}
				return nil
			}
		}},
		{"when what is to be sent cannot be read for a while", func(t *testing.T, w *world) {
			var n atomic.Int32
			w.compose = func(string) error {
				if n.Add(1) < 20 {
					return unavailable
				}
				return nil
			}
		}},
		{"when a handler panics once", func(t *testing.T, w *world) {
			var n atomic.Int32
			w.compose = func(string) error {
				if n.Add(1) == 1 {
					panic("oh")
				}
				return nil
			}
		}},
		{"when checkpoints cannot be saved", func(t *testing.T, w *world) { w.kept.fails = unavailable }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, status(204))
				w.running(t)
				tt.spoil(t, w)
				for i := range 5 {
					w.deny(t, fmt.Sprint(i))
				}
				time.Sleep(lifetime)
				for i := range 5 {
					if state, told := w.of(t, fmt.Sprint(i)); !state.Delivered() {
						t.Errorf("%d: %q", i, told)
					}
				}
				if w.said() == nil {
					t.Error("nobody was told of a failure")
				}
			})
		})
	}
}

func TestARestartForgetsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(_ context.Context, host string, n int) (delivery.Answer, string) {
			if n < 4 {
				return delivery.Answer{Status: 500}, ""
			}
			return delivery.Answer{Status: 204}, ""
		})
		for i := range 10 { // it ends in the midst of things, again and again
			end := w.running(t)
			w.deny(t, fmt.Sprint(i))
			time.Sleep(time.Duration(i) * 300 * time.Millisecond)
			end()
			w.deny(t, fmt.Sprint("down-", i))
		}
		w.running(t)
		time.Sleep(lifetime)
		for i := range 10 {
			for _, id := range []string{fmt.Sprint(i), fmt.Sprint("down-", i)} {
				if state, told := w.of(t, id); !state.Delivered() || state.Attempts() != 4 {
					t.Errorf("%s: %q", id, told)
				}
			}
		}
	})
}

// Not in a bubble: Watermill's router waits for its handlers under a lock.
func TestAtTheEndWhatIsSentIsRecorded(t *testing.T) {
	sending := make(chan struct{})
	w := newWorld(t, func(ctx context.Context, _ string, _ int) (delivery.Answer, string) {
		close(sending)
		select {
		case <-time.After(300 * time.Millisecond):
			return delivery.Answer{Status: 204}, ""
		case <-ctx.Done():
			return delivery.Answer{Failure: "no answer in time"}, ""
		}
	})
	name := Checkpoint("deliveries", TopicObliging)
	if _, _, err := w.kept.Begin(t.Context(), name, 0); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	w.deny(t, "one")
	<-sending
	end()
	<-ended
	if _, told := w.of(t, "one"); !slices.Equal(told, []string{"204 ", "delivered"}) {
		t.Errorf("the log tells %q", told)
	}
	if w.kept.position(name) == 0 {
		t.Error("the checkpoint was not saved")
	}
}

func TestWhatCannotBeSentIsParked(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"because it is no longer kept", api.ErrGone, "parked: what was to be sent is no longer kept"},
		{"because it is no longer for the receiver", fmt.Errorf("%w: the client is suspended", api.ErrGone), "parked: the client is suspended"},
		{"because it cannot be made", errors.New("nonsense"), "parked: what was to be sent cannot be made"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, status(204))
				w.compose = func(string) error { return tt.err }
				w.running(t)
				w.deny(t, "one")
				time.Sleep(time.Minute)
				if _, told := w.of(t, "one"); !slices.Equal(told, []string{tt.want}) || len(w.times("one")) > 0 {
					t.Errorf("the log tells %q", told)
				}
			})
		})
	}
}

func TestAnEventThatCannotBeHandledIsParked(t *testing.T) {
	tests := []struct {
		name     string
		schedule func(string) error
	}{
		{"it is refused for good", func(id string) error { return refuse(id, errors.New("nonsense")) }},
		{"it makes a handler panic", func(id string) error {
			if id == "bad" {
				panic("oh")
			}
			return nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, status(204))
				w.schedule = tt.schedule
				w.running(t)
				w.deny(t, "bad")
				w.deny(t, "good")
				time.Sleep(lifetime)
				if state, told := w.of(t, "bad"); !state.Parked() || state.Scheduled().Kind != delivery.Unreadable {
					t.Errorf("the log tells %q", told)
				}
				if state, _ := w.of(t, "good"); !state.Delivered() {
					t.Error("the event after it is not told")
				}
				if w.count(Parked) != 1 {
					t.Errorf("nobody was told: %v", w.said())
				}
			})
		})
	}
}

func refuse(id string, err error) error {
	if id == "bad" {
		return err
	}
	return nil
}

func TestAnErasedCustomersAttemptIsRecordedWithoutTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w *world
		w = newWorld(t, func(context.Context, string, int) (delivery.Answer, string) {
			w.keys.Destroy("subject:alice")
			return delivery.Answer{Status: 200}, "dear Alice"
		})
		w.running(t)
		w.deny(t, "one")
		time.Sleep(time.Minute)
		if _, told := w.of(t, "one"); !slices.Equal(told, []string{"200 ", "delivered"}) {
			t.Errorf("the log tells %q", told)
		}
	})
}
