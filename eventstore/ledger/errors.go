package ledger

import (
	"fmt"

	"github.com/chirograph/chirograph/eventstore"
)

// An AlteredError says that what is stored is not what was written.
type AlteredError struct {
	Position eventstore.Position // the first that is known to differ, 0 if none can be named
	What     string
	Err      error
}

func (e *AlteredError) Error() string {
	at := ""
	if e.Position > 0 {
		at = fmt.Sprintf(" at position %d", e.Position)
	}
	if e.Err != nil {
		return fmt.Sprintf("ledger: altered%s: %s: %v", at, e.What, e.Err)
	}
	return fmt.Sprintf("ledger: altered%s: %s", at, e.What)
}

func (e *AlteredError) Unwrap() error { return e.Err }

// A RollbackError says that the log is not the one that the newest checkpoint
// was signed over: it is older, or another history. Nothing may be served from
// it; see the package comment for the one way on.
type RollbackError struct {
	Have, Want           int64 // leaves in the log, leaves in the checkpoint
	HaveEpoch, WantEpoch int64
	Where                string // what holds the checkpoint: a file, or the database
}

func (e *RollbackError) Error() string {
	switch {
	case e.HaveEpoch != e.WantEpoch:
		return fmt.Sprintf("ledger: the log is of epoch %d with %d events, but %s is of epoch %d with %d", e.HaveEpoch, e.Have, e.Where, e.WantEpoch, e.Want)
	case e.Have < e.Want:
		return fmt.Sprintf("ledger: the log has %d events, but %s was signed over %d", e.Have, e.Where, e.Want)
	}
	return fmt.Sprintf("ledger: the first %d of %d events are not those that %s was signed over", e.Want, e.Have, e.Where)
}

// An UnverifiableError says that nothing can be told, because something that
// is needed for it is missing or foreign.
type UnverifiableError struct {
	What string
	Err  error
}

func (e *UnverifiableError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("ledger: cannot tell: %s: %v", e.What, e.Err)
	}
	return "ledger: cannot tell: " + e.What
}

func (e *UnverifiableError) Unwrap() error { return e.Err }
