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
	Apply: applyClient,
}

func applyClient(ctx context.Context, tx *Tx, e eventstore.Decoded) error {
	id, at := e.Stream.ID(), nanos(e.Recorded)
	switch body := e.Body.(type) {
	case client.Registered:
		_, err := tx.Exec(ctx, `INSERT INTO {clients} (id, issuer, name, status, auth_method, resource, registered, updated, position)
			VALUES (?, ?, ?, 'active', ?, ?, ?, ?, ?)`,
			id, body.Issuer, body.Metadata.ClientName, body.Metadata.TokenEndpointAuthMethod,
			number(body.Metadata.ResourceServer()), at, at, e.Position)
		return err
	case client.Updated:
		return updateClient(ctx, tx, id, at, body.Metadata)
	case client.Suspended:
		return clientStatus(ctx, tx, id, at, "suspended")
	case client.Reinstated:
		return clientStatus(ctx, tx, id, at, "active")
	case client.Deleted:
		return clientStatus(ctx, tx, id, at, "deleted")
	}
	return nil
}

func updateClient(ctx context.Context, tx *Tx, id string, at int64, m oauth.ClientMetadata) error {
	_, err := tx.Exec(ctx, "UPDATE {clients} SET name = ?, auth_method = ?, resource = ?, updated = ? WHERE id = ?",
		m.ClientName, m.TokenEndpointAuthMethod, number(m.ResourceServer()), at, id)
	return err
}

func clientStatus(ctx context.Context, tx *Tx, id string, at int64, status string) error {
	_, err := tx.Exec(ctx, "UPDATE {clients} SET status = ?, updated = ? WHERE id = ?", status, at, id)
	return err
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
