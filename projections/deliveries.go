package projections

import (
	"context"
	"time"

	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/eventstore"
)

// Deliveries answers: who was told what, what is still to be told, and what
// could not be?
type Deliveries struct {
	from    *follower
	journal *eventstore.Journal
}

// A Delivery is a delivery as the latest event about it left it.
type Delivery struct {
	ID          string        `json:"delivery_id"`
	Kind        delivery.Kind `json:"kind"`
	Issuer      string        `json:"issuer,omitempty"`
	Client      string        `json:"client_id,omitempty"`
	Subject     string        `json:"sub,omitempty"`
	Backchannel string        `json:"backchannel_id,omitempty"`
	Consent     string        `json:"consent_id,omitempty"`
	Device      string        `json:"device_id,omitempty"`
	Receiver    string        `json:"receiver"`
	Says        string        `json:"says"`
	Status      string        `json:"status"`   // "scheduled", "delivered" or "parked"
	Attempts    int           `json:"attempts"` // made so far
	Answered    int           `json:"last_status,omitempty"`
	Failure     string        `json:"last_failure,omitempty"` // why the last attempt got no answer
	Reason      string        `json:"parked_because,omitempty"`
	Created     time.Time     `json:"created_at"`
	Due         time.Time     `json:"due_at,omitzero"` // of the next attempt
	Until       time.Time     `json:"until"`           // no attempt begins later
	Ended       time.Time     `json:"ended_at,omitzero"`

	position eventstore.Position // of its schedule
}

// A DeliveryQuery selects deliveries. Empty fields select all.
type DeliveryQuery struct {
	Status      string
	Kind        delivery.Kind
	Client      string
	Consent     string
	Backchannel string
	Page
}

const deliveryColumns = `SELECT id, kind, issuer, client, subject, backchannel, consent, device, receiver, says, status, attempts,
	answered, failure, reason, created, due, until, ended, position FROM {deliveries}`

func scanDelivery(s scanner) (d Delivery, err error) {
	var created, due, until, ended int64
	err = s.Scan(&d.ID, &d.Kind, &d.Issuer, &d.Client, &d.Subject, &d.Backchannel, &d.Consent, &d.Device, &d.Receiver, &d.Says,
		&d.Status, &d.Attempts, &d.Answered, &d.Failure, &d.Reason, &created, &due, &until, &ended, &d.position)
	d.Created, d.Due, d.Until, d.Ended = instant(created), instant(due), instant(until), instant(ended)
	return d, err
}

// Get returns one delivery.
func (q *Deliveries) Get(ctx context.Context, id string) (d Delivery, found bool, err error) {
	d, _, found, err = q.get(ctx, id)
	return d, found, err
}

func (q *Deliveries) get(ctx context.Context, id string) (d Delivery, asOf eventstore.Position, found bool, err error) {
	err = q.from.read(ctx, func(tx *Tx, at eventstore.Position) (err error) {
		asOf = at
		d, found, err = first(ctx, tx, scanDelivery, deliveryColumns+" WHERE id = ?", id)
		return err
	})
	return d, asOf, found, err
}

// Due returns deliveries of which an attempt is due at an instant, the longest
// due first, and of those the ones after another, if that is not zero.
func (q *Deliveries) Due(ctx context.Context, now time.Time, limit int, after Delivery) (all []Delivery, err error) {
	err = q.from.read(ctx, func(tx *Tx, _ eventstore.Position) (err error) {
		all, err = collect(ctx, tx, scanDelivery, deliveryColumns+" WHERE status = ? AND due <= ? AND (due > ? OR due = ? AND position > ?)"+
			" ORDER BY due, position LIMIT ?",
			waitingStatus, nanos(now), nanos(after.Due), nanos(after.Due), after.position, Page{Limit: limit}.limit())
		return err
	})
	return all, err
}

// List returns the deliveries that a query selects, the newest first.
func (q *Deliveries) List(ctx context.Context, d DeliveryQuery) (Listing[Delivery], error) {
	where, args := selecting("status", d.Status, "kind", string(d.Kind), "client", d.Client, "consent", d.Consent, "backchannel", d.Backchannel)
	return list(ctx, q.from, d.Page, question("deliveries", d.Status, string(d.Kind), d.Client, d.Consent, d.Backchannel),
		func(tx *Tx, before eventstore.Position, n int) ([]Delivery, error) {
			return collect(ctx, tx, scanDelivery, deliveryColumns+" WHERE "+where+
				"position < ? ORDER BY position DESC LIMIT ?", append(args, before, n)...)
		}, func(d Delivery) eventstore.Position { return d.position })
}

// Backlog is how many deliveries are in each state, and since when the one
// waits that waits longest.
type Backlog struct {
	Count  map[string]int `json:"count"`
	Oldest time.Time      `json:"oldest_waiting,omitzero"`
}

// Backlog counts the deliveries.
func (q *Deliveries) Backlog(ctx context.Context) (Backlog, error) {
	b := Backlog{Count: map[string]int{waitingStatus: 0, deliveredStatus: 0, parkedStatus: 0}}
	err := q.from.read(ctx, func(tx *Tx, _ eventstore.Position) error {
		for status := range b.Count {
			n, _, err := first(ctx, tx, value[int], "SELECT COUNT(*) FROM {deliveries} WHERE status = ?", status)
			if err != nil {
				return err
			}
			b.Count[status] = n
		}
		oldest, _, err := first(ctx, tx, value[int64], "SELECT COALESCE(MIN(created), 0) FROM {deliveries} WHERE status = ?", waitingStatus)
		b.Oldest = instant(oldest)
		return err
	})
	return b, err
}
