package projections

import (
	"context"
	"time"

	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/eventstore"
)

// Clients answers: which clients are there?
type Clients struct {
	from    *follower
	journal *eventstore.Journal
}

// A Client is a client as the latest event about it left it.
type Client struct {
	ID         string    `json:"client_id"`
	Issuer     string    `json:"issuer"`
	Name       string    `json:"name"`
	Status     string    `json:"status"` // "active", "suspended" or "deleted"
	AuthMethod string    `json:"token_endpoint_auth_method"`
	Resource   bool      `json:"resource_server,omitempty"`
	Registered time.Time `json:"registered_at"`
	Updated    time.Time `json:"updated_at"`

	position eventstore.Position // of the registration
}

var clientsProjection = Projection{
	Name:    "clients",
	Version: 1,
	Filter:  eventstore.Filter{Categories: []string{"client"}},
	Tables: []Table{{
		Name: "clients",
		Columns: `id TEXT NOT NULL, issuer TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL,
			auth_method TEXT NOT NULL, resource INTEGER NOT NULL,
			registered INTEGER NOT NULL, updated INTEGER NOT NULL, position INTEGER NOT NULL`,
		Key:     "id",
		Indexes: []string{"position"},
	}},
	Fold: foldClients,
}

func foldClients(ctx context.Context, tx *Tx, events []eventstore.Decoded) error {
	rows, err := loaded(ctx, tx, events, func(e eventstore.Decoded) string { return e.Stream.ID() },
		scanClient, func(c Client) string { return c.ID }, clientColumns+" WHERE id IN (%)")
	if err != nil {
		return err
	}
	for _, e := range events {
		if registered, ok := e.Body.(client.Registered); ok {
			rows.begin(e.Stream.ID(), Client{ID: e.Stream.ID(), Issuer: registered.Issuer, Registered: e.Recorded, position: e.Position})
		}
		rows.change(e.Stream.ID(), func(c *Client) { c.fold(e) })
	}
	var changed [][]any
	for c := range rows.changed() {
		changed = append(changed, []any{c.ID, c.Issuer, c.Name, c.Status, c.AuthMethod, number(c.Resource),
			nanos(c.Registered), nanos(c.Updated), c.position})
	}
	return tx.insert(ctx, "INSERT INTO {clients} (id, issuer, name, status, auth_method, resource, registered, updated, position)", changed,
		" ON CONFLICT (id) DO UPDATE SET name = excluded.name, status = excluded.status, auth_method = excluded.auth_method,"+
			" resource = excluded.resource, updated = excluded.updated")
}

// fold changes a client as an event says.
func (c *Client) fold(e eventstore.Decoded) {
	switch body := e.Body.(type) {
	case client.Registered:
		c.Status = "active"
		c.describe(body.Metadata)
	case client.Updated:
		c.describe(body.Metadata)
	case client.Suspended:
		c.Status = "suspended"
	case client.Reinstated:
		c.Status = "active"
	case client.Deleted:
		c.Status = "deleted"
	default:
		return
	}
	c.Updated = e.Recorded
}

func (c *Client) describe(m oauth.ClientMetadata) {
	c.Name, c.AuthMethod, c.Resource = m.ClientName, m.TokenEndpointAuthMethod, m.ResourceServer()
}

const clientColumns = "SELECT id, issuer, name, status, auth_method, resource, registered, updated, position FROM {clients}"

func scanClient(s scanner) (c Client, err error) {
	var registered, updated int64
	err = s.Scan(&c.ID, &c.Issuer, &c.Name, &c.Status, &c.AuthMethod, &c.Resource, &registered, &updated, &c.position)
	c.Registered, c.Updated = instant(registered), instant(updated)
	return c, err
}

// Get returns one client, deleted ones too.
func (q *Clients) Get(ctx context.Context, id string) (c Client, found bool, err error) {
	err = q.from.read(ctx, func(tx *Tx, _ eventstore.Position) (err error) {
		c, found, err = first(ctx, tx, scanClient, clientColumns+" WHERE id = ?", id)
		return err
	})
	return c, found, err
}

// List returns the clients of an issuer, or of all if it is empty, the newest
// first. Deleted clients are listed too.
func (q *Clients) List(ctx context.Context, issuer string, page Page) (Listing[Client], error) {
	return list(ctx, q.from, page, question("clients", issuer), func(tx *Tx, before eventstore.Position, n int) ([]Client, error) {
		return collect(ctx, tx, scanClient, clientColumns+
			" WHERE position < ? AND (? = '' OR issuer = ?) ORDER BY position DESC LIMIT ?", before, issuer, issuer, n)
	}, func(c Client) eventstore.Position { return c.position })
}
