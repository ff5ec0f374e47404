package api

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
)

func TestThatAPageWasToldIsInTheLog(t *testing.T) {
	requested, told := "requested", "device_notified"
	tests := []struct {
		name string
		then func(t *testing.T, h *hall) (id string)
		want []string
	}{
		{"of a request that comes while the page is open", func(t *testing.T, h *hall) string {
			h.open("alice")
			return h.till(lasting(time.Minute))
		}, []string{requested, told}},
		{"of one that waits when the page is opened", func(t *testing.T, h *hall) string {
			id := h.till(lasting(time.Minute))
			h.open("alice")
			return id
		}, []string{requested, told}},
		{"once, however many pages are open", func(t *testing.T, h *hall) string {
			h.open("alice")
			h.open("alice")
			id := h.till(lasting(time.Minute))
			synctest.Wait()
			h.open("alice")
			time.Sleep(5 * beat)
			return id
		}, []string{requested, told}},
		{"not if the customer has read it already", func(t *testing.T, h *hall) string {
			id := h.till(lasting(time.Minute))
			_, err := h.Backchannels.Execute(t.Context(), event.Meta{Subject: "alice"}, id, backchannel.Show{Subject: "alice", At: time.Now()})
			h.must(err)
			h.open("alice")
			return id
		}, []string{requested, "shown"}},
		{"not if only somebody else's page is open", func(t *testing.T, h *hall) string {
			h.open("ben")
			return h.till(lasting(time.Minute))
		}, []string{requested}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHall(t)
				id := tt.then(t, h)
				synctest.Wait()
				if _, types := h.told(id); !slices.Equal(types, tt.want) {
					t.Errorf("the log has %q; want %q", types, tt.want)
				}
				h.EndWaits()
				synctest.Wait()
			})
		})
	}
}

// A hungLog takes nothing any more, and never says so.
type hungLog struct{ eventstore.Log }

func (hungLog) Append(ctx context.Context, _ ...eventstore.Append) ([]eventstore.Receipt, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAPageDoesNotWaitLongForTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		first := h.till(lasting(20 * time.Second))
		h.Journal.Log = hungLog{h.Journal.Log}
		start := time.Now()
		w, _ := h.open("alice")
		w.isTold(t, "event: requests\ndata: "+versionOf([]PendingRequest{{ID: first}}))
		if passed := time.Since(start); passed != tellWithin {
			t.Errorf("told after %s", passed)
		}
		w.isTold(t, ": here\n\n")
		w.isTold(t, "event: requests\ndata: "+versionOf(nil))
		if passed := time.Since(start); passed.Truncate(time.Second) != 20*time.Second {
			t.Errorf("after %s", passed)
		}
		w.leave()
		for range w.told {
		}
	})
}

// A slowLog takes everything, after a while.
type slowLog struct{ eventstore.Log }

func (l slowLog) Append(ctx context.Context, all ...eventstore.Append) ([]eventstore.Receipt, error) {
	time.Sleep(tellWithin / 2)
	return l.Log.Append(ctx, all...)
}

// What a customer does because the page told them comes later in the log.
func TestAPageIsToldOnceTheLogHasIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		id := h.till(lasting(20 * time.Second))
		h.Journal.Log = slowLog{h.Journal.Log}
		w, _ := h.open("alice")
		w.isTold(t, "event: requests\ndata: "+versionOf([]PendingRequest{{ID: id}}))
		if _, types := h.told(id); !slices.Equal(types, []string{"requested", "device_notified"}) {
			t.Errorf("the log has %q", types)
		}
		h.EndWaits()
		for range w.told {
		}
	})
}
