package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"time"

	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/event"
	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

// A notice is a delivery to be. Its body is made only if it is not scheduled
// yet, may name it, and may settle what it says.
type notice struct {
	delivery.Scheduled
	meta event.Meta
	body func(ctx context.Context, id string, told *delivery.Scheduled) ([]byte, error)
}

// schedule schedules a notice once, whoever else does so at the same time.
// What cannot be sent, because it is kept no longer, is not scheduled.
func (s *Server) schedule(ctx context.Context, e eventstore.Decoded, n notice) ([]string, error) {
	id := deliveryID(e.ID, n.Scheduled)
	before, _, err := s.Deliveries.Load(ctx, id)
	if err != nil || before.Exists() {
		return nil, err
	}
	n.Cause, n.Due = e.ID.String(), s.Now().UTC().Truncate(time.Millisecond)
	body, err := n.body(ctx, id, &n.Scheduled)
	if errors.Is(err, ErrGone) {
		s.Log.LogAttrs(ctx, slog.LevelWarn, "nothing is left to deliver", slog.String("delivery", id), slog.String("cause", n.Cause))
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	n.Digest = digest(body)
	_, err = s.Deliveries.Execute(ctx, n.meta, id, delivery.Schedule{Scheduled: n.Scheduled})
	if errors.Is(err, delivery.ErrExists) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []string{id}, nil
}

// deliveryID is the same whenever the same event is told to the same receiver,
// wherever the receiver is by then.
func deliveryID(cause uuid.UUID, told delivery.Scheduled) string {
	receiver := told.Client
	if told.Kind == delivery.Device {
		receiver = told.Device
	}
	return uuid.NewSHA1(cause, []byte(string(told.Kind)+" "+receiver)).String()
}

// causedBy is the metadata of what the platform does because of an event.
func (s *Server) causedBy(e eventstore.Decoded, issuer, client, subject string) event.Meta {
	return event.Meta{
		Issuer: issuer, Actor: event.ActorSystem, Client: client, Subject: subject,
		Correlation: e.Metadata.Correlation, Causation: e.ID.String(), Software: s.Software,
	}
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
