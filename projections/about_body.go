package projections

import (
	"strconv"

	"github.com/chirograph/chirograph/domain/access"
	"github.com/chirograph/chirograph/domain/authorization"
	"github.com/chirograph/chirograph/domain/backchannel"
	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/consent"
	"github.com/chirograph/chirograph/domain/delivery"
	"github.com/chirograph/chirograph/domain/signingkey"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/domain/token"
	"github.com/chirograph/chirograph/eventstore"
)

// body adds what the event itself tells.
func (s *subjects) body(e eventstore.Decoded) {
	switch body := e.Body.(type) {
	case authorization.Event:
		s.journey(body)
	case backchannel.Event:
		s.request(body)
	case delivery.Event:
		s.telling(body)
	case consent.Event:
		s.agreement(body)
	case token.Event:
		if issued, ok := body.(token.Issued); ok {
			s.client, s.customer, s.consent = issued.Client, issued.Subject, issued.Consent
			s.authorization, s.backchannel, s.refresh = issued.Authorization, issued.Backchannel, issued.Refresh
		}
	case token.RefreshEvent:
		if issued, ok := body.(token.RefreshIssued); ok {
			s.client, s.customer, s.consent = issued.Client, issued.Subject, issued.Consent
			s.authorization, s.backchannel = issued.Authorization, issued.Backchannel
		}
	case access.Recorded:
		s.token, s.consent = body.Token, body.Consent
		s.result, s.refused = strconv.Itoa(body.Result), body.Result >= 400
	case access.Refused:
		s.result, s.refused = body.Code, true
	case client.Registered:
		s.issuer = body.Issuer
	case client.Flagged:
		s.backchannel = body.Backchannel
	case signingkey.Announced:
		s.issuer = body.Issuer
	case subject.Enrolled:
		s.issuer = body.Issuer
	}
}

func (s *subjects) journey(e authorization.Event) {
	switch e := e.(type) {
	case authorization.Pushed:
		s.client = e.Client
	case authorization.SubjectAuthenticated:
		s.customer = e.Subject
	case authorization.Granted:
		s.customer, s.consent = e.Subject, e.Consent
	case authorization.Denied:
		s.result, s.refused = "access_denied", true
	case authorization.CodeRedeemed:
		s.token, s.refresh, s.consent = e.Token, e.Refresh, e.Consent
	case authorization.CodeReplayed:
		s.result, s.refused = "invalid_grant", true
	}
}

func (s *subjects) request(e backchannel.Event) {
	switch e := e.(type) {
	case backchannel.Requested:
		s.client, s.customer = e.Client, e.Subject
	case backchannel.DeviceNotified:
		s.delivery = e.Delivery
	case backchannel.Approved:
		s.customer, s.consent = e.Subject, e.Consent
	case backchannel.Denied:
		s.result, s.refused = "access_denied", true
		if e.Failed {
			s.result = "transaction_failed"
		}
	case backchannel.Failed:
		s.result, s.refused = string(e.Error), true
	case backchannel.Redeemed:
		s.token, s.refresh, s.consent = e.Token, e.Refresh, e.Consent
	}
}

func (s *subjects) telling(e delivery.Event) {
	switch e := e.(type) {
	case delivery.Scheduled:
		s.client, s.backchannel, s.consent = e.Client, e.Backchannel, e.Consent
	case delivery.Attempted:
		s.result, s.refused = strconv.Itoa(e.Status), e.Status < 200 || e.Status > 299
	case delivery.Parked:
		s.result, s.refused = parkedStatus, true
	}
}

func (s *subjects) agreement(e consent.Event) {
	switch e := e.(type) {
	case consent.Lodged:
		s.client = e.Client
	case consent.PartyAuthorized:
		s.more = append(s.more, link{OfCustomer, e.Subject})
	case consent.Authorized:
		s.client, s.customer, s.authorization, s.backchannel = e.Client, e.Subject, e.Authorization, e.Backchannel
	case consent.Rejected:
		s.result, s.refused = "rejected", true
	case consent.Superseded:
		s.more = append(s.more, link{OfConsent, e.By})
	}
}
