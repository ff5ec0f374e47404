// Package platform puts the parts of an installation together: the folder with
// the log and all that lives beside it, and the servers that stand on them.
//
// What lies in the folder:
//
//	log.db          the event log; lock is held by the one writer
//	checkpoints/    the newest signed checkpoint, and the list of erasures
//	master.key      opens keyring.db, where every other key is
//	state.db        login names, passwords, sessions, the directory
//	waiting.db      what is still to be sent, and how far the log has been told
//	projections.db  can be built again from the log
//	admin.json      where a running server's admin port is, and its credential
package platform

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chirograph/chirograph/adapters/keys"
	"github.com/chirograph/chirograph/adapters/limits"
	"github.com/chirograph/chirograph/adapters/login"
	"github.com/chirograph/chirograph/adapters/metrics"
	"github.com/chirograph/chirograph/adapters/outbox"
	"github.com/chirograph/chirograph/adapters/watermill"
	"github.com/chirograph/chirograph/adapters/watermill/export"
	"github.com/chirograph/chirograph/api"
	"github.com/chirograph/chirograph/api/admin"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/domain/catalogue"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/projections"

	"github.com/google/uuid"
)

// Options of [Open].
type Options struct {
	Config   config.Config
	Purpose  string // that the log must have, and gets if it is made; "" for any
	Create   bool   // make what is missing
	ReadOnly bool   // beside a server, or where nothing may be written
	Dev      bool   // pages carry a ribbon
	Version  string
	Now      func() time.Time
	Log      *slog.Logger

	thorough bool // look at every erasure of the log before anything is served
}

// A Platform is an open installation. It has no Keeper where it was opened for
// reading only.
type Platform struct {
	Options
	Folder      Folder
	Log         Engine
	Journal     *eventstore.Journal
	Ring        *keys.Ring
	Login       *login.Store
	Outbox      *outbox.Store // nil for reading only
	Keeper      *ledger.Keeper
	Projections *projections.Set
	Metrics     *metrics.Metrics
	API         *api.Server
	Deliveries  *watermill.Deliveries // nil for reading only
	Exports     []*export.Export      // likewise none
	Admin       *admin.Server
	Signer      *signer

	shared     *shared   // nil where there is one node
	folder     io.Closer // where nodes share: this node's hold on its folder
	id         uuid.UUID // that a new log gets; random if zero
	limits     *limits.Limits
	master     *keys.Master
	checkpoint ed25519.PrivateKey
	tables     *sql.DB
	told       sync.Map    // when a task was last said to fail
	following  atomic.Bool // projections are kept in step by Run
	governing  atomic.Bool // this node does what one node does for all
	verified   atomic.Pointer[Verification]
	fresh      bool // the log was made by this opening
}

// ErrNoData means that a folder holds no log.
var ErrNoData = errors.New("no log")

func noData(f Folder) error {
	return fmt.Errorf("%w in %s: is that the folder? --config or --data says which; serve, or dev to try things out, makes one", ErrNoData, f.Dir)
}

func newPlatform(o Options) *Platform {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Platform{Options: o, Folder: folderOf(o.Config), Metrics: metrics.New(o.Version)}
}

// Open opens the installation in a folder. A [ledger.RollbackError] means that
// the log is older than its checkpoints: it may be read, with ReadOnly, but not
// served.
func Open(ctx context.Context, o Options) (*Platform, error) {
	p := newPlatform(o)
	for _, step := range []func(context.Context) error{
		p.openLog, p.openKeys, p.openCheckpoints, p.begin, p.openLogin, p.openOutbox, p.openProjections, p.openServer, p.openExports, p.reapplyErasures,
	} {
		if err := step(ctx); err != nil {
			p.Close()
			return nil, err
		}
	}
	return p, nil
}

// openKeys opens the keyring. Only beside an empty log may it be made: another
// keyring would make everybody look erased.
func (p *Platform) openKeys(ctx context.Context) error {
	head, err := p.Log.Head(ctx)
	if err != nil {
		return err
	}
	if p.master, err = keys.OpenMaster(p.Folder.Master, head == 0 && p.shared == nil); err != nil {
		return &ledger.UnverifiableError{What: "the master key " + p.Folder.Master + " cannot be used" + p.masterHint(), Err: err}
	}
	if err := p.openRing(ctx, head); err != nil {
		return &ledger.UnverifiableError{What: "the keyring cannot be used", Err: err}
	}
	p.Signer = newSigner(p.Ring.SigningKeys())
	p.Journal = &eventstore.Journal{
		Log:   p.Log,
		Codec: &eventstore.Codec{Registry: catalogue.Events, Keys: p.Ring, Log: p.Log.ID()},
	}
	if p.shared != nil {
		p.Journal.Feed = eventstore.NewFeed(p.Log, func(err error) { p.failed(ctx, "feed", err) })
	}
	return nil
}

// masterHint says how nodes get what they must have in common.
func (p *Platform) masterHint() string {
	if p.shared == nil {
		return ""
	}
	return " (every node has the same; config master-key makes one)"
}

func (p *Platform) openRing(ctx context.Context, head eventstore.Position) (err error) {
	settings := keys.Settings{Now: p.Now}
	if p.shared != nil {
		open := keys.OpenShared
		if p.ReadOnly {
			open = keys.OpenSharedForReading
		}
		p.Ring, err = open(ctx, p.shared.keys, p.master, settings)
		return err
	}
	if _, err := os.Stat(p.Folder.keyring()); err != nil && head > 0 {
		return err
	}
	p.Ring, err = keys.Open(ctx, p.Folder.keyring(), p.master, settings)
	return err
}

func (p *Platform) openLogin(ctx context.Context) (err error) {
	settings := login.Defaults()
	settings.Idle, settings.Absolute = time.Duration(p.Config.Sessions.Idle), time.Duration(p.Config.Sessions.Absolute)
	index := p.master.Derive(keys.ForLoginNames)
	if p.shared != nil {
		open := login.OpenShared
		if p.ReadOnly {
			open = login.OpenSharedForReading
		}
		p.Login, err = open(ctx, p.shared.login, index, p.Ring, settings)
		return err
	}
	if _, err := os.Stat(p.Folder.state()); err != nil && !p.fresh {
		p.Options.Log.WarnContext(ctx, "sign-in names, passwords and sessions begin anew: the file is missing", "file", p.Folder.state())
	}
	p.Login, err = login.Open(ctx, p.Folder.state(), index, p.Ring, settings)
	return err
}

// Close closes everything that is open. Whoever serves has drained before.
func (p *Platform) Close() error {
	var all []error
	if p.tables != nil {
		all = append(all, p.tables.Close())
	}
	if p.Login != nil {
		all = append(all, p.Login.Close())
	}
	if p.Outbox != nil {
		all = append(all, p.Outbox.Close())
	}
	if p.Ring != nil {
		all = append(all, p.Ring.Close())
	}
	if p.Log != nil {
		all = append(all, p.Log.Close())
	}
	all = append(all, p.shared.close())
	if p.folder != nil {
		all = append(all, p.folder.Close())
	}
	return errors.Join(all...)
}
