package jose

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/go-jose/go-jose/v4/json"
)

// claims are those of an assertion and of a proof. go-jose's JSON matches
// member names exactly and refuses duplicates; encoding/json does neither.
type claims struct {
	Issuer          string   `json:"iss"`
	Subject         string   `json:"sub"`
	Audience        audience `json:"aud"`
	ID              string   `json:"jti"`
	Method          string   `json:"htm"`
	URI             string   `json:"htu"`
	AccessTokenHash string   `json:"ath"`
	Nonce           string   `json:"nonce"`
	IssuedAt        date     `json:"iat"`
	NotBefore       date     `json:"nbf"`
	Expires         date     `json:"exp"`
}

func parseClaims(payload []byte) (c claims, err error) {
	if err := json.Unmarshal(payload, &c); err != nil || !object(payload) {
		return claims{}, fmt.Errorf("%w: a claim has the wrong type or occurs twice", ErrMalformed)
	}
	if len(c.ID) > maxJTI {
		return claims{}, fmt.Errorf("%w: jti is longer than %d bytes", ErrMalformed, maxJTI)
	}
	return c, nil
}

// object tells a JSON object from null, which decodes into any struct.
func object(payload []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(payload, " \t\r\n"), []byte("{"))
}

// An audience is a string or an array of strings (RFC 7519, Section 4.1.3).
// Profiles treat the two differently, so the form is remembered.
type audience struct {
	values []string
	one    bool
}

func (a *audience) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		var one string
		if err := json.Unmarshal(data, &one); err != nil {
			return err
		}
		*a = audience{[]string{one}, true}
		return nil
	}
	var many []*string
	if err := json.Unmarshal(data, &many); err != nil {
		return err
	}
	a.values = make([]string, 0, len(many))
	for _, v := range many {
		if v == nil {
			return errors.New("aud holds null")
		}
		a.values = append(a.values, *v)
	}
	return nil
}

// A date is a NumericDate (RFC 7519, Section 2): seconds, perhaps with a
// fraction, never a string.
type date struct{ time.Time }

const lastSecond = 253402300799 // of the year 9999, the last that RFC 3339 can write

func (d *date) UnmarshalJSON(data []byte) error {
	seconds, err := strconv.ParseFloat(string(data), 64)
	if err != nil || !(seconds >= 0 && seconds <= lastSecond) {
		return errors.New("date out of range")
	}
	whole, fraction := math.Modf(seconds)
	d.Time = time.Unix(int64(whole), int64(fraction*1e9)).UTC()
	return nil
}
