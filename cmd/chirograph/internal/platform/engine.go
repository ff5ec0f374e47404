package platform

import (
	"context"
	"errors"
	"os"

	"github.com/chirograph/chirograph/adapters/postgres"
	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// An Engine is a log that can prove itself.
type Engine interface {
	eventstore.Log
	ledger.Vault

	// Halted is why nothing can be written at the moment, nil if it can.
	Halted() error
}

// openLog opens the log where the settings say that it is.
func (p *Platform) openLog(ctx context.Context) error {
	if p.Create {
		if err := os.MkdirAll(p.Folder.Dir, 0o700); err != nil {
			return err
		}
	}
	switch p.Config.Store.Engine {
	case config.PostgreSQL:
		return p.openPostgres(ctx)
	case config.EventStoreDB:
		return p.openEventStoreDB(ctx)
	}
	if _, err := os.Stat(p.Folder.log()); errors.Is(err, os.ErrNotExist) && !p.Create {
		return noData(p.Folder)
	}
	if err := p.Folder.whole(); err != nil {
		return err
	}
	log, err := sqlite.Open(sqlite.Options{Dir: p.Config.DataDir, ID: p.id, ReadOnly: p.ReadOnly, Now: p.Now})
	if err != nil {
		return err // a nil *sqlite.Log is no nil Engine
	}
	p.Log = log
	return nil
}

func (p *Platform) openPostgres(ctx context.Context) error {
	if err := p.openShared(ctx); err != nil {
		return err
	}
	o := postgres.Options{URL: p.shared.url, ID: p.id, Now: p.Now, ReadOnly: p.ReadOnly || !p.Create}
	log, err := postgres.Open(ctx, o)
	if err == nil && o.ReadOnly && !p.ReadOnly { // it is there, so opening it makes nothing
		o.ReadOnly = false
		err = log.Close()
		if err == nil {
			log, err = postgres.Open(ctx, o)
		}
	}
	if errors.Is(err, postgres.ErrNoLog) {
		return errNoShared
	}
	if err != nil {
		return err
	}
	p.Log = log
	return nil
}
