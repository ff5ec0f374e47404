package storetest

import (
	"context"
	"errors"
	"sync"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
)

// happened is an event that the journal of the fault tests knows.
type happened struct {
	N int `json:"n"`
}

// journal speaks to the log of f through faults.
func (f *fixture) journal(plan ...Fault) (*eventstore.Journal, *Faulty) {
	log := &Faulty{Log: f.Log, Release: make(chan struct{})}
	log.Plan(plan...)
	registry := event.NewRegistry([]event.Declaration{
		event.Type[happened]{Name: "test.happened", Audit: func(happened, event.Names) string { return "" }},
	})
	return &eventstore.Journal{Log: log, Codec: &eventstore.Codec{Registry: registry, Log: log.ID()}}, log
}

func draft(s eventstore.Stream, e eventstore.Expect, keys ...eventstore.Once) eventstore.Draft {
	return eventstore.Draft{Stream: s, Expect: e, Events: []any{happened{1}, happened{2}}, Once: keys}
}

// commit tries one decision against a log with faults.
func (f *fixture) commit(plan ...Fault) ([]eventstore.Receipt, error) {
	j, _ := f.journal(plan...)
	return j.Commit(f.Context(), event.Meta{}, draft("test-1", eventstore.Absent(), once("k")), draft("test-2", eventstore.Unchecked()))
}

// written demands that a decision is in the log exactly once, and that its
// receipts say where.
func (f *fixture) written(receipts []eventstore.Receipt, err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("commit: %v", err)
	}
	for i, s := range []eventstore.Stream{"test-1", "test-2"} {
		events := f.stream(s)
		if len(events) != 2 {
			f.Fatalf("%d events in %s, want 2", len(events), s)
		}
		f.places(receipts[i], events[1])
	}
}

var faultTests = []test{
	{name: "a decision that nobody knows of is repeated", run: func(f *fixture) { f.written(f.commit(NotDone)) }},
	{name: "several times", run: func(f *fixture) { f.written(f.commit(NotDone, NotDone, NotDone)) }},
	{name: "a decision whose answer was lost is written once", run: func(f *fixture) { f.written(f.commit(AnswerLost)) }},
	{name: "and once when the repeat's answer is lost too", run: func(f *fixture) { f.written(f.commit(AnswerLost, AnswerLost, NotDone)) }},
	{name: "a decision that arrives twice is written once", run: func(f *fixture) { f.written(f.commit(Twice)) }},
	{name: "a decision whose outcome stays unknown is refused as that", run: func(f *fixture) {
		_, err := f.commit(AnswerLost, NotDone, NotDone, NotDone, NotDone, NotDone)
		if !isError(err, eventstore.ErrUnknownOutcome) {
			f.Errorf("got %v", err)
		}
	}},
	{name: "a log that halts after the answer was lost leaves the outcome unknown", run: func(f *fixture) {
		_, err := f.commit(AnswerLost, Refused)
		if !isError(err, eventstore.ErrUnknownOutcome) || !isError(err, eventstore.ErrHalted) {
			f.Errorf("got %v", err)
		}
	}},
	{name: "a log that has halted is a definite refusal", run: func(f *fixture) {
		if _, err := f.commit(Refused); !isError(err, eventstore.ErrHalted) || errors.Is(err, eventstore.ErrUnknownOutcome) {
			f.Errorf("got %v", err)
		}
	}},
	{name: "who lost the race after an unknown outcome is told of the conflict", run: func(f *fixture) {
		j, _ := f.journal(NotDone)
		f.must(add("test-1", eventstore.Absent(), fact(1)))
		_, err := j.Commit(f.Context(), event.Meta{}, draft("test-1", eventstore.Absent()))
		if !isError(err, eventstore.ErrConflict) {
			f.Errorf("got %v", err)
		}
	}},
	{name: "who won it and was then overtaken is told of success", run: func(f *fixture) {
		j, log := f.journal(AnswerLost)
		overtake := sync.OnceFunc(func() { f.must(add("test-1", eventstore.At(1), fact(9))) })
		log.Log = overtaking{log.Log, overtake}
		receipts, err := j.Commit(f.Context(), event.Meta{}, draft("test-1", eventstore.Absent()))
		if err != nil || receipts[0].Revision != 1 || len(f.stream("test-1")) != 3 {
			f.Errorf("got %+v, %v", receipts, err)
		}
	}},
	{name: "a slow append ends with its context, and its outcome is found out without it", run: func(f *fixture) {
		j, _ := f.journal(Slow)
		ctx, cancel := context.WithCancel(f.Context())
		cancel()
		receipts, err := j.Commit(ctx, event.Meta{}, draft("test-1", eventstore.Absent()))
		if err != nil || len(receipts) != 1 || len(f.stream("test-1")) != int(receipts[0].Revision)+1 {
			f.Errorf("got %+v, %v", receipts, err)
		}
	}},
}

// overtaking is a log where somebody else appends right after the first append.
type overtaking struct {
	eventstore.Log
	then func()
}

func (l overtaking) Append(ctx context.Context, appends ...eventstore.Append) ([]eventstore.Receipt, error) {
	receipts, err := l.Log.Append(ctx, appends...)
	if err == nil {
		l.then()
	}
	return receipts, err
}
