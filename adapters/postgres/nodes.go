package postgres

import (
	"context"
	"fmt"
	"sync"

	"github.com/google/uuid"
)

// NodesSchema is where nodes keep what they tell one another.
const NodesSchema = "chirograph_nodes"

var nodesMigrations = []migration{`
-- Who leads, until when by this server's clock.
CREATE TABLE lease(name text PRIMARY KEY, holder text NOT NULL, expires timestamptz NOT NULL);
-- How much each node has let through. Nothing is lost with it that matters.
CREATE UNLOGGED TABLE spent(
	node  text,
	key   text,
	born  bigint GENERATED ALWAYS AS IDENTITY,
	total bigint NOT NULL,
	at    timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (node, key)
);
CREATE INDEX spent_at ON spent(at);
`}

// Nodes is the place where the nodes of an installation agree: who leads
// ([Nodes.Lead]), and how much they let through ([Nodes.Exchange]).
type Nodes struct {
	database
	closing sync.Once
	leading sync.WaitGroup

	mu    sync.Mutex
	heard map[string]*hearing
}

// OpenNodes opens it in the schema [NodesSchema], which it makes if it is
// missing.
func OpenNodes(ctx context.Context, url string) (*Nodes, error) {
	config, err := configure(url, NodesSchema)
	if err != nil {
		return nil, err
	}
	bounded(config)
	if err := prepared(ctx, config, NodesSchema, nodesMigrations, uuid.Nil); err != nil {
		return nil, fmt.Errorf("open schema %s: %w", NodesSchema, err)
	}
	n := &Nodes{heard: map[string]*hearing{}}
	return n, n.use(config)
}

// Close ends every leadership and waits until they have ended.
func (n *Nodes) Close() error {
	n.closing.Do(func() {
		n.end()
		n.leading.Wait()
		n.pool.Close()
	})
	return nil
}
