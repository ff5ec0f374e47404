package eventstoredb

import (
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

func TestConfiguration(t *testing.T) {
	tests := []struct {
		name, text string
		want       string // part of the error, "" for none
	}{
		{"one node without TLS", "esdb://127.0.0.1:2113?tls=false", ""},
		{"three nodes with a password", "esdb://ops:p%40ss@a:2113,b:2113,c:2113?nodePreference=leader&maxDiscoverAttempts=5", ""},
		{"a name to discover", "esdb+discover://cluster.example:2113", ""},
		{"settings in any case", "esdb://a?TLS=False&KeepAliveInterval=10000", ""},

		{"another scheme", "https://a:2113", "must begin with"},
		{"that of the successor", "kurrentdb://a:2113", "must begin with"},
		{"no host", "esdb://", "host"},
		{"a setting that nobody reads", "esdb://a?tlsCaFiles=x", "no setting"},
		{"a setting twice", "esdb://a?tls=true&TLS=false", "twice"},
		{"a deadline that the client would forget", "esdb://a?defaultDeadline=ten", "not a positive number"},
		{"attempts without end, which are none", "esdb://a?maxDiscoverAttempts=-1", "not a positive number"},
		{"no keepalive", "esdb://a?keepAliveInterval=-1", "not a positive number"},
		{"a follower", "esdb://a?nodePreference=follower", "must be leader"},
		{"a password in the clear", "esdb://ops:hunter2@a:2113?tls=false", "verified TLS only"},
		{"a password for anybody", "esdb://ops:hunter2@a:2113?tlsVerifyCert=false", "verified TLS only"},
		{"half a certificate", "esdb://a?userCertFile=x", "userKeyFile"},
		{"what is no URL", "esdb://ops:hunter2@a:b:c", "connection string"},
		{"a password with a question mark", "esdb://ops:pass?hunter2@a:2113", "a setting that there is not"},
		{"and with an equals sign", "esdb://ops:pass?hunter2:x=y@a:2113/", "a setting that there is not"},
		{"a query that is none", "esdb://ops:hunter2@a?tls=%zz", "not URL-encoded"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := configuration(tt.text)
			switch {
			case tt.want == "" && err != nil:
				t.Fatal(err)
			case tt.want == "" && (c.NodePreference != esdb.NodePreferenceLeader || c.MaxDiscoverAttempts < minDiscoverAttempts):
				t.Errorf("got %+v", c)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			case err != nil && strings.Contains(err.Error(), "hunter2"):
				t.Errorf("the password is told: %v", err)
			}
		})
	}
}

func FuzzConfiguration(f *testing.F) {
	f.Add("esdb://ops:secret@a:2113,b:2113?tls=true&maxDiscoverAttempts=5")
	f.Add("esdb+discover://a?tls=false")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := configuration(text)
		if err == nil && c.Username != "" && (c.DisableTLS || c.SkipCertificateVerification) {
			t.Errorf("%q sends a password without TLS", text)
		}
	})
}
