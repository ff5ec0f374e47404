package projections

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// All lists every projection of the platform.
var All = []Projection{
	consentsProjection, clientsProjection, accessesProjection, auditProjection, backchannelsProjection, deliveriesProjection,
	unansweredProjection,
}

// Answers are the questions that can be asked, of the present or of the past.
type Answers struct {
	Consents     *Consents
	Clients      *Clients
	Accesses     *Accesses
	Audit        *Audit
	Backchannels *Backchannels
	Deliveries   *Deliveries
	Unanswered   *Unanswered
}

// Config says where a [Set] keeps its tables and what it reads.
type Config struct {
	DB      *sql.DB // may be lost: it can be built again from the log
	Dialect Dialect
	Journal *eventstore.Journal

	// Scratch opens an empty SQLite database for folds into the past and for
	// verification. The caller of these closes it.
	Scratch func(context.Context) (*sql.DB, error)

	Log *slog.Logger // may be nil

	// Lead lets one node fold at a time where several share the database: it
	// calls run while this node is the one for name, each time with a context
	// that ends when it no longer is, and returns when ctx has ended. Nil is for
	// who has the database alone. A node that folds on for a while after another
	// was chosen does no harm.
	Lead func(ctx context.Context, name string, run func(context.Context))

	// ReadOnly asks the tables that somebody else keeps in step, and writes
	// nothing. Opening fails with [ErrBehind] if there are none.
	ReadOnly bool
}

// A Set is every projection over one database.
type Set struct {
	Answers
	journal   *eventstore.Journal
	db        *database
	scratch   func(context.Context) (*sql.DB, error)
	log       *slog.Logger
	followers []*follower
	lead      func(ctx context.Context, name string, run func(context.Context))
	backoff   func(failures int) time.Duration
}

// Open returns the projections with the tables that db holds, or with new and
// empty ones. Tables that were folded from another log, or from events that
// this log no longer has, are dropped.
func Open(ctx context.Context, c Config) (*Set, error) { return open(ctx, c, All) }

func open(ctx context.Context, c Config, all []Projection) (*Set, error) {
	s := &Set{
		journal: c.Journal,
		db:      &database{db: c.DB, dialect: c.Dialect, shared: c.Lead != nil},
		lead:    c.Lead,
		scratch: c.Scratch,
		log:     c.Log,
		backoff: backoff,
	}
	if s.log == nil {
		s.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	attach := s.db.attach
	if c.ReadOnly {
		attach = s.db.look
	} else if err := s.db.prepare(ctx); err != nil {
		return nil, err
	}
	for _, p := range all {
		f, err := attach(ctx, p, c.Journal)
		if err != nil {
			return nil, err
		}
		s.followers = append(s.followers, f)
	}
	s.Answers = answers(c.Journal, s.followers)
	return s, nil
}

func answers(j *eventstore.Journal, followers []*follower) Answers {
	named := func(p Projection) *follower {
		i := slices.IndexFunc(followers, func(f *follower) bool { return f.Name == p.Name })
		if i < 0 {
			return nil
		}
		return followers[i]
	}
	clients := &Clients{named(clientsProjection), j}
	return Answers{
		Consents:     &Consents{named(consentsProjection), j},
		Clients:      clients,
		Accesses:     &Accesses{named(accessesProjection)},
		Audit:        &Audit{named(auditProjection), j, clients},
		Backchannels: &Backchannels{named(backchannelsProjection)},
		Deliveries:   &Deliveries{named(deliveriesProjection), j},
		Unanswered:   &Unanswered{named(unansweredProjection)},
	}
}

func (s *Set) follower(name string) (*follower, error) {
	i := slices.IndexFunc(s.followers, func(f *follower) bool { return f.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("%w projection %.40q", ErrUnknown, name)
	}
	return s.followers[i], nil
}

// WaitFor returns when every projection has seen position p, so that who wrote
// p reads what was written. It needs [Set.Run], and gives up with [ErrBehind]
// when ctx ends. What is [eventstore.Unnumbered] is waited for up to the head.
func (s *Set) WaitFor(ctx context.Context, p eventstore.Position) error {
	if p >= eventstore.Unnumbered {
		var err error
		if p, err = s.journal.Log.Head(ctx); err != nil {
			return err
		}
	}
	for _, f := range s.followers {
		if err := f.waits.wait(ctx, p); err != nil {
			return fmt.Errorf("%w: %s is at %d, asked for %d: %w", ErrBehind, f.Name, f.waits.at(), p, err)
		}
	}
	return nil
}

// CatchUp folds in what the log holds now, without [Set.Run].
func (s *Set) CatchUp(ctx context.Context) error {
	head, err := s.journal.Log.Head(ctx)
	if err != nil {
		return err
	}
	var all []build
	after := head
	for _, f := range s.followers {
		at, err := f.position(ctx)
		if err != nil {
			return err
		}
		f.waits.is(at)
		after, all = min(after, at), append(all, f.active())
	}
	_, err = s.db.replay(ctx, withoutKeys(s.journal), all, after, head, func(i int, p eventstore.Position) { s.followers[i].reached(p) })
	return err
}
