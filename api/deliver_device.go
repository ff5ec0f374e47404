package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/oauth"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore"
)

// tellDevices tells the customer's devices that a request waits. What is asked
// they fetch.
func (s *Server) tellDevices(ctx context.Context, e eventstore.Decoded, asked backchannel.Requested) (ids []string, err error) {
	who, _, err := s.Subjects.Get(ctx, asked.Subject)
	if err != nil || !s.Now().Before(asked.Expires) {
		return nil, err
	}
	m := s.causedBy(e, who.Issuer(), asked.Client, asked.Subject)
	for _, device := range who.Devices() {
		if told, err := s.receives(ctx, device); err != nil {
			return ids, err
		} else if !told {
			continue
		}
		id, err := s.schedule(ctx, e, notice{
			meta: m, body: s.deviceNotice(who.Issuer()), Scheduled: delivery.Scheduled{
				Kind: delivery.Device, Client: asked.Client, Backchannel: e.Stream.ID(), Device: device.ID,
				Receiver: device.Receiver, Media: "application/jwt", Says: "a request waits for an answer", Until: asked.Expires,
			},
		})
		if err != nil {
			return ids, err
		}
		ids = append(ids, id...)
	}
	return ids, nil
}

// receives reports whether a device is told of requests: its app wants it to
// be, and may act.
func (s *Server) receives(ctx context.Context, device subject.DeviceBound) (bool, error) {
	if device.Receiver == "" || device.Client == "" {
		return device.Receiver != "", nil
	}
	app, _, err := s.Clients.Get(ctx, device.Client)
	return app.Active(), err
}

// deviceClaims is the payload of a device notification. It holds no secret: a
// request is fetched with the device's key.
type deviceClaims struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"` // id of the device
	Issued   int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	ID       string `json:"jti"` // of the delivery
	Request  string `json:"request"`
}

func (s *Server) deviceNotice(issuer string) func(context.Context, string, *delivery.Scheduled) ([]byte, error) {
	return func(ctx context.Context, id string, told *delivery.Scheduled) ([]byte, error) {
		return s.signed(ctx, issuer, "device-notification+jwt", told, func(iss string) any {
			return deviceClaims{iss, told.Device, s.Now().Unix(), told.Until.Unix(), id, told.Backchannel}
		})
	}
}

// signed signs what an issuer says. The signature is random, so what is sent
// is kept in the log, where each attempt finds the same bytes.
func (s *Server) signed(ctx context.Context, issuer, typ string, told *delivery.Scheduled, claims func(iss string) any) ([]byte, error) {
	tenant, found, err := s.Tenant(ctx, issuer)
	if err != nil || !found {
		return nil, errors.Join(err, ErrGone)
	}
	kid, err := s.activeKey(ctx, issuer, "")
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(claims(tenant.URL))
	if err != nil {
		return nil, err
	}
	told.Body, err = s.Signer.Sign(ctx, kid, typ, raw)
	return []byte(told.Body), err
}

// issuerOfDevice returns whose customer a device belongs to, if it still does.
func (s *Server) issuerOfDevice(ctx context.Context, told delivery.Scheduled) (string, error) {
	state, _, err := s.Backchannels.Load(ctx, told.Backchannel)
	if err != nil {
		return "", err
	}
	who, _, err := s.Subjects.Get(ctx, state.Requested().Subject)
	if err != nil {
		return "", err
	}
	device, bound := who.Device(told.Device)
	if !bound {
		return "", fmt.Errorf("%w: the device was removed", ErrGone)
	}
	may, err := s.receives(ctx, device)
	if err == nil && !may {
		err = fmt.Errorf("%w: the app of the device is suspended or deleted", ErrGone)
	}
	return who.Issuer(), err
}

// afterDelivery notes what a delivery that arrived has done: a device is
// notified, and what waited for a client is forgotten.
func (s *Server) afterDelivery(ctx context.Context, e eventstore.Decoded) error {
	state, _, err := s.Deliveries.Load(ctx, e.Stream.ID())
	if err != nil {
		return err
	}
	told := state.Scheduled()
	switch told.Kind {
	case delivery.Device:
		m := s.causedBy(e, e.Metadata.Issuer, told.Client, e.Metadata.Subject)
		_, err = s.Backchannels.Execute(ctx, m, told.Backchannel, backchannel.NotifyDevice{
			DeviceNotified: backchannel.DeviceNotified{Device: told.Device, Delivery: e.Stream.ID()}})
	case delivery.Ping, delivery.Push:
		err = s.forget(ctx, told.Backchannel)
	}
	return err
}

// forget drops what waited for the client of a request.
func (s *Server) forget(ctx context.Context, id string) error {
	state, _, err := s.Backchannels.Load(ctx, id)
	if err != nil {
		return err
	}
	if jti := state.Redeemed().Token; jti != "" && state.Requested().Mode == oauth.Push {
		err = s.Waiting.Forget(ctx, waitsPush+jti)
	}
	return errors.Join(err, s.Waiting.Forget(ctx, string(s.Backchannels.Stream(id))))
}
