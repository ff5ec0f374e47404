package projections

import (
	"context"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// Backchannels answers: who is being asked without a browser, and what came of
// it?
type Backchannels struct {
	from *follower
}

// A Backchannel is a backchannel request as the latest event about it left it.
type Backchannel struct {
	ID      string    `json:"backchannel_id"`
	Issuer  string    `json:"issuer,omitempty"`
	Client  string    `json:"client_id"`
	Subject string    `json:"sub"`
	Mode    string    `json:"delivery_mode"`
	Status  string    `json:"status"` // "requested", "shown", "approved", "denied", "redeemed", "failed" or "expired"
	Asked   time.Time `json:"asked_at"`
	Expires time.Time `json:"expires_at"`
	Decided time.Time `json:"decided_at,omitzero"`
	Consent string    `json:"consent_id,omitempty"`
	Token   string    `json:"jti,omitempty"` // that auth_req_id was redeemed for

	position eventstore.Position // of the request
}

// A BackchannelQuery selects requests. Empty fields select all.
type BackchannelQuery struct {
	Client  string
	Subject string
	Status  string
	Page
}

const backchannelColumns = `SELECT id, issuer, client, subject, mode, status, asked, expires, decided, consent, token, position
	FROM {backchannels}`

func scanBackchannel(s scanner) (b Backchannel, err error) {
	var asked, expires, decided int64
	err = s.Scan(&b.ID, &b.Issuer, &b.Client, &b.Subject, &b.Mode, &b.Status, &asked, &expires, &decided, &b.Consent, &b.Token, &b.position)
	b.Asked, b.Expires, b.Decided = instant(asked), instant(expires), instant(decided)
	return b, err
}

// Get returns one request.
func (q *Backchannels) Get(ctx context.Context, id string) (b Backchannel, found bool, err error) {
	err = q.from.read(ctx, func(tx *Tx, _ eventstore.Position) (err error) {
		b, found, err = first(ctx, tx, scanBackchannel, backchannelColumns+" WHERE id = ?", id)
		return err
	})
	return b, found, err
}

// Pending returns the requests that a customer may still answer at an instant,
// the newest first: at most [MaxLimit].
func (q *Backchannels) Pending(ctx context.Context, subject string, now time.Time) (all []Backchannel, err error) {
	err = q.from.read(ctx, func(tx *Tx, _ eventstore.Position) (err error) {
		all, err = collect(ctx, tx, scanBackchannel, backchannelColumns+
			" WHERE subject = ? AND status IN (?, ?) AND expires > ? ORDER BY position DESC LIMIT ?",
			subject, askedStatus, shownStatus, nanos(now), MaxLimit)
		return err
	})
	return all, err
}

// Overdue returns requests that ran out by an instant, unanswered or unused,
// without that having been noted: at most [MaxLimit] of them.
func (q *Backchannels) Overdue(ctx context.Context, now time.Time) (all []Backchannel, err error) {
	err = q.from.read(ctx, func(tx *Tx, _ eventstore.Position) (err error) {
		all, err = collect(ctx, tx, scanBackchannel, backchannelColumns+" WHERE status IN (?, ?, ?) AND expires <= ? LIMIT ?",
			askedStatus, shownStatus, approvedStatus, nanos(now), MaxLimit)
		return err
	})
	return all, err
}

// List returns the requests that a query selects, the newest first.
func (q *Backchannels) List(ctx context.Context, b BackchannelQuery) (Listing[Backchannel], error) {
	where, args := selecting("client", b.Client, "subject", b.Subject, "status", b.Status)
	return list(ctx, q.from, b.Page, question("backchannels", b.Client, b.Subject, b.Status),
		func(tx *Tx, before eventstore.Position, n int) ([]Backchannel, error) {
			return collect(ctx, tx, scanBackchannel, backchannelColumns+" WHERE "+where+
				"position < ? ORDER BY position DESC LIMIT ?", append(args, before, n)...)
		}, func(b Backchannel) eventstore.Position { return b.position })
}

// selecting writes the conditions that columns have the values they are paired
// with, save those that are paired with nothing.
func selecting(pairs ...string) (where string, args []any) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			where += pairs[i] + " = ? AND "
			args = append(args, pairs[i+1])
		}
	}
	return where, args
}
