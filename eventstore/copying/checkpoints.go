package copying

import (
	"context"
	"fmt"

	"github.com/chirograph/chirograph/eventstore/ledger"
)

// checkpoints copies the notes over the first size events that the target does
// not have. They are copied oldest first, so the newest there says which.
func (p Plan) checkpoints(ctx context.Context, size int64) error {
	var newest ledger.Checkpoint
	note, err := p.To.NewestCheckpoint(ctx)
	if err == nil && note != nil {
		newest, err = ledger.ParseCheckpoint(note, p.To.ID(), p.Key)
	}
	if err != nil {
		return fmt.Errorf("copying: checkpoints of the target: %w", err)
	}
	for note, err := range p.From.Checkpoints(ctx) {
		if err != nil {
			return fmt.Errorf("copying: checkpoints of the source: %w", err)
		}
		c, err := ledger.ParseCheckpoint(note, p.From.ID(), p.Key)
		if err != nil {
			return &ledger.UnverifiableError{What: "a checkpoint of the source", Err: err}
		}
		if c.Size > size || !after(c, newest) {
			continue
		}
		if err := p.To.KeepCheckpoint(ctx, c.Epoch, c.Size, c.Note); err != nil {
			return fmt.Errorf("copying: checkpoint of %d events: %w", c.Size, err)
		}
	}
	return nil
}

func after(c, d ledger.Checkpoint) bool {
	return c.Epoch > d.Epoch || c.Epoch == d.Epoch && c.Size > d.Size
}
