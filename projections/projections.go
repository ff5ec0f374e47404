// Package projections answers questions from the event log.
//
// A [Projection] is a fold of the log into tables. It can be dropped and built
// again at any time, beside its old tables, and it can be folded to any past
// position. Nothing is decided from it: it may lag, and says by how much.
//
// Projections see every event without the keys under which personal data is
// sealed, so nothing that is sealed can reach a table. It follows that the
// rows are a function of the log alone: erasing a customer changes no row, and
// leaves no personal data behind. What an answer says about a person is read
// back from the log when it is asked for.
package projections

import (
	"context"
	"errors"

	"github.com/chirograph/chirograph/eventstore"
)

// A Projection folds events into tables.
type Projection struct {
	Name    string
	Version int // a change of the tables or of Apply needs the next one
	Tables  []Table
	Filter  eventstore.Filter

	// Fold folds events in: those that Filter selects, each once and in commit
	// order; fields that are stored sealed are empty. It depends on nothing but
	// the events and the tables, and not on how the history is cut into calls.
	Fold func(ctx context.Context, tx *Tx, events []eventstore.Decoded) error
}

// A Table belongs to a projection. In the SQL of the projection its name is
// written in braces, since each build of the projection has its own.
type Table struct {
	Name    string
	Columns string   // definitions
	Key     string   // columns of the primary key, which order the rows
	Indexes []string // columns of each further index
}

// Why a question is not answered.
var (
	// ErrBehind means that a projection has not yet seen the position asked for.
	ErrBehind = errors.New("projections: not there yet")

	// ErrCursor means that a cursor was not made here, or for another question.
	ErrCursor = errors.New("projections: not a cursor of this listing")

	// ErrUnknown means that there is no such projection, kind or order.
	ErrUnknown = errors.New("projections: unknown")

	// ErrAltered means that the tables and the log contradict each other.
	ErrAltered = errors.New("projections: the index does not agree with the log")
)
