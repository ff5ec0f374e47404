package platform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/chirograph/chirograph/adapters/keys"
	"github.com/chirograph/chirograph/eventstore/copying"
	"github.com/chirograph/chirograph/eventstore/ledger"

	"golang.org/x/sync/errgroup"
)

// A Transfer copies an installation from where one configuration says to where
// another does, engine to engine.
type Transfer struct {
	From, To Options
	Keys     bool // also the keyring, the sign-in state and the list of erasures
	Progress func(done, of int64) error

	keep bool // a keyring that is there is newer, and stays
}

// Run copies what the target does not have yet of the log, verifies the whole,
// and then copies the rest. It can be repeated: what is there stays. The log
// goes first, because a key is durable before what it seals: a later copy of
// the keyring opens all of an earlier copy of the log.
func (t Transfer) Run(ctx context.Context) (ledger.Report, error) {
	from, err := Examine(ctx, t.From, true)
	if err != nil {
		return ledger.Report{}, err
	}
	defer from.Close()
	to, err := t.target(ctx, from)
	if err != nil {
		return ledger.Report{}, err
	}
	defer to.Close()
	report, err := t.copyLog(ctx, from, to)
	if err != nil || !t.Keys {
		return report, err
	}
	return report, t.copyRest(ctx, from, to)
}

// target opens the log that is to be filled, and nothing else.
func (t Transfer) target(ctx context.Context, from *Platform) (*Platform, error) {
	o := t.To
	o.Create = true
	p := newPlatform(o)
	p.id = from.Log.ID()
	if err := p.openLog(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (t Transfer) copyLog(ctx context.Context, from, to *Platform) (ledger.Report, error) {
	into, ok := to.Log.(copying.Target)
	if !ok {
		return ledger.Report{}, fmt.Errorf("nothing can be copied into a log in %s", to.Config.Store.Engine)
	}
	ctx, done := context.WithCancel(ctx)
	defer done()
	var numbering errgroup.Group
	if log, ok := to.Log.(numbered); ok {
		numbering.Go(func() error { return log.number(ctx) })
	}
	report, err := copying.Copy(ctx, copying.Plan{From: from.Log, To: into, Key: from.CheckpointKey(), Progress: t.Progress})
	done()
	return report, errors.Join(err, numbering.Wait())
}

// copyRest copies what lies beside the log.
func (t Transfer) copyRest(ctx context.Context, from, to *Platform) (err error) {
	if to.master, err = keys.OpenMaster(to.Folder.Master, false); err != nil {
		return &ledger.UnverifiableError{What: "the master key " + to.Folder.Master + " must be there: copy it", Err: err}
	}
	if err := from.openLogin(ctx); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(to.Folder.Dir, ".copy-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	keyring, state := filepath.Join(dir, "keyring.db"), filepath.Join(dir, "state.db")
	if err := errors.Join(from.Ring.Backup(ctx, keyring), from.Login.Backup(ctx, state)); err != nil {
		return err
	}
	if err := to.takeRest(ctx, keyring, state, t.keep); err != nil {
		return err
	}
	erased, err := ledger.Erasures(from.Folder.Checkpoints)
	for _, e := range erased {
		err = errors.Join(err, ledger.RecordErasure(to.Folder.Checkpoints, e))
	}
	return err
}

// takeRest makes copies of a keyring and of a sign-in state this
// installation's own. A shared store takes them only if it has none.
func (p *Platform) takeRest(ctx context.Context, keyring, state string, keep bool) error {
	if p.shared == nil {
		return errors.Join(os.Rename(keyring, p.Folder.keyring()), os.Rename(state, p.Folder.state()))
	}
	if err := p.openRing(ctx, 0); err != nil {
		return err
	}
	if err := p.openLogin(ctx); err != nil {
		return err
	}
	unless := func(err error) error {
		if keep && errors.Is(err, keys.ErrNotEmpty) {
			return nil
		}
		return err
	}
	return errors.Join(unless(p.Ring.Restore(ctx, keyring)), unless(p.Login.Restore(ctx, state)))
}
