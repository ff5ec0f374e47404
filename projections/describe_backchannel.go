package projections

import (
	"cmp"
	"time"

	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/delivery"
)

func describeRequest(s backchannel.State, at time.Time) fields {
	r, yes, no, spent := s.Requested(), s.Approved(), s.Denied(), s.Redeemed()
	return fields{
		"status": s.Status(), "pending": s.Pending(at), "client_id": r.Client, "sub": r.Subject, "delivery_mode": r.Mode,
		"hint": r.Hint, "scope": r.Scope, "binding_message": r.BindingMessage, "acr_values": r.ACRValues, "expires_at": when(r.Expires),
		"consent_id": yes.Consent, "granted_scope": yes.Scope, "granted_details": yes.Details, "method": cmp.Or(yes.Method, no.Method),
		"acr": yes.ACR, "amr": yes.AMR, "auth_time": when(yes.AuthTime), "device": cmp.Or(yes.Device, no.Device),
		"denied_by": no.By, "denied_because": no.Reason, "failed_because": s.Failed().Reason,
		"token": spent.Token, "refresh": spent.Refresh,
	}
}

func describeDelivery(s delivery.State) fields {
	d, last := s.Scheduled(), s.Last()
	return fields{
		"status": s.Status(), "kind": d.Kind, "client_id": d.Client, "backchannel": d.Backchannel, "consent_id": d.Consent,
		"device": d.Device, "receiver": d.Receiver, "media_type": d.Media, "body_digest": d.Digest, "says": d.Says,
		"attempts": s.Attempts(), "last_status": last.Status, "last_failure": last.Failure, "last_answer": last.Answer,
		"parked_because": s.Reason(), "due_at": when(s.Due()), "until": when(s.Until()),
	}
}
