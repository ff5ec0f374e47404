package eventstore

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Run feeds the observers until ctx ends or the log is closed.
func (f *Feed) Run(ctx context.Context) {
	var pulses sync.WaitGroup
	defer pulses.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	pulses.Go(func() { f.pulses(ctx) })
	retry := minRetry
	for {
		began := time.Now()
		err := f.follow(ctx)
		f.lose()
		switch {
		case ctx.Err() != nil, errors.Is(err, ErrClosed):
			return
		case errors.Is(err, errWider):
			continue
		}
		f.failed(err)
		if time.Since(began) > maxRetry {
			retry = minRetry
		}
		select {
		case <-time.After(retry):
		case <-ctx.Done():
			return
		}
		retry = min(2*retry, maxRetry)
	}
}

// follow tells what is appended from now on until the subscription ends, and
// returns why.
func (f *Feed) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	at, head, err := f.head(ctx)
	if err != nil {
		return err
	}
	filter := f.start(cancel)
	f.forget()
	f.reached(head, pulse{at, head})
	for item, err := range f.log.Subscribe(ctx, head, filter) {
		if why := context.Cause(ctx); why != nil {
			return why
		}
		if err != nil {
			return err
		}
		if item.Event != nil {
			f.tell(*item.Event)
		}
		f.reached(item.Mark)
	}
	return errors.New("eventstore: the subscription ended")
}

// head asks for the head of the log. An answer that takes longer than
// [Staleness] would be of no use.
func (f *Feed) head(ctx context.Context) (at time.Time, head Position, err error) {
	ctx, done := context.WithTimeout(ctx, Staleness)
	defer done()
	at = time.Now()
	head, err = f.log.Head(ctx)
	return at, head, err
}

// start returns what the observers of the moment want to hear of.
func (f *Feed) start(cancel context.CancelCauseFunc) (filter Filter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range f.observers {
		if len(o.Categories) == 0 {
			filter.Categories = nil
			break
		}
		filter.Categories = append(filter.Categories, o.Categories...)
	}
	slices.Sort(filter.Categories)
	filter.Categories = slices.Compact(filter.Categories)
	f.filter, f.following, f.mark, f.pending = filter, true, 0, nil
	f.began, f.cancel = time.Now(), cancel
	return filter
}

func (f *Feed) tell(e Event) {
	for _, o := range f.present() {
		if o.See != nil && o.hears(e.Stream) {
			o.See([]Event{e})
		}
	}
}

func (f *Feed) forget() {
	for _, o := range f.present() {
		if o.Forget != nil {
			o.Forget()
		}
	}
}

// reached notes that everything up to a position was told.
func (f *Feed) reached(mark Position, more ...pulse) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.following {
		return
	}
	f.mark = max(f.mark, mark)
	f.pending = append(f.pending, more...)
	f.pending = slices.DeleteFunc(f.pending, func(p pulse) bool {
		if p.head > f.mark {
			return time.Since(p.at) > Staleness
		}
		if p.at.After(f.asOf) {
			f.asOf = p.at
		}
		return true
	})
}

// pulses asks again and again how far the log is.
func (f *Feed) pulses(ctx context.Context) {
	tick := time.NewTicker(pulseEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		at, head, err := f.head(ctx)
		if err != nil {
			continue // the feed grows old, and says so
		}
		f.reached(0, pulse{at, head})
		f.watch()
	}
}

// watch ends a subscription that has not kept up with the log for too long.
func (f *Feed) watch() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.following && time.Since(f.began) > silence && time.Since(f.asOf) > silence {
		f.stopFollowing(errSilent)
	}
}

func (f *Feed) stopFollowing(why error) {
	f.following, f.asOf, f.pending = false, time.Time{}, nil
	f.cancel(why)
}

// lose is the end of a subscription: what observers know grows old at once.
func (f *Feed) lose() {
	f.mu.Lock()
	f.following, f.asOf, f.pending = false, time.Time{}, nil
	f.mu.Unlock()
	f.forget()
}
