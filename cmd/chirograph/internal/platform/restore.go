package platform

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/chirograph/chirograph/adapters/keys"
	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/installation"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// A Restore says what is put back and how far.
type Restore struct {
	From       string // folder of a backup; "" for the log that is there
	AcceptLoss bool
	Reason     string
}

// A RestoreReport says what the installation now is.
type RestoreReport struct {
	Events int64  `json:"events"`
	Epoch  int64  `json:"epoch"`
	Lost   int64  `json:"lost"` // events that a checkpoint knew and the log has not
	Root   string `json:"root"`
}

// Restored puts a backup into the data folder and checks that it may be
// served. Erasures that the log or the list beside the checkpoints knows are
// repeated.
func Restored(ctx context.Context, o Options, r Restore) (RestoreReport, error) {
	f := folderOf(o.Config)
	if r.From != "" {
		if err := put(ctx, o, r.From); err != nil {
			return RestoreReport{}, err
		}
		if err := forgetErased(ctx, o); err != nil {
			return RestoreReport{}, err
		}
	}
	os.Remove(f.erased()) // every erasure of the log is looked at again
	var report RestoreReport
	if r.AcceptLoss {
		loss, err := acceptLoss(ctx, o, r.Reason)
		if err != nil && !errors.Is(err, ledger.ErrNoLoss) {
			return report, err
		}
		if err == nil {
			report.Lost = max(0, loss.Newest.Size-loss.Restored)
		}
	}
	o.thorough = true
	p, err := Open(ctx, o)
	if err != nil {
		return report, err
	}
	c, err := p.sign(ctx)
	report.Events, report.Epoch, report.Root = c.Size, c.Epoch, c.Root.String()
	return report, errors.Join(err, p.Close())
}

// put puts a backup where the settings say that the installation is.
func put(ctx context.Context, o Options, from string) error {
	f := folderOf(o.Config)
	if !o.Config.Store.Shared() {
		return putBack(ctx, f, from)
	}
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(f.Dir, ".restore-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	beside := o // a node of its own, from which what nodes share is filled
	beside.Config = config.Default()
	beside.Config.DataDir, beside.Config.Keys.MasterKeyFile = dir, f.Master
	if err := putBack(ctx, folderOf(beside.Config), from); err != nil {
		return err
	}
	_, err = Transfer{From: beside, To: o, Keys: true, keep: true}.Run(ctx)
	return err
}

// putBack copies the parts of a backup. The keyring comes first, because its
// checkpoint key is what the log is checked with; if the log does not pass, it
// is taken away again, so that it cannot be mistaken for that of another
// backup.
func putBack(ctx context.Context, f Folder, from string) error {
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return err
	}
	if _, err := os.Stat(f.log()); err == nil {
		return fmt.Errorf("%s exists already: move it away first", f.log())
	}
	copied, err := copyMissing(filepath.Join(from, backupKeys, "keyring.db"), f.keyring())
	if err != nil {
		return err
	}
	if err := putLogBack(ctx, f, from); err != nil {
		if copied {
			err = errors.Join(err, os.Remove(f.keyring()))
		}
		return err
	}
	_, err = copyMissing(filepath.Join(from, backupState), f.state())
	return err
}

func putLogBack(ctx context.Context, f Folder, from string) error {
	key, err := checkpointKey(ctx, f)
	if err != nil {
		return err
	}
	_, err = sqlite.Restore(ctx, from, f.Dir, key)
	return err
}

// forgetErased ends at once what the keyring of a backup still knows of people
// who were erased since, whether or not the log may then be served.
func forgetErased(ctx context.Context, o Options) error {
	p, err := Examine(ctx, o, false)
	if err != nil {
		return err
	}
	if err = p.openLogin(ctx); err == nil {
		_, _, err = p.forgetListed(ctx)
	}
	return errors.Join(err, p.Close())
}

// checkpointKey reads the public key of the checkpoints from the keyring.
func checkpointKey(ctx context.Context, f Folder) (ed25519.PublicKey, error) {
	master, err := keys.OpenMaster(f.Master, false)
	if err != nil {
		return nil, &ledger.UnverifiableError{What: "the backup cannot be checked without its master key, which belongs at " + f.Master, Err: err}
	}
	ring, err := keys.Open(ctx, f.keyring(), master, keys.Settings{})
	if err != nil {
		return nil, &ledger.UnverifiableError{What: "the backup cannot be checked", Err: err}
	}
	seed, err := ring.Secret(ctx, keys.ForCheckpoints)
	if err = errors.Join(err, ring.Close()); err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, errCheckpointKey
	}
	return ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey), nil
}

// copyMissing copies a file unless there is one: what is there is newer.
func copyMissing(from, to string) (copied bool, err error) {
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	src, err := os.Open(from)
	if err != nil {
		return false, errors.Join(err, dst.Close(), os.Remove(to))
	}
	defer src.Close()
	_, err = io.Copy(dst, src)
	return true, errors.Join(err, dst.Sync(), dst.Close())
}

// acceptLoss begins the next epoch of a log that is behind its checkpoints.
func acceptLoss(ctx context.Context, o Options, reason string) (ledger.Loss, error) {
	p, err := Examine(ctx, o, false)
	if err != nil {
		return ledger.Loss{}, err
	}
	defer p.Close()
	return ledger.AcceptLoss(ctx, p.keeping(), func(ctx context.Context, loss ledger.Loss) error {
		_, err := p.Journal.Commit(ctx, p.Meta(event.ActorOperator), eventstore.Draft{
			Stream: installation.Stream, Expect: eventstore.Unchecked(),
			Events: []any{installation.Restored{
				Epoch: int(loss.Epoch), Checkpoint: string(loss.Newest.Note), Size: loss.Restored, Reason: reason,
			}},
		})
		if err == nil {
			err = p.complete(ctx)
		}
		return err
	})
}
