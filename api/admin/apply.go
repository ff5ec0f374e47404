package admin

import (
	"context"
	"fmt"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"
)

func (s *Server) apply(c *call) (any, error) {
	var d Document
	if err := c.read(&d); err != nil {
		return nil, err
	}
	changes, err := s.Apply(c.Context(), c.meta(), d)
	if err != nil {
		return nil, err
	}
	return listing[Change]{changes}, nil
}

// Apply makes the installation as a document declares it, and returns what it
// changed. It stops at the first thing that cannot be; what was changed before
// stays, and applying the mended document completes it. Nodes may apply the same
// document at the same time: it is done once.
func (s *Server) Apply(ctx context.Context, m event.Meta, d Document) ([]Change, error) {
	a := &application{s, ctx, m, []Change{}}
	for i, declared := range d.Issuers {
		if err := again(func() error { return a.issuer(declared) }); err != nil {
			return nil, naming(err, "issuers[%d] %s", i, declared.ID)
		}
	}
	for i, declared := range d.Clients {
		if err := again(func() error { return a.client(declared) }); err != nil {
			return nil, naming(err, "clients[%d] %s", i, declared.ID)
		}
	}
	for i, declared := range d.Customers {
		if err := again(func() error { return a.customer(declared) }); err != nil {
			return nil, naming(err, "customers[%d] %s", i, declared.ID)
		}
	}
	return a.changes, nil
}

// naming says which part of a document an error is about.
func naming(err error, format string, args ...any) error {
	p, ok := problemOf(err).body.(*problem)
	if !ok || p.Status >= 500 {
		return fmt.Errorf(format+": %w", append(args, err)...)
	}
	p.Detail = fmt.Sprintf(format, args...) + ": " + p.Detail
	return p
}

// An application of one document.
type application struct {
	*Server
	ctx     context.Context // of the request, which the application does not outlive
	meta    event.Meta
	changes []Change
}

func (a *application) did(kind, id, what string) {
	a.changes = append(a.changes, Change{kind, id, what})
}

// execute decides a command and notes a change if the stream has grown.
func execute[S eventstore.Decider[S, C, E], C, E any](a *application, ss eventstore.Streams[S, C, E], m event.Meta, id string, cmd C, kind, what string) error {
	_, before, err := ss.Load(a.ctx, id)
	if err != nil {
		return err
	}
	if _, err := ss.Execute(a.ctx, m, id, cmd); err != nil {
		return err
	}
	_, after, err := ss.Load(a.ctx, id)
	if err == nil && after > before {
		a.did(kind, id, what)
	}
	return err
}
