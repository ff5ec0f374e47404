package ledger

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/chirograph/chirograph/eventstore"

	"github.com/google/uuid"
)

var errRecord = errors.New("ledger: not a record of an event")

// ParseRecord reads what [Record] wrote, so that who holds a proof can see of
// what. It accepts nothing else: what is read is written again and compared.
func ParseRecord(record []byte) (log uuid.UUID, e eventstore.Event, err error) {
	var fields [][]byte
	for rest := record; len(rest) > 0; {
		if len(rest) < 4 {
			return log, e, errRecord
		}
		n := int64(binary.BigEndian.Uint32(rest))
		if n > int64(len(rest)-4) {
			return log, e, errRecord
		}
		fields, rest = append(fields, rest[4:4+n]), rest[4+n:]
	}
	sizes := []int{1, 16, 8, 0, 8, 16, 0, 4, 8, 0, 0} // 0: any
	if len(fields) != len(sizes) {
		return log, e, errRecord
	}
	for i, size := range sizes {
		if size > 0 && len(fields[i]) != size {
			return log, e, errRecord
		}
	}
	log, e.ID = uuid.UUID(fields[1]), uuid.UUID(fields[5])
	e.Leaf = signedNumber(fields[2])
	e.Stream, e.Revision, e.Type = eventstore.Stream(fields[3]), eventstore.Revision(signedNumber(fields[4])), string(fields[6])
	e.Version = int(binary.BigEndian.Uint32(fields[7]))
	e.Recorded = time.Unix(0, signedNumber(fields[8])).UTC()
	e.Meta, e.Data = fields[9], fields[10]
	if string(Record(log, e)) != string(record) {
		return log, e, errRecord
	}
	return log, e, nil
}

func signedNumber(b []byte) int64 { return int64(binary.BigEndian.Uint64(b)) }

var errVerifierKey = errors.New("ledger: not a verifier key of a log")

// ParseVerifierKey reads what [VerifierKey] wrote: whose checkpoints a key
// verifies, and the key.
func ParseVerifierKey(text string) (log uuid.UUID, key ed25519.PublicKey, err error) {
	parts := strings.SplitN(strings.TrimSpace(text), "+", 3)
	if len(parts) != 3 {
		return log, nil, errVerifierKey
	}
	name := strings.Split(parts[0], "/")
	raw, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(name) != 3 || name[0] != "chirograph" || len(raw) != 1+ed25519.PublicKeySize {
		return log, nil, errVerifierKey
	}
	epoch, ok := decimal(name[2])
	if log, err = uuid.Parse(name[1]); err != nil || !ok {
		return log, nil, errVerifierKey
	}
	key = ed25519.PublicKey(raw[1:])
	if again, err := VerifierKey(log, epoch, key); err != nil || again != strings.TrimSpace(text) {
		return log, nil, errVerifierKey
	}
	return log, key, nil
}
