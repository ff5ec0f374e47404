package ledger

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
)

const proofHeader = "c2sp.org/tlog-proof@v1"

// maxProof bounds what is read as a proof: 63 hashes and a checkpoint.
const maxProof = 64 << 10

// Prove returns a proof that anybody can check offline: that the tree of a
// checkpoint contains a leaf (C2SP tlog-proof).
func Prove(ctx context.Context, s Source, c Checkpoint, leaf int64) ([]byte, error) {
	path, err := Inclusion(ctx, s, leaf, c.Size)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nindex %d\n", proofHeader, leaf)
	for _, h := range path {
		fmt.Fprintf(&b, "%s\n", h)
	}
	b.WriteByte('\n')
	b.Write(c.Note)
	return b.Bytes(), nil
}

// CheckProof reports whether a proof shows that an event with this canonical
// record is in the log, and under which checkpoint.
func CheckProof(proof []byte, log uuid.UUID, key ed25519.PublicKey, record []byte) (Checkpoint, error) {
	index, path, signedBy, err := parseProof(proof)
	if err != nil {
		return Checkpoint{}, err
	}
	c, err := ParseCheckpoint(signedBy, log, key)
	if err != nil {
		return Checkpoint{}, err
	}
	if err := tlog.CheckRecord(path, c.Size, c.Root, index, LeafHash(record)); err != nil {
		return Checkpoint{}, fmt.Errorf("ledger: %w", err)
	}
	return c, nil
}

func parseProof(proof []byte) (index int64, path tlog.RecordProof, note []byte, err error) {
	if len(proof) > maxProof {
		return 0, nil, nil, errors.New("ledger: proof too long")
	}
	head, note, found := bytes.Cut(proof, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || lines[0] != proofHeader {
		return 0, nil, nil, errors.New("ledger: not a tlog-proof")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:] // opaque, and proves nothing
	}
	if len(lines) == 0 {
		return 0, nil, nil, errors.New("ledger: proof without an index")
	}
	number, named := strings.CutPrefix(lines[0], "index ")
	index, ok := decimal(number)
	if !named || !ok {
		return 0, nil, nil, fmt.Errorf("ledger: proof of %.30q", lines[0])
	}
	for _, line := range lines[1:] {
		h, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(h) != tlog.HashSize {
			return 0, nil, nil, errors.New("ledger: malformed hash in proof")
		}
		path = append(path, tlog.Hash(h))
	}
	return index, path, note, nil
}
