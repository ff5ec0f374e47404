package platform

import (
	"context"
	"errors"
	"fmt"

	"github.com/chirograph/chirograph/adapters/keys"
	"github.com/chirograph/chirograph/domain/authorization"
)

// journeys implements [api.Journeys]: the keys of journeys are in the keyring.
type journeys struct{ ring *keys.Ring }

// Adopt implements [api.Journeys]. A journey that a crash left with another
// customer stays with that customer.
func (j journeys) Adopt(ctx context.Context, journey, subject string) error {
	err := j.ring.Adopt(ctx, journey, subject)
	if errors.Is(err, keys.ErrAdopted) {
		return fmt.Errorf("%w: %w", authorization.ErrOtherSubject, err)
	}
	return err
}
