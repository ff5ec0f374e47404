package platform

import (
	"context"
	"errors"
	"time"

	"github.com/chirograph/chirograph/adapters/login"
	"github.com/chirograph/chirograph/adapters/passkeys"
	"github.com/chirograph/chirograph/api"
)

// keptPasskeys implements [passkeys.Store] with the login store, translating
// what it refuses with.
type keptPasskeys struct{ store *login.Store }

func (k keptPasskeys) Passkeys(ctx context.Context, subject string) ([]passkeys.Record, error) {
	known, err := k.store.Passkeys(ctx, subject)
	all := make([]passkeys.Record, len(known))
	for i, p := range known {
		all[i] = passkeys.Record(p)
	}
	return all, err
}

func (k keptPasskeys) AddPasskey(ctx context.Context, subject string, r passkeys.Record) error {
	err := k.store.AddPasskey(ctx, subject, login.Passkey(r))
	switch {
	case errors.Is(err, login.ErrPasskeyTaken):
		return api.ErrPasskeyTaken
	case errors.Is(err, login.ErrPasskeys):
		return api.ErrPasskeys
	}
	return err
}

func (k keptPasskeys) UsePasskey(ctx context.Context, subject, id string, count uint32, now time.Time) error {
	err := k.store.UsePasskey(ctx, subject, id, count, now)
	if errors.Is(err, login.ErrPasskeyCounter) {
		return api.ErrPasskeyCopied
	}
	return err
}

func (k keptPasskeys) DropPasskey(ctx context.Context, subject, id string) error {
	return k.store.DropPasskey(ctx, subject, id)
}
