package ledger

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// An Audit is a full check of a log.
type Audit struct {
	Log     Vault
	Key     ed25519.PublicKey // of the checkpoints
	Folders []string          // of the checkpoints

	// Progress, if set, is told now and then how many events were checked. It
	// may take its time, so that an audit does not disturb a server; an error
	// ends the audit.
	Progress func(done, of int64) error
}

// A Report is what an audit that found nothing altered has checked.
type Report struct {
	Events      int64     `json:"events"`
	Streams     int64     `json:"streams"`
	Root        tlog.Hash `json:"root"`
	Epoch       int64     `json:"epoch"`
	Checkpoints int       `json:"checkpoints"` // that the log agrees with
	Superseded  int       `json:"superseded"`  // of epochs that ended in an accepted loss, that it does not agree with
	Covered     int64     `json:"covered"`     // events that a checkpoint of the current epoch covers
}

// Verify hashes every event anew and compares the leaves, the stored nodes
// above them and the root of every checkpoint; it demands that the revisions of each
// stream have no gap, that recorded time never decreases, and that the engine's
// own structures are whole ([Intact]).
// [AlteredError] names the first position that is known to differ;
// [UnverifiableError] says what is missing to tell.
func Verify(ctx context.Context, a Audit) (Report, error) {
	checkpoints, report, err := a.checkpoints(ctx)
	if err != nil {
		return report, err
	}
	size, err := a.Log.Size(ctx)
	if err != nil {
		return report, err
	}
	w := walk{Audit: a, ctx: ctx, size: size, checkpoints: checkpoints, report: &report, streams: newStreams()}
	if err := w.run(); err != nil {
		return report, err
	}
	if engine, ok := a.Log.(Intact); ok {
		if err := engine.Intact(ctx); err != nil {
			return report, err
		}
	}
	if size > 0 && report.Checkpoints == 0 {
		return report, &UnverifiableError{What: "no checkpoint was found"}
	}
	return report, nil
}

// checkpoints returns every checkpoint to compare, in order of size. Those of
// earlier epochs that only a folder has are about the history that was lost.
func (a Audit) checkpoints(ctx context.Context) (all []place, r Report, err error) {
	if len(a.Key) != ed25519.PublicKeySize {
		return nil, r, &UnverifiableError{What: "no key for checkpoints"}
	}
	for text, err := range a.Log.Checkpoints(ctx) {
		if err != nil {
			return nil, r, err
		}
		c, err := ParseCheckpoint(text, a.Log.ID(), a.Key)
		if err != nil {
			return nil, r, unsigned("a checkpoint in the database", err)
		}
		all = append(all, place{c, fmt.Sprintf("the checkpoint of %d events in the database", c.Size), true})
	}
	found, err := newest(ctx, a.Log, a.Key, a.Folders)
	if err != nil {
		return nil, r, err
	}
	r.Epoch = 1
	for _, p := range slices.Concat(all, found) {
		r.Epoch = max(r.Epoch, p.Epoch)
	}
	for _, p := range found {
		if !p.database && p.Epoch == r.Epoch {
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b place) int { return cmp.Compare(a.Size, b.Size) })
	return all, r, nil
}

// unsigned tells a checkpoint that was changed from one of another key.
func unsigned(what string, err error) error {
	if other := (*note.UnverifiedNoteError)(nil); errors.As(err, &other) {
		return &UnverifiableError{what + " has no signature of the key", err}
	}
	return &AlteredError{What: what, Err: err}
}
