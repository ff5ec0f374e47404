package projections

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/chirograph/chirograph/eventstore"
)

// A Past answers questions as of a past position. Close it after use.
type Past struct {
	Answers
	Position eventstore.Position
	scratch  *scratch
}

// AsOf folds every projection up to position p into a scratch database. It
// reads the whole log up to there.
func (s *Set) AsOf(ctx context.Context, p eventstore.Position) (*Past, error) {
	if head, err := s.journal.Log.Head(ctx); err != nil {
		return nil, err
	} else if p > head {
		return nil, fmt.Errorf("%w: the log ends at %d, asked for %d", ErrBehind, head, p)
	}
	into, err := s.openScratch(ctx)
	if err != nil {
		return nil, err
	}
	var all []Projection
	for _, f := range s.followers {
		all = append(all, f.Projection)
	}
	followers, err := into.fold(ctx, s.journal, all, p)
	if err != nil {
		into.Close()
		return nil, err
	}
	return &Past{Answers: answers(s.journal, followers), Position: p, scratch: into}, nil
}

// Close discards what was folded.
func (p *Past) Close() error { return p.scratch.Close() }

// scratch is a database for one question.
type scratch struct {
	database
	own *sql.DB
}

func (s *Set) openScratch(ctx context.Context) (*scratch, error) {
	if s.scratch == nil {
		return nil, fmt.Errorf("%w: there is no scratch database to fold into", ErrUnknown)
	}
	db, err := s.scratch(ctx)
	if err != nil {
		return nil, err
	}
	return &scratch{database{db: db}, db}, nil
}

func (s *scratch) Close() error { return s.own.Close() }

// fold makes tables and folds the log into them up to a position.
func (s *scratch) fold(ctx context.Context, j *eventstore.Journal, all []Projection, upTo eventstore.Position) ([]*follower, error) {
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	var followers []*follower
	var into []build
	for _, p := range all {
		b, err := s.create(ctx, p, true)
		if err != nil {
			return nil, err
		}
		f := s.follower(p, j, upTo)
		f.past = true
		followers, into = append(followers, f), append(into, b)
	}
	_, err := s.replay(ctx, withoutKeys(j), into, 0, upTo, func(int, eventstore.Position) {})
	return followers, err
}
