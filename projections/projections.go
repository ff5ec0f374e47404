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
	"fmt"
	"strings"

	"github.com/chirograph/chirograph/eventstore"
)

// A Projection folds events into tables.
type Projection struct {
	Name    string
	Version int // a change of the tables or of Apply needs the next one
	Tables  []Table
	Filter  eventstore.Filter

	// Apply folds one event in. It is called once for each event that Filter
	// selects, in commit order; fields that are stored sealed are empty. It
	// depends on nothing but the event and the tables.
	Apply func(ctx context.Context, tx *Tx, e eventstore.Decoded) error
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

// A build is one set of tables of a projection. A rebuild makes the next
// generation beside the present one.
type build struct {
	Projection
	generation int
}

func (b build) suffix() string { return fmt.Sprintf("_v%d_g%d", b.Version, b.generation) }

// sql replaces the table names in braces by those of the build.
func (b build) sql(query string) string {
	return strings.NewReplacer("{", "", "}", b.suffix()).Replace(query)
}

// schema returns the statements that make the tables of the build.
func (b build) schema() []string {
	var ddl []string
	for _, t := range b.Tables {
		ddl = append(ddl, b.sql(fmt.Sprintf("CREATE TABLE {%s} (%s, PRIMARY KEY (%s)) WITHOUT ROWID", t.Name, t.Columns, t.Key)))
		for i, columns := range t.Indexes {
			ddl = append(ddl, b.sql(fmt.Sprintf("CREATE INDEX %s_%d{} ON {%s} (%s)", t.Name, i, t.Name, columns)))
		}
	}
	return ddl
}
