package platform

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"

	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// Erase ends everything that is kept about a subject outside the log, once its
// erasure is recorded there at a position: the list beside the checkpoints
// first, so that every later restore repeats it. Erasing again changes nothing.
func (p *Platform) Erase(ctx context.Context, id string, at eventstore.Position) error {
	err := ledger.RecordErasure(p.Folder.Checkpoints, ledger.Erasure{Subject: id, Position: at, At: p.Now().UTC()})
	return errors.Join(err, p.forget(ctx, id))
}

func (p *Platform) forget(ctx context.Context, id string) error {
	return errors.Join(p.Ring.Destroy(ctx, id), p.Login.Erase(ctx, id))
}

// reapplyErasures repeats every erasure that the log or the list beside the
// checkpoints knows and the keyring does not: after a crash between the event
// and the end of the key, or when an older keyring or log was put back.
func (p *Platform) reapplyErasures(ctx context.Context) error {
	if p.ReadOnly {
		return nil
	}
	listed, done, err := p.forgetListed(ctx)
	if err != nil {
		return err
	}
	if p.erasedThrough() == 0 {
		if err := p.recordLost(ctx, listed); err != nil {
			return err
		}
	}
	if p.shared != nil && !p.thorough {
		return nil // the keyring knows what other nodes have erased; beside looks at the log
	}
	return p.eraseSince(ctx, done)
}

// forgetListed destroys the keys of those whom the list beside the checkpoints
// names. It needs no log, so that nobody who was erased can be read in one
// that may not be served either.
func (p *Platform) forgetListed(ctx context.Context) (listed []ledger.Erasure, done map[string]bool, err error) {
	destroyed, err := p.Ring.DestroyedSubjects(ctx)
	if err != nil {
		return nil, nil, err
	}
	done = map[string]bool{}
	for _, holder := range destroyed {
		done[strings.TrimPrefix(holder, "subject:")] = true
	}
	if listed, err = ledger.Erasures(p.Folder.Checkpoints); err != nil {
		return nil, nil, err
	}
	for _, e := range listed {
		if done[e.Subject] {
			continue
		}
		if err := p.forget(ctx, e.Subject); err != nil {
			return nil, nil, err
		}
		done[e.Subject] = true
	}
	return listed, done, nil
}

// eraseSince looks at the events after the position up to which erasures are
// known to be complete.
func (p *Platform) eraseSince(ctx context.Context, done map[string]bool) error {
	through := p.erasedThrough()
	head, err := p.Log.Head(ctx)
	if err != nil {
		return err
	}
	if through > head {
		through = 0 // another log
	}
	for e, err := range p.Journal.ReadAll(ctx, through, eventstore.Filter{Types: []string{"subject.erased"}}) {
		if err != nil {
			return err
		}
		if _, erased := e.Body.(subject.Erased); !erased || done[e.Stream.ID()] {
			continue
		}
		if err := p.Erase(ctx, e.Stream.ID(), e.Position); err != nil {
			return err
		}
	}
	return os.WriteFile(p.Folder.erased(), []byte(strconv.FormatUint(uint64(head), 10)+"\n"), 0o600)
}

func (p *Platform) erasedThrough() eventstore.Position {
	text, err := os.ReadFile(p.Folder.erased())
	if err != nil {
		return 0
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 63)
	if err != nil {
		return 0
	}
	return eventstore.Position(n)
}
