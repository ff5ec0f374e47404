package platform

import (
	"context"
	"errors"
	"time"

	"github.com/chirograph/chirograph/adapters/keys"
	"github.com/chirograph/chirograph/adapters/outbox"
	"github.com/chirograph/chirograph/adapters/watermill"
	"github.com/chirograph/chirograph/api"
)

// deliveries names the subscriber that tells others what the log says, and its
// task. Its checkpoint is kept under that name.
const deliveries = "deliveries"

// openOutbox opens what waits to be sent, unless for reading only: who reads
// sends nothing, and sees no secret. From here on no event is overlooked: where
// deliveries begin is recorded before anything is served.
func (p *Platform) openOutbox(ctx context.Context) (err error) {
	if p.ReadOnly {
		return nil
	}
	key := p.master.Derive(keys.ForWaiting)
	if p.shared != nil {
		p.Outbox, err = outbox.OpenShared(ctx, p.shared.waiting, key)
	} else {
		p.Outbox, err = outbox.Open(ctx, p.Folder.outbox(), key)
	}
	if err != nil {
		return err
	}
	head, err := p.Log.Head(ctx)
	if err != nil {
		return err
	}
	at, anew, err := p.Outbox.Begin(ctx, watermill.Checkpoint(deliveries, watermill.TopicObliging), head)
	if err == nil && anew && at > 0 && !p.fresh {
		p.Options.Log.WarnContext(ctx, "what the log says up to here is not told to others any more", "position", at)
	}
	return err
}

// waiting is the outbox as the server sees it.
func (p *Platform) waiting() api.Waiting {
	if p.Outbox == nil {
		return nothingWaits{}
	}
	return p.Outbox
}

// nothingWaits is the outbox of who only reads.
type nothingWaits struct{}

var errReader = errors.New("opened for reading only: nothing can wait here to be sent")

func (nothingWaits) Keep(context.Context, string, []byte, time.Time) error { return errReader }
func (nothingWaits) Forget(context.Context, string) error                  { return errReader }
func (nothingWaits) Find(context.Context, string, time.Time) ([]byte, error) {
	return nil, api.ErrGone
}
