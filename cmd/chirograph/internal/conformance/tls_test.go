package conformance

import (
	"crypto/rsa"
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// handshake tries to connect to a listener.
func handshake(t *testing.T, address string, config *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", u.Host, config)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	return conn.ConnectionState(), nil
}

var (
	gcm = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}
	cbc = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA}
)

// offers are what the module ensure-holder-of-key-required scans for
// (FAPI2-SP §5.2.1, §5.2.2).
var offers = []struct {
	name     string
	min, max uint16
	suites   []uint16
	version  uint16 // 0 if there is no handshake
}{
	{"TLS 1.3 is preferred", tls.VersionTLS10, tls.VersionTLS13, nil, tls.VersionTLS13},
	{"TLS 1.2 is spoken with one recommended suite", tls.VersionTLS12, tls.VersionTLS12, gcm[:1], tls.VersionTLS12},
	{"and with the other", tls.VersionTLS12, tls.VersionTLS12, gcm[1:], tls.VersionTLS12},
	{"TLS 1.1 is not", tls.VersionTLS11, tls.VersionTLS11, nil, 0},
	{"TLS 1.0 is not", tls.VersionTLS10, tls.VersionTLS10, nil, 0},
	{"no CBC", tls.VersionTLS12, tls.VersionTLS12, cbc, 0},
	{"no RSA key exchange", tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}, 0},
	{"no 3DES", tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA}, 0},
	{"no ChaCha20, which FAPI 1.0 does not permit", tls.VersionTLS12, tls.VersionTLS12, []uint16{tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256}, 0},
}

// testTLS shakes hands with both listeners.
func testTLS(t *testing.T, h *house) {
	for listener, address := range map[string]string{"public": h.resources["bank"], "mutual": h.resources["bank.mutual"]} {
		for _, tt := range offers {
			t.Run(listener+": "+tt.name, func(t *testing.T) {
				config := &tls.Config{RootCAs: h.roots, Time: h.clock.Now, MinVersion: tt.min, MaxVersion: tt.max, CipherSuites: tt.suites}
				if got, err := handshake(t, address, config); got.Version != tt.version {
					t.Errorf("version %x, %v; want %x", got.Version, err, tt.version)
				}
			})
		}
		t.Run(listener+": the name in the certificate counts", func(t *testing.T) { // FAPI2-SP §5.2.1-2.5
			config := &tls.Config{RootCAs: h.roots, Time: h.clock.Now, ServerName: "bank.example"}
			if _, err := handshake(t, address, config); err == nil {
				t.Error("a client took the server for bank.example")
			}
		})
		t.Run(listener+": the certificate is RSA, which every suite of FAPI 1.0 needs", func(t *testing.T) { // FAPI1-ADV §8.5-1
			got, err := handshake(t, address, &tls.Config{RootCAs: h.roots, Time: h.clock.Now})
			if err != nil {
				t.Fatal(err)
			}
			if key, is := got.PeerCertificates[0].PublicKey.(*rsa.PublicKey); !is || key.N.BitLen() < 2048 {
				t.Errorf("its key is a %T", got.PeerCertificates[0].PublicKey)
			}
		})
		t.Run(listener+": plain HTTP gets nothing", func(t *testing.T) { // FAPI2-SP §5.2.1-2.1
			plain := "http" + strings.TrimPrefix(address, "https") + "/status"
			if a, err := h.send(nil, request{method: "GET", url: plain}); err == nil && a.status != http.StatusBadRequest {
				t.Errorf("answered with %d", a.status)
			}
		})
	}
}
