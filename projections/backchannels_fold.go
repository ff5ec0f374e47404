package projections

import (
	"context"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/eventstore"
)

var backchannelsProjection = Projection{
	Name:    "backchannels",
	Version: 1,
	Filter:  eventstore.Filter{Categories: []string{"backchannel"}},
	Tables: []Table{{
		Name: "backchannels",
		Columns: `id TEXT NOT NULL, issuer TEXT NOT NULL, client TEXT NOT NULL, subject TEXT NOT NULL,
			mode TEXT NOT NULL, status TEXT NOT NULL, asked INTEGER NOT NULL, expires INTEGER NOT NULL, decided INTEGER NOT NULL,
			consent TEXT NOT NULL, token TEXT NOT NULL, position INTEGER NOT NULL`,
		Key:     "id",
		Indexes: []string{"position", "subject, position", "client, position", "status, expires"},
	}},
	Fold: foldBackchannels,
}

// What becomes of a request.
const (
	askedStatus    = "requested"
	shownStatus    = "shown"
	approvedStatus = "approved"
	deniedStatus   = "denied"
	redeemedStatus = "redeemed"
	failedStatus   = "failed"
	overStatus     = "expired"
)

func foldBackchannels(ctx context.Context, tx *Tx, events []eventstore.Decoded) error {
	rows, err := loaded(ctx, tx, events, func(e eventstore.Decoded) string { return e.Stream.ID() },
		scanBackchannel, func(b Backchannel) string { return b.ID }, backchannelColumns+" WHERE id IN (%)")
	if err != nil {
		return err
	}
	for _, e := range events {
		if body, ok := e.Body.(backchannel.Requested); ok {
			rows.begin(e.Stream.ID(), Backchannel{
				ID: e.Stream.ID(), Issuer: e.Metadata.Issuer, Client: body.Client, Subject: body.Subject, Mode: body.Mode,
				Status: askedStatus, Asked: e.Recorded, Expires: body.Expires, position: e.Position,
			})
		}
		rows.change(e.Stream.ID(), func(b *Backchannel) { b.fold(e) })
	}
	var changed [][]any
	for b := range rows.changed() {
		changed = append(changed, []any{b.ID, b.Issuer, b.Client, b.Subject, b.Mode, b.Status,
			nanos(b.Asked), nanos(b.Expires), nanos(b.Decided), b.Consent, b.Token, b.position})
	}
	return tx.insert(ctx, `INSERT INTO {backchannels} (id, issuer, client, subject, mode, status, asked, expires, decided, consent, token, position)`,
		changed, ` ON CONFLICT (id) DO UPDATE SET status = excluded.status, decided = excluded.decided, consent = excluded.consent, token = excluded.token`)
}

// fold changes a request as an event says.
func (b *Backchannel) fold(e eventstore.Decoded) {
	switch body := e.Body.(type) {
	case backchannel.Shown:
		b.Status = shownStatus
	case backchannel.Approved:
		b.Status, b.Decided, b.Consent = approvedStatus, e.Recorded, body.Consent
	case backchannel.Denied:
		b.Status, b.Decided = deniedStatus, e.Recorded
	case backchannel.Failed:
		b.Status = failedStatus
	case backchannel.Redeemed:
		b.Status, b.Token = redeemedStatus, body.Token
	case backchannel.Expired:
		b.Status = overStatus
	}
}
