package platform

import (
	"context"
	"errors"
	"fmt"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/installation"
	"github.com/chirograph/chirograph/eventstore"
)

// A PurposeError says that a log was made for something else. What was once a
// log for development never becomes one for production: its keys and
// customers are known to everybody.
type PurposeError struct{ Have, Want string }

func (e *PurposeError) Error() string {
	return fmt.Sprintf("the data folder was made for %s, not for %s: use another folder", e.Have, e.Want)
}

// begin appends the first event of an empty log, and checks that of another.
// Of nodes that begin at the same time one is the first, and the others go on.
func (p *Platform) begin(ctx context.Context) error {
	begun, err := p.begun(ctx)
	if err != nil || begun || p.ReadOnly {
		return err
	}
	want := p.Purpose
	if want == "" {
		want = installation.Production
	}
	_, err = p.Journal.Commit(ctx, p.Meta(event.ActorSystem), eventstore.Draft{
		Stream: installation.Stream, Expect: eventstore.Absent(),
		Events: []any{installation.Created{Purpose: want, Software: p.Version}},
	})
	if errors.Is(err, eventstore.ErrConflict) {
		_, err = p.begun(ctx)
		return err
	}
	p.fresh = err == nil
	return err
}

// begun reports whether the log has its first event, and refuses one of another
// purpose.
func (p *Platform) begun(ctx context.Context) (bool, error) {
	have, err := p.purpose(ctx)
	if err == nil && have != "" && p.Purpose != "" && have != p.Purpose {
		err = &PurposeError{have, p.Purpose}
	}
	return have != "", err
}

// purpose returns what the log was made for, "" if it has no event.
func (p *Platform) purpose(ctx context.Context) (string, error) {
	for e, err := range p.Journal.Read(ctx, installation.Stream) {
		if err != nil {
			return "", err
		}
		if created, ok := e.Body.(installation.Created); ok {
			return created.Purpose, nil
		}
	}
	return "", nil
}

// Meta begins the metadata of events that the program causes by itself.
func (p *Platform) Meta(actor string) event.Meta {
	return event.Meta{Actor: actor, Software: p.Version}
}
