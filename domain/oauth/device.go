package oauth

import (
	"slices"
	"time"
)

// A DeviceStatement is what a customer's own device signed, once the signature
// was verified: that it is to be bound to the customer, or the customer's
// answer to a backchannel request.
type DeviceStatement struct {
	Raw       string
	Algorithm string
	Issuer    string
	Subject   string
	Audience  []string
	ID        string
	IssuedAt  time.Time
	NotBefore time.Time
	Expires   time.Time

	// Of an answer.
	Decision string   // [DeviceApproves], [DeviceDenies] or [DeviceNotMe]
	Shown    string   // hash of the text that the device showed
	Accounts []string // that the customer chose
}

// What a device may answer.
const (
	DeviceApproves = "approve"
	DeviceDenies   = "deny"
	DeviceNotMe    = "not_me"
)

const (
	// deviceLife is how long a statement of a device is good at most.
	deviceLife = 5 * time.Minute
	// deviceSkew is how far the clock of a device may be ahead.
	deviceSkew = 60 * time.Second

	maxDeviceID       = 128
	maxDeviceAccounts = 256
)

// CheckRegistration refuses a statement that does not bind its key to a
// customer of an issuer now. It is good until the time returned, once.
func (d DeviceStatement) CheckRegistration(issuer, subject string, now time.Time) (until time.Time, err error) {
	until = d.IssuedAt.Add(deviceLife)
	if d.Subject != subject {
		return until, Refuse(InvalidRequest, "RFC 7519 §4.1.2", "sub must be the customer of the access token")
	}
	if !now.Before(until) {
		return until, Refuse(InvalidRequest, "RFC 7519 §4.1.6", "iat must be less than five minutes ago")
	}
	return until, d.checkTimes(issuer, now)
}

// CheckAnswer refuses a statement that is not a device's answer to a request
// of an issuer now.
func (d DeviceStatement) CheckAnswer(issuer, device, request string, now time.Time) error {
	switch {
	case d.Issuer != device:
		return Refuse(InvalidRequest, "RFC 7519 §4.1.1", "iss must be the id of the device")
	case d.Subject != request:
		return Refuse(InvalidRequest, "RFC 7519 §4.1.2", "sub must be the id of the request")
	case d.Expires.IsZero() || !now.Before(d.Expires):
		return Refuse(InvalidRequest, "RFC 7519 §4.1.4", "exp must be ahead")
	case d.Expires.Sub(d.IssuedAt) > deviceLife:
		return Refuse(InvalidRequest, "RFC 7519 §4.1.4", "exp must be five minutes after iat at the latest")
	case !slices.Contains([]string{DeviceApproves, DeviceDenies, DeviceNotMe}, d.Decision):
		return Refuse(InvalidRequest, "RFC 7519 §4.3", "decision must be approve, deny or not_me")
	case d.Decision == DeviceApproves && d.Shown == "":
		return Refuse(InvalidRequest, "RFC 7519 §4.3", "shown must be the hash of the text that was shown")
	case len(d.Accounts) > maxDeviceAccounts:
		return Refuse(InvalidRequest, "RFC 7519 §4.3", "accounts names too many")
	}
	return d.checkTimes(issuer, now)
}

// checkTimes refuses what every statement must not be: for somebody else,
// without an identifier, or of another time.
func (d DeviceStatement) checkTimes(issuer string, now time.Time) error {
	switch {
	case len(d.Audience) != 1 || d.Audience[0] != issuer:
		return Refuse(InvalidRequest, "RFC 7519 §4.1.3", "aud must be the issuer and nobody else")
	case d.ID == "" || len(d.ID) > maxDeviceID:
		return Refuse(InvalidRequest, "RFC 7519 §4.1.7", "jti must have 1 to 128 bytes")
	case d.IssuedAt.IsZero() || d.IssuedAt.After(now.Add(deviceSkew)):
		return Refuse(InvalidRequest, "RFC 7519 §4.1.6", "iat must not be ahead")
	case d.NotBefore.After(now.Add(deviceSkew)):
		return Refuse(InvalidRequest, "RFC 7519 §4.1.5", "nbf must not be ahead")
	}
	return nil
}
