package oauth

import (
	"slices"
	"time"
)

// A SignedRequest is the JWT of a signed authentication request (CIBA, Section
// 7.1.1) whose signature was verified with a key of the client. Times are zero
// when the claim is absent.
type SignedRequest struct {
	Raw        string // as received
	Algorithm  string
	KeyID      string
	Thumbprint string // of the verifying key, RFC 7638
	Issuer     string
	Audience   []string
	ID         string
	IssuedAt   time.Time
	NotBefore  time.Time
	Expires    time.Time
	Claims     []byte // the whole payload
}

// CheckSigning refuses a client that sends its request otherwise than it
// registered or its profile demands: a client registers the algorithm with
// which it signs, and only then signs (CIBA, Section 4).
func (p Profile) CheckSigning(signed bool, c Client) error {
	return first(
		refusal(!signed && p.SignedBackchannel.Demanded, InvalidRequest, p.SignedBackchannel.By, "request is required: authentication requests must be signed"),
		refusal(!signed && c.RequestAlg != "", InvalidRequest, "CIBA §4", "request is required: the client is registered to sign its requests"),
		refusal(signed && c.RequestAlg == "", InvalidRequest, "CIBA §4", "request was sent by a client that is not registered to sign"),
	)
}

// CheckSignedRequest returns the first rule that a signed authentication
// request breaks (CIBA, Section 7.1.1).
func (p Profile) CheckSignedRequest(r SignedRequest, c Client, j Judging) error {
	bad := func(broken bool, by Clause, description string) error {
		return refusal(broken, InvalidRequest, by, description)
	}
	claimed, err := ClaimedClient(r.Claims)
	life := r.Expires.Sub(r.NotBefore)
	return first(
		p.SigningAlgs.check("alg of the signed request", r.Algorithm, InvalidRequest),
		bad(!slices.Contains(r.Audience, j.Issuer), "CIBA §7.1.1", "aud of the signed request must name the issuer"),
		bad(r.Issuer != c.ID, "CIBA §7.1.1", "iss of the signed request must be the client_id"),
		err,
		bad(claimed != "" && claimed != c.ID, "CIBA §7.1.1", "client_id of the signed request is not the authenticated client"),
		bad(r.Expires.IsZero(), "CIBA §7.1.1", "exp of the signed request is required"),
		bad(r.IssuedAt.IsZero(), "CIBA §7.1.1", "iat of the signed request is required"),
		bad(r.NotBefore.IsZero(), "CIBA §7.1.1", "nbf of the signed request is required"),
		bad(r.ID == "" || len(r.ID) > maxJTI, "CIBA §7.1.1", "jti of the signed request must have 1 to 256 bytes"),
		bad(!j.Now.Before(r.Expires), "CIBA §7.1.1", "the signed request has expired"),
		p.notAhead("iat of the signed request", r.IssuedAt, j.Now, InvalidRequest),
		p.notAhead("nbf of the signed request", r.NotBefore, j.Now, InvalidRequest),
		bad(life > p.SignedRequestLife.Max && p.SignedRequestLife.Max > 0, p.SignedRequestLife.By, "exp of the signed request is more than "+p.SignedRequestLife.Max.String()+" after nbf"),
	)
}
