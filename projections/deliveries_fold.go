package projections

import (
	"context"
	"time"

	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/eventstore"
)

var deliveriesProjection = Projection{
	Name:    "deliveries",
	Version: 1,
	Filter:  eventstore.Filter{Categories: []string{"delivery"}},
	Tables: []Table{{
		Name: "deliveries",
		Columns: `id TEXT NOT NULL, kind TEXT NOT NULL, issuer TEXT NOT NULL, client TEXT NOT NULL, subject TEXT NOT NULL,
			backchannel TEXT NOT NULL, consent TEXT NOT NULL, device TEXT NOT NULL, receiver TEXT NOT NULL, says TEXT NOT NULL,
			status TEXT NOT NULL, attempts INTEGER NOT NULL, answered INTEGER NOT NULL, failure TEXT NOT NULL, reason TEXT NOT NULL,
			created INTEGER NOT NULL, due INTEGER NOT NULL, until INTEGER NOT NULL, ended INTEGER NOT NULL, position INTEGER NOT NULL`,
		Key:     "id",
		Indexes: []string{"position", "status, due", "client, position", "consent, position", "backchannel, position"},
	}},
	Fold: foldDeliveries,
}

// The states of a delivery.
const (
	waitingStatus   = "scheduled"
	deliveredStatus = "delivered"
	parkedStatus    = "parked"
)

func foldDeliveries(ctx context.Context, tx *Tx, events []eventstore.Decoded) error {
	rows, err := loaded(ctx, tx, events, func(e eventstore.Decoded) string { return e.Stream.ID() },
		scanDelivery, func(d Delivery) string { return d.ID }, deliveryColumns+" WHERE id IN (%)")
	if err != nil {
		return err
	}
	for _, e := range events {
		if body, ok := e.Body.(delivery.Scheduled); ok {
			rows.begin(e.Stream.ID(), scheduled(e, body))
		}
		rows.change(e.Stream.ID(), func(d *Delivery) { d.fold(e) })
	}
	var changed [][]any
	for d := range rows.changed() {
		changed = append(changed, []any{d.ID, d.Kind, d.Issuer, d.Client, d.Subject, d.Backchannel, d.Consent, d.Device, d.Receiver, d.Says,
			d.Status, d.Attempts, d.Answered, d.Failure, d.Reason, nanos(d.Created), nanos(d.Due), nanos(d.Until), nanos(d.Ended), d.position})
	}
	return tx.insert(ctx, `INSERT INTO {deliveries} (id, kind, issuer, client, subject, backchannel, consent, device, receiver, says, status, attempts,
		answered, failure, reason, created, due, until, ended, position)`, changed,
		` ON CONFLICT (id) DO UPDATE SET status = excluded.status, attempts = excluded.attempts, answered = excluded.answered,
		failure = excluded.failure, reason = excluded.reason, due = excluded.due, until = excluded.until, ended = excluded.ended`)
}

func scheduled(e eventstore.Decoded, body delivery.Scheduled) Delivery {
	return Delivery{
		ID: e.Stream.ID(), Kind: body.Kind, Issuer: e.Metadata.Issuer, Client: body.Client, Subject: e.Metadata.Subject,
		Backchannel: body.Backchannel, Consent: body.Consent, Device: body.Device, Receiver: body.Receiver, Says: body.Says,
		Status: waitingStatus, Created: e.Recorded, Due: body.Due, Until: body.Until, position: e.Position,
	}
}

// fold changes a delivery as an event says.
func (d *Delivery) fold(e eventstore.Decoded) {
	switch body := e.Body.(type) {
	case delivery.Attempted:
		d.Attempts, d.Answered, d.Failure, d.Due = body.N, body.Status, body.Failure, body.Next
	case delivery.Delivered:
		d.Status, d.Reason, d.Ended = deliveredStatus, "", e.Recorded
	case delivery.Parked:
		d.Status, d.Reason, d.Due, d.Ended = parkedStatus, body.Reason, time.Time{}, e.Recorded
	case delivery.Rescheduled:
		d.Status, d.Reason, d.Due, d.Until, d.Ended = waitingStatus, "", body.Due, body.Until, time.Time{}
	}
}
