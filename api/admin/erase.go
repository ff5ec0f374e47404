package admin

import (
	"context"

	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore"
)

// eraseSubject ends all personal data of somebody. It is refused under a legal
// hold, and while consents are active unless they are to be revoked first.
// Repeating it completes what was interrupted.
func (s *Server) eraseSubject(c *call) (any, error) {
	var body struct {
		Reason string `json:"reason"`
		Revoke bool   `json:"revoke"`
	}
	if err := c.read(&body); err != nil {
		return nil, err
	}
	if err := (reason{body.Reason}).check(); err != nil {
		return nil, err
	}
	ctx, id, m := c.Context(), c.PathValue("subject"), c.meta()
	state, _, err := s.API.Subjects.Get(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !state.Exists():
		return nil, subject.ErrUnknown
	case state.Held():
		return nil, subject.ErrHeld
	}
	active, err := s.active(ctx, id)
	for body.Revoke && err == nil && len(active) > 0 {
		if err = s.revokeAll(ctx, m, active, body.Reason); err == nil {
			active, err = s.active(ctx, id)
		}
	}
	if err != nil {
		return nil, err
	}
	m.Address = "" // it would be sealed with the key that ends now
	m.Subject = id
	state, err = s.API.Subjects.Execute(ctx, m, id, subject.Erase{Erased: subject.Erased{Reason: body.Reason}, ActiveConsents: len(active)})
	if err != nil {
		return nil, err
	}
	at, err := s.erasedAt(ctx, id)
	if err != nil {
		return nil, err
	}
	return person(id, state), s.People.Erase(ctx, id, at)
}

// active returns the consents that somebody could still end: the projection
// proposes, the log decides.
func (s *Server) active(ctx context.Context, id string) ([]string, error) {
	if err := s.Current(ctx); err != nil {
		return nil, err
	}
	proposed, err := s.Projections.Consents.OpenOf(ctx, id)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, p := range proposed {
		state, _, err := s.API.Consents.Load(ctx, p.ID)
		if err != nil {
			return nil, err
		}
		if state.Alive(s.API.Now()) || state.Status() == consent.Stopped {
			all = append(all, p.ID)
		}
	}
	return all, nil
}

func (s *Server) revokeAll(ctx context.Context, m event.Meta, consents []string, why string) error {
	for _, id := range consents {
		if _, err := s.revoke(ctx, m, id, why); err != nil {
			return err
		}
	}
	return nil
}

// erasedAt returns the position of the erasure in a subject's stream. Whoever
// has the head of the log finds everything before it numbered.
func (s *Server) erasedAt(ctx context.Context, id string) (eventstore.Position, error) {
	at, err := s.API.Journal.Log.Head(ctx)
	if err != nil {
		return 0, err
	}
	for e, err := range s.API.Journal.Log.ReadStream(ctx, s.API.Subjects.Stream(id), 0) {
		if err != nil {
			return 0, err
		}
		if e.Type == "subject.erased" {
			at = e.Position
		}
	}
	return at, nil
}
