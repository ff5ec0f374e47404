package projections

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/oauth"
)

func (h *house) backchannel(id string) Backchannel {
	h.t.Helper()
	h.catchUp()
	b, found, err := h.set.Backchannels.Get(context.Background(), id)
	if err != nil || !found {
		h.t.Fatalf("request %s: %v, %v", id, found, err)
	}
	return b
}

func TestBackchannelFollowsItsEvents(t *testing.T) {
	tests := []struct {
		name                             string
		steps                            []func(*house, *call)
		status                           string
		pending, overdue, decided, named bool // overdue once it has run out
	}{
		{"one that was asked waits", nil, "requested", true, true, false, false},
		{"one that was shown still waits", []func(*house, *call){(*house).show}, "shown", true, true, false, false},
		{"one that was approved waits for the client", []func(*house, *call){(*house).show, (*house).say}, "approved", false, true, true, true},
		{"one that was redeemed is done", []func(*house, *call){(*house).show, (*house).say, (*house).redeemCall}, "redeemed", false, false, true, true},
		{"one that was approved in vain is done", []func(*house, *call){(*house).show, (*house).say, func(h *house, c *call) {
			h.record(c.stream(), c.meta(), backchannel.Failed{Error: oauth.AccessDenied, Reason: "the consent was revoked"})
		}}, "failed", false, false, true, true},
		{"one that was denied is done", []func(*house, *call){(*house).sayNo}, "denied", false, false, true, false},
		{"one whose end was noted is done", []func(*house, *call){(*house).runOut}, "expired", false, false, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, ctx := newHouse(t), context.Background()
			h.register("budgetly", "Budgetly")
			c := h.newCall(1, oauth.Push, "budgetly", "alice")
			h.ask(c)
			asked := h.now
			for _, step := range tt.steps {
				step(h, c)
			}
			b := h.backchannel(c.id)
			if b.Status != tt.status || b.Decided.IsZero() == tt.decided || (b.Consent != "") != tt.named {
				t.Errorf("got %+v", b)
			}
			if b.Client != "budgetly" || b.Subject != "alice" || b.Mode != oauth.Push || b.Issuer != "bank" || !b.Asked.Equal(asked) || !b.Expires.Equal(c.expires) {
				t.Errorf("got %+v", b)
			}
			last := c.expires.Add(-time.Nanosecond)
			if all, err := h.set.Backchannels.Pending(ctx, "alice", last); err != nil || (len(all) == 1) != tt.pending {
				t.Errorf("before its end %v wait, %v", all, err)
			}
			if all, err := h.set.Backchannels.Pending(ctx, "alice", c.expires); err != nil || len(all) > 0 {
				t.Errorf("at its end %v wait, %v", all, err)
			}
			if all, err := h.set.Backchannels.Pending(ctx, "ben", last); err != nil || len(all) > 0 {
				t.Errorf("for somebody else %v wait, %v", all, err)
			}
			if all, err := h.set.Backchannels.Overdue(ctx, last); err != nil || len(all) > 0 {
				t.Errorf("before its end %v are overdue, %v", all, err)
			}
			if all, err := h.set.Backchannels.Overdue(ctx, c.expires); err != nil || (len(all) == 1) != tt.overdue {
				t.Errorf("at its end %v are overdue, %v", all, err)
			}
		})
	}
}

func TestBackchannelsAreListedByPages(t *testing.T) {
	ctx := context.Background()
	h := newHouse(t)
	h.call()
	h.ask(h.newCall(3, oauth.Poll, "budgetly", "ben"))
	h.catchUp()
	tests := []struct {
		name string
		ask  BackchannelQuery
		want []string
	}{
		{"all of them, the newest first", BackchannelQuery{}, []string{"b3", "b2", "b1"}},
		{"those of a client", BackchannelQuery{Client: "budgetly"}, []string{"b3", "b1"}},
		{"those of a customer", BackchannelQuery{Subject: "alice"}, []string{"b2", "b1"}},
		{"those that were denied", BackchannelQuery{Status: "denied"}, []string{"b2"}},
		{"those of all three", BackchannelQuery{Client: "budgetly", Subject: "alice", Status: "redeemed"}, []string{"b1"}},
		{"none", BackchannelQuery{Client: "stranger"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := pages(t, func(p Page) (ids []string, next string, err error) {
				q := tt.ask
				q.Page = p
				l, err := h.set.Backchannels.List(ctx, q)
				for _, b := range l.Items {
					ids = append(ids, b.ID)
				}
				return ids, l.Next, err
			}, func(p Page) error {
				_, err := h.set.Backchannels.List(ctx, BackchannelQuery{Status: "other", Page: p})
				return err
			})
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// pages follows a listing to its end, an item at a time. Another question may
// not go on where it stands.
func pages(t *testing.T, list func(Page) (ids []string, next string, err error), other func(Page) error) (all []string) {
	t.Helper()
	for p := (Page{Limit: 1}); ; {
		ids, next, err := list(p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, ids...)
		if p.Cursor = next; next == "" {
			return all
		}
		if err := other(p); !errors.Is(err, ErrCursor) {
			t.Errorf("another question takes the cursor: %v", err)
		}
	}
}
