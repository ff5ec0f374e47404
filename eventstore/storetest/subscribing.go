package storetest

import (
	"context"
	"fmt"
	"sync"

	"github.com/chirograph/chirograph/eventstore"
)

// follow subscribes and hands each item to see, until that says it has had
// enough. It returns the error that ended the subscription, if one did.
func (f *fixture) follow(ctx context.Context, after eventstore.Position, filter eventstore.Filter, see func(eventstore.Item) (more bool)) error {
	for item, err := range f.Subscribe(ctx, after, filter) {
		if err != nil {
			return err
		}
		if !see(item) {
			return nil
		}
	}
	f.Error("the subscription ended without an error")
	return nil
}

var subscribeTests = []test{
	{name: "an empty log is live at once", run: func(f *fixture) {
		f.follow(f.Context(), 0, eventstore.Filter{}, func(i eventstore.Item) bool {
			if i.Event != nil || !i.Live || i.Mark != 0 {
				f.Errorf("got %+v", i)
			}
			return false
		})
	}},
	{name: "what is there comes first, then live, then what is appended", run: func(f *fixture) {
		old, fresh := facts(3), facts(2)
		f.must(add("test-1", eventstore.Absent(), old...))
		var got []eventstore.Event
		live := false
		f.follow(f.Context(), 0, eventstore.Filter{}, func(i eventstore.Item) bool {
			if i.Event != nil {
				got = append(got, *i.Event)
				if i.Mark != i.Event.Position {
					f.Errorf("mark %d on the event at %d", i.Mark, i.Event.Position)
				}
			}
			if live && !i.Live {
				f.Error("live ended")
			}
			if i.Live && !live {
				live = true
				f.ids(got, old...)
				f.must(add("test-1", eventstore.At(2), fresh...))
			}
			return len(got) < 5
		})
		f.ids(got, append(old, fresh...)...)
	}},
	{name: "it resumes from every mark without loss or repeat", run: func(f *fixture) {
		events := facts(30)
		for i, p := range events {
			f.must(add(eventstore.Stream(fmt.Sprintf("c%d-1", i%3)), eventstore.Unchecked(), p))
		}
		filter := eventstore.Filter{Categories: []string{"c1"}}
		want := len(f.all(0, filter))
		var marks []eventstore.Item
		f.follow(f.Context(), 0, filter, func(i eventstore.Item) bool {
			marks = append(marks, i)
			return !i.Live
		})
		seen := 0
		for _, m := range marks {
			if m.Event != nil {
				seen++
			}
			if rest := len(f.all(m.Mark, filter)); seen+rest != want {
				f.Errorf("mark %d: %d seen and %d to come, want %d", m.Mark, seen, rest, want)
			}
		}
	}},
	{name: "a mark moves over what a filter leaves out", run: func(f *fixture) {
		wanted := fact(0)
		f.must(add("a-1", eventstore.Absent(), wanted))
		head := f.position(f.must(add("b-1", eventstore.Absent(), facts(400)...))[0], "b-1")
		f.follow(f.Context(), 0, eventstore.Filter{Categories: []string{"a"}}, func(i eventstore.Item) bool {
			if i.Event != nil && i.Event.ID != wanted.ID {
				f.Errorf("got %v", i.Event)
			}
			if i.Live && i.Mark != head {
				f.Errorf("live at mark %d, want %d", i.Mark, head)
			}
			return !i.Live
		})
	}},
	{name: "also when live", run: func(f *fixture) {
		var head eventstore.Position
		f.follow(f.Context(), 0, eventstore.Filter{Categories: []string{"a"}}, func(i eventstore.Item) bool {
			if head == 0 {
				head = f.position(f.must(add("b-1", eventstore.Absent(), fact(1)))[0], "b-1")
				return true
			}
			if i.Event != nil || i.Mark != head || !i.Live {
				f.Errorf("got %+v, want a mark at %d", i, head)
			}
			return false
		})
	}},
	{name: "order is that of the log under many writers", run: func(f *fixture) {
		const writers, each = 32, 8
		var wg sync.WaitGroup
		defer wg.Wait()
		for w := range writers {
			wg.Go(func() {
				for n := range each {
					s := eventstore.Stream(fmt.Sprintf("test-%d", w))
					if _, err := f.Append(context.WithoutCancel(f.Context()), add(s, eventstore.Unchecked(), fact(n))); err != nil {
						f.Error(err)
					}
				}
			})
		}
		var got []eventstore.Event
		f.follow(f.Context(), 0, eventstore.Filter{}, func(i eventstore.Item) bool {
			if i.Event != nil {
				got = append(got, *i.Event)
			}
			return len(got) < writers*each
		})
		for i, e := range f.all(0, eventstore.Filter{}) {
			if got[i].ID != e.ID {
				f.Fatalf("item %d is not the event at %d", i, e.Position)
			}
		}
	}},
	{name: "it ends with its context", run: func(f *fixture) {
		ctx, cancel := context.WithCancel(f.Context())
		err := f.follow(ctx, 0, eventstore.Filter{}, func(eventstore.Item) bool { cancel(); return true })
		if !isError(err, context.Canceled) {
			f.Errorf("got %v", err)
		}
	}},
	{name: "it ends when the log is closed", run: func(f *fixture) {
		err := f.follow(f.Context(), 0, eventstore.Filter{}, func(eventstore.Item) bool { f.Close(); return true })
		if !isError(err, eventstore.ErrClosed) {
			f.Errorf("got %v", err)
		}
	}},
}
