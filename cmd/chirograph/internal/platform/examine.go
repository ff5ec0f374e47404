package platform

import (
	"context"

	"github.com/chirograph/chirograph/eventstore/ledger"
)

var errCheckpointKey = &ledger.UnverifiableError{What: "the key of the checkpoints has the wrong length"}

// Examine opens only the log and the key of its checkpoints, and believes
// nothing of what the log holds: for verification, and for what must be done
// to a log that may not be served.
func Examine(ctx context.Context, o Options, readOnly bool) (*Platform, error) {
	o.ReadOnly = readOnly
	p := newPlatform(o)
	for _, step := range []func(context.Context) error{p.openLog, p.openKeys, p.findCheckpointKey} {
		if err := step(ctx); err != nil {
			p.Close()
			return nil, err
		}
	}
	return p, nil
}
