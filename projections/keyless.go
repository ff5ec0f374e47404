package projections

import (
	"context"
	"crypto/cipher"

	"github.com/chirograph/chirograph/eventstore"
)

// keyless is a keyring without a key: to who decodes with it, everybody is
// erased. It is how projections are kept from what is sealed.
type keyless struct{}

func (keyless) Sealer(context.Context, string) (cipher.AEAD, error) {
	return nil, eventstore.ErrErased
}

func (keyless) Opener(context.Context, string) (cipher.AEAD, error) {
	return nil, eventstore.ErrErased
}

// withoutKeys returns a journal that reads the same log and opens nothing.
func withoutKeys(j *eventstore.Journal) *eventstore.Journal {
	return &eventstore.Journal{Log: j.Log, Codec: &eventstore.Codec{
		Registry: j.Codec.Registry, Keys: keyless{}, Log: j.Codec.Log,
	}}
}
