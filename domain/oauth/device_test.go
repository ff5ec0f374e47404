package oauth_test

import (
	"errors"
	"testing"
	"time"

	. "github.com/chirograph/chirograph/domain/oauth"
)

var deviceNoon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func deviceAnswer(change func(*DeviceStatement)) DeviceStatement {
	d := DeviceStatement{
		Issuer: "d-1", Subject: "r-1", Audience: []string{"https://as.example"}, ID: "j-1",
		IssuedAt: deviceNoon.Add(-time.Second), Expires: deviceNoon.Add(time.Minute), Decision: DeviceApproves, Shown: "hash",
	}
	change(&d)
	return d
}

func TestDeviceAnswer(t *testing.T) {
	tests := []struct {
		name   string
		clause Clause // "" if the answer is good
		change func(*DeviceStatement)
	}{
		{"a yes", "", func(*DeviceStatement) {}},
		{"a no", "", func(d *DeviceStatement) { d.Decision, d.Shown = DeviceDenies, "" }},
		{"somebody else started it", "", func(d *DeviceStatement) { d.Decision, d.Shown = DeviceNotMe, "" }},
		{"with a clock a little ahead", "", func(d *DeviceStatement) { d.IssuedAt = deviceNoon.Add(time.Minute) }},
		{"that lasts five minutes", "", func(d *DeviceStatement) { d.Expires = d.IssuedAt.Add(5 * time.Minute) }},
		{"not of another device", "RFC 7519 §4.1.1", func(d *DeviceStatement) { d.Issuer = "d-2" }},
		{"not to another request", "RFC 7519 §4.1.2", func(d *DeviceStatement) { d.Subject = "r-2" }},
		{"not for another issuer", "RFC 7519 §4.1.3", func(d *DeviceStatement) { d.Audience = []string{"https://other.example"} }},
		{"not for others too", "RFC 7519 §4.1.3", func(d *DeviceStatement) { d.Audience = append(d.Audience, "https://other.example") }},
		{"not for nobody", "RFC 7519 §4.1.3", func(d *DeviceStatement) { d.Audience = nil }},
		{"not at its expiry", "RFC 7519 §4.1.4", func(d *DeviceStatement) { d.Expires = deviceNoon }},
		{"not without one", "RFC 7519 §4.1.4", func(d *DeviceStatement) { d.Expires = time.Time{} }},
		{"not for longer", "RFC 7519 §4.1.4", func(d *DeviceStatement) { d.Expires = d.IssuedAt.Add(5*time.Minute + time.Second) }},
		{"not before nbf", "RFC 7519 §4.1.5", func(d *DeviceStatement) { d.NotBefore = deviceNoon.Add(2 * time.Minute) }},
		{"not of tomorrow", "RFC 7519 §4.1.6", func(d *DeviceStatement) {
			d.IssuedAt, d.Expires = deviceNoon.Add(61*time.Second), deviceNoon.Add(2*time.Minute)
		}},
		{"not without iat", "RFC 7519 §4.1.4", func(d *DeviceStatement) { d.IssuedAt = time.Time{} }},
		{"not without jti", "RFC 7519 §4.1.7", func(d *DeviceStatement) { d.ID = "" }},
		{"not with a jti that is too long", "RFC 7519 §4.1.7", func(d *DeviceStatement) { d.ID = string(make([]byte, 129)) }},
		{"not a maybe", "RFC 7519 §4.3", func(d *DeviceStatement) { d.Decision = "maybe" }},
		{"not a yes to nothing", "RFC 7519 §4.3", func(d *DeviceStatement) { d.Shown = "" }},
		{"not with too many accounts", "RFC 7519 §4.3", func(d *DeviceStatement) { d.Accounts = make([]string, 257) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := deviceAnswer(tt.change).CheckAnswer("https://as.example", "d-1", "r-1", deviceNoon)
			if clause := clauseOf(err); clause != tt.clause || (err == nil) != (tt.clause == "") {
				t.Errorf("got %v by %q, want %q", err, clause, tt.clause)
			}
		})
	}
}

func TestDeviceRegistration(t *testing.T) {
	tests := []struct {
		name   string
		clause Clause
		change func(*DeviceStatement)
	}{
		{"of the customer, now", "", func(*DeviceStatement) {}},
		{"not of another customer", "RFC 7519 §4.1.2", func(d *DeviceStatement) { d.Subject = "ben" }},
		{"not for another issuer", "RFC 7519 §4.1.3", func(d *DeviceStatement) { d.Audience = []string{"https://other.example"} }},
		{"not after five minutes", "RFC 7519 §4.1.6", func(d *DeviceStatement) { d.IssuedAt = deviceNoon.Add(-5 * time.Minute) }},
		{"not without iat", "RFC 7519 §4.1.6", func(d *DeviceStatement) { d.IssuedAt = time.Time{} }},
		{"not of tomorrow", "RFC 7519 §4.1.6", func(d *DeviceStatement) { d.IssuedAt = deviceNoon.Add(61 * time.Second) }},
		{"not without jti", "RFC 7519 §4.1.7", func(d *DeviceStatement) { d.ID = "" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := deviceAnswer(func(d *DeviceStatement) { d.Subject = "alice"; tt.change(d) })
			until, err := d.CheckRegistration("https://as.example", "alice", deviceNoon)
			if clause := clauseOf(err); clause != tt.clause || (err == nil) != (tt.clause == "") {
				t.Errorf("got %v by %q, want %q", err, clause, tt.clause)
			}
			if err == nil && !until.Equal(d.IssuedAt.Add(5*time.Minute)) {
				t.Errorf("it is good until %v", until)
			}
		})
	}
}

func clauseOf(err error) Clause {
	if refusal, ok := errors.AsType[*Error](err); ok {
		return refusal.By
	}
	return ""
}
