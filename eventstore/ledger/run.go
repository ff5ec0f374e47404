package ledger

import (
	"context"
	"errors"
	"time"
)

// Run signs at every interval in which the log grew, and once more when ctx
// ends. A failure is told and tried again at the next interval; only what
// makes signing wrong ends Run, which returns it: [AlteredError], and
// [RollbackError] when another epoch has begun elsewhere.
func (k *Keeper) Run(ctx context.Context, interval time.Duration, failed func(error)) error {
	return k.RunAmong(ctx, interval, func() bool { return true }, failed)
}

// RunAmong is Run on one of many nodes: only while it is elected it signs; else
// it adopts what the elected one has signed. That two think they are elected
// does no harm.
func (k *Keeper) RunAmong(ctx context.Context, interval time.Duration, elected func() bool, failed func(error)) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for ending := false; !ending; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			ending = true
		}
		step := k.Adopt
		if elected() {
			step = k.Sign
		}
		err := timely(ctx, step)
		switch {
		case err == nil, errors.Is(err, ErrDeposed): // the next interval adopts theirs
		case isWrong(err):
			return err
		default:
			failed(err)
		}
	}
	return nil
}

// stepTime bounds a step, so that a log that does not answer does not hold up
// the end.
const stepTime = 10 * time.Second

// timely takes a step even if ctx has ended.
func timely(ctx context.Context, step func(context.Context) (Checkpoint, error)) error {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), stepTime)
	defer done()
	_, err := step(ctx)
	return err
}

func isWrong(err error) bool {
	altered, rollback := (*AlteredError)(nil), (*RollbackError)(nil)
	return errors.As(err, &altered) || errors.As(err, &rollback)
}
