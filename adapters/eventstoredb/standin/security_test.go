package standin_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/adapters/eventstoredb/standin"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

func TestTLSAndPasswords(t *testing.T) {
	cluster := standin.New(t, standin.Options{Nodes: 3, TLS: true, User: "admin", Password: "changeit"})
	known := "admin:changeit@"
	_, settings, _ := strings.Cut(cluster.URL(), "?")
	hosts := cluster.Node(0).Address() + "," + cluster.Node(1).Address()
	tests := []struct {
		name, url string
		want      esdb.ErrorCode
	}{
		{"the connection string that is given out", cluster.URL(), fine},
		{"the password", "esdb://" + known + hosts + "?" + settings, fine},
		{"another password", "esdb://admin:wrong@" + hosts + "?" + settings, esdb.ErrorCodeUnauthenticated},
		{"another user", "esdb://ops:changeit@" + hosts + "?" + settings, esdb.ErrorCodeUnauthenticated},
		{"no password", "esdb://" + hosts + "?" + settings, esdb.ErrorCodeAccessDenied},
		{"an authority that nobody knows", "esdb://" + known + hosts + "?maxDiscoverAttempts=1", esdb.ErrorUnavailable},
		{"no TLS", "esdb://" + known + hosts + "?tls=false&maxDiscoverAttempts=1", esdb.ErrorUnavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := connect(t, tt.url)
			_, err := c.append("s", esdb.Any{}, event("0"))
			for errors.Is(err, io.EOF) { // see TestARefusalIsMaskedByEOF
				_, err = c.append("s", esdb.Any{}, event("0"))
			}
			refused(t, err, tt.want)
			if _, err := c.read("s", esdb.ReadStreamOptions{}, 1); (err == nil) != (tt.want == fine) {
				t.Errorf("reads: %v", err)
			}
		})
	}
}
