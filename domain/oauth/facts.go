package oauth

import "time"

// An Assertion is a client assertion (RFC 7523, Section 2.2) whose signature
// was verified with a key of the client it names. Times are zero when the
// claim is absent.
type Assertion struct {
	Raw         string // as received
	Algorithm   string
	KeyID       string
	Thumbprint  string // of the verifying key, RFC 7638
	Issuer      string
	Subject     string
	Audience    []string
	AudienceOne bool // aud was a JSON string, not an array
	ID          string
	IssuedAt    time.Time
	NotBefore   time.Time
	Expires     time.Time
}

// A Proof is a DPoP proof (RFC 9449, Section 4.2) whose signature was verified
// with the key embedded in it. Times are zero when the claim is absent.
type Proof struct {
	Raw             string // as received
	Algorithm       string
	Thumbprint      string // of the embedded key, RFC 7638
	ID              string
	Method          string // htm
	URI             string // htu
	AccessTokenHash string // ath
	Nonce           string
	IssuedAt        time.Time
	NotBefore       time.Time
	Expires         time.Time
}

// A Certificate is what a client presented on a mutual-TLS connection
// (RFC 8705). Its names count only if Trusted is true.
type Certificate struct {
	Thumbprint string   // x5t#S256: base64url of SHA-256 of the DER
	Chain      [][]byte // DER, leaf first, as presented
	Trusted    bool     // the chain leads to a configured authority and is valid now
	Subject    string   // RFC 4514, as normalized by NormalizeDN of adapters/mtls
	DNS        []string
	URIs       []string
	IPs        []string
	Emails     []string
	NotBefore  time.Time
	NotAfter   time.Time
	KeyID      string // RFC 7638 thumbprint of the certificate's public key
}

// Evidence is what a client sent to prove itself, byte for byte, kept with the
// event it caused.
type Evidence struct {
	ClientAuth      string `json:"client_auth,omitempty"`      // token_endpoint_auth_method
	ClientAssertion string `json:"client_assertion,omitempty"` // compact JWS
	Key             string `json:"jkt_client,omitempty"`       // thumbprint of the key that verified it, see client.key_seen
	Certificate     string `json:"x5t#S256,omitempty"`         // see client.key_seen for the chain
	DPoP            string `json:"dpop,omitempty"`             // compact JWS
}
