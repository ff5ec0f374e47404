package projections

import (
	"context"

	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore"
)

// ErasedCustomer is how somebody is called whose personal data was erased.
const ErasedCustomer = "an erased customer"

// names knows what clients and customers are called, over one question.
type names struct {
	ctx     context.Context // of the question, which names does not outlive
	clients *Clients
	people  eventstore.Streams[subject.State, subject.Command, subject.Event]
	known   map[string]string
}

// Names returns what clients and customers are called, for use during one
// question: it remembers what it has looked up. Customers are read from the
// log, so that nobody's name is kept elsewhere.
func (a *Audit) Names(ctx context.Context) event.Names {
	return &names{ctx, a.clients, eventstore.Streams[subject.State, subject.Command, subject.Event]{
		Journal: a.journal, Kind: "subject",
	}, map[string]string{}}
}

// Client returns a client's registered name, or its id.
func (n *names) Client(id string) string {
	return n.once("client "+id, func() string {
		c, found, err := n.clients.Get(n.ctx, id)
		if err != nil || !found || c.Name == "" {
			return id
		}
		return c.Name
	})
}

// Subject returns a customer's name, or the id.
func (n *names) Subject(id string) string {
	return n.once("subject "+id, func() string {
		s, _, err := n.people.Load(n.ctx, id)
		switch {
		case err != nil:
			return id
		case s.Erased():
			return ErasedCustomer
		case s.Name() == "":
			return id
		}
		return s.Name()
	})
}

func (n *names) once(key string, look func() string) string {
	name, found := n.known[key]
	if !found {
		name = look()
		n.known[key] = name
	}
	return name
}
