package admin

import (
	"context"
	"strconv"

	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore"
)

// A Subject is a person as the log knows them.
type Subject struct {
	ID     string   `json:"sub"`
	Issuer string   `json:"issuer"`
	Name   string   `json:"name,omitempty"` // empty once erased
	Roles  []string `json:"roles,omitempty"`
	Held   bool     `json:"legal_hold"`
	Erased bool     `json:"erased"`
}

func person(id string, s subject.State) Subject {
	return Subject{ID: id, Issuer: s.Issuer(), Name: s.Name(), Roles: s.Roles(), Held: s.Held(), Erased: s.Erased()}
}

// listSubjects returns who has a login name, or everybody in the order in
// which they were enrolled. The cursor is a position.
func (s *Server) listSubjects(c *call) (any, error) {
	if err := c.only("issuer", "name", "limit", "cursor"); err != nil {
		return nil, err
	}
	ctx := c.Context()
	if name := c.param("name"); name != "" {
		id, err := s.People.Named(ctx, c.param("issuer"), name)
		if err != nil {
			return nil, err
		}
		found, err := s.subject(ctx, id)
		return listing[Subject]{[]Subject{found}}, err
	}
	page, err := c.page()
	if err != nil {
		return nil, err
	}
	return s.enrolled(ctx, c.param("issuer"), page.Limit, page.Cursor)
}

func (s *Server) subject(ctx context.Context, id string) (Subject, error) {
	state, _, err := s.API.Subjects.Get(ctx, id)
	if err == nil && !state.Exists() {
		err = subject.ErrUnknown
	}
	return person(id, state), err
}

func (s *Server) getSubject(c *call) (any, error) {
	return s.subject(c.Context(), c.PathValue("subject"))
}

// tell decides a command about the subject in the path.
func (s *Server) tell(c *call, cmd subject.Command) (any, error) {
	id, m := c.PathValue("subject"), c.meta()
	m.Subject = id
	state, err := s.API.Subjects.Execute(c.Context(), m, id, cmd)
	return person(id, state), err
}

type hold struct {
	Hold   string `json:"hold"`
	Reason string `json:"reason,omitempty"`
}

func (s *Server) placeHold(c *call) (any, error) {
	var body hold
	if err := c.read(&body); err != nil {
		return nil, err
	}
	if !identifier(body.Hold) {
		return nil, invalid("hold must be an id of letters, digits and -._~")
	}
	if err := (reason{body.Reason}).check(); err != nil {
		return nil, err
	}
	return s.tell(c, subject.PlaceHold{HoldPlaced: subject.HoldPlaced{Hold: body.Hold, Reason: body.Reason}})
}

func (s *Server) liftHold(c *call) (any, error) {
	var body hold
	if err := c.read(&body); err != nil {
		return nil, err
	}
	return s.tell(c, subject.LiftHold{HoldLifted: subject.HoldLifted{Hold: body.Hold}})
}

type role struct {
	Role string `json:"role"`
}

func (s *Server) grantRole(c *call) (any, error) {
	var body role
	if err := c.read(&body); err != nil {
		return nil, err
	}
	return s.tell(c, subject.GrantRole{RoleGranted: subject.RoleGranted{Role: body.Role}})
}

func (s *Server) withdrawRole(c *call) (any, error) {
	var body role
	if err := c.read(&body); err != nil {
		return nil, err
	}
	return s.tell(c, subject.WithdrawRole{RoleWithdrawn: subject.RoleWithdrawn{Role: body.Role}})
}

// someSubjects is how many a page has where none is asked for.
const someSubjects = 50

// enrolled walks the log, because nobody's name is in a table.
func (s *Server) enrolled(ctx context.Context, issuer string, limit int, cursor string) (any, error) {
	after, err := parsePosition(cursor)
	if err != nil {
		return nil, err
	}
	if limit == 0 {
		limit = someSubjects
	}
	out := struct {
		Items []Subject `json:"items"`
		Next  string    `json:"next,omitempty"`
	}{Items: []Subject{}}
	filter := eventstore.Filter{Categories: []string{"subject"}, Types: []string{"subject.enrolled"}}
	last := after
	for e, err := range s.API.Journal.ReadAll(ctx, after, filter) {
		if err != nil {
			return nil, err
		}
		if len(out.Items) == limit {
			out.Next = strconv.FormatUint(uint64(last), 10)
			break
		}
		last = e.Position
		if enrolled, ok := e.Body.(subject.Enrolled); !ok || issuer != "" && enrolled.Issuer != issuer {
			continue
		}
		found, err := s.subject(ctx, e.Stream.ID())
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, found)
	}
	return out, nil
}
