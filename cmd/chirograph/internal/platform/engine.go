package platform

import (
	"context"

	"github.com/chirograph/chirograph/adapters/sqlite"
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
func (p *Platform) openLog(context.Context) error {
	log, err := sqlite.Open(sqlite.Options{Dir: p.Config.DataDir, ReadOnly: p.ReadOnly, Now: p.Now})
	if err != nil {
		return err // a nil *sqlite.Log is no nil Engine
	}
	p.Log = log
	return nil
}
