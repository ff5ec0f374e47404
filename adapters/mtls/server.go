package mtls

import "crypto/tls"

// ServerConfig returns how the server speaks TLS: version 1.3 preferred, 1.2
// with the suites that BCP 195 recommends and FAPI 1.0 also permits, which is
// ECDHE with RSA and AES-GCM (FAPI2-SP §5.2.2-1). Server certificates must
// therefore be RSA.
func ServerConfig(certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		},
		GetCertificate: certificate,
		NextProtos:     []string{"h2", "http/1.1"},
	}
}

// MutualConfig is [ServerConfig] for the mutual-TLS listener: it asks for a
// certificate and takes any or none. The handshake proves that the client
// holds the key; [Trust] judges the rest for the client at hand.
func MutualConfig(certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	config := ServerConfig(certificate)
	config.ClientAuth = tls.RequestClientCert
	return config
}
