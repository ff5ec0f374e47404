package ledger

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Checkpoint is a signed statement that the log had a root at a size
// (C2SP tlog-checkpoint).
type Checkpoint struct {
	Epoch int64
	Size  int64
	Root  tlog.Hash
	Note  []byte // the statement as signed
}

// maxNote bounds what is read as a checkpoint.
const maxNote = 16 << 10

// Origin is the first line of a checkpoint, and the name of its key.
func Origin(log uuid.UUID, epoch int64) string {
	return fmt.Sprintf("chirograph/%s/%d", log, epoch)
}

func (c Checkpoint) text(log uuid.UUID) string {
	return fmt.Sprintf("%s\n%d\n%s\n", Origin(log, c.Epoch), c.Size, c.Root)
}

func (c Checkpoint) newerThan(d Checkpoint) bool {
	return c.Epoch > d.Epoch || c.Epoch == d.Epoch && c.Size > d.Size
}

// signed returns c with its note.
func signed(log uuid.UUID, key crypto.Signer, c Checkpoint) (Checkpoint, error) {
	s, err := newSigner(Origin(log, c.Epoch), key)
	if err != nil {
		return c, err
	}
	c.Note, err = note.Sign(&note.Note{Text: c.text(log)}, s)
	return c, err
}

// VerifierKey is the public key of an epoch's checkpoints as C2SP tools take
// it.
func VerifierKey(log uuid.UUID, epoch int64, key ed25519.PublicKey) (string, error) {
	return note.NewEd25519VerifierKey(Origin(log, epoch), key)
}

// ParseCheckpoint returns what a note says, if it is a checkpoint of this log
// signed by this key.
func ParseCheckpoint(msg []byte, log uuid.UUID, key ed25519.PublicKey) (Checkpoint, error) {
	if len(msg) > maxNote {
		return Checkpoint{}, errors.New("ledger: checkpoint too long")
	}
	origin, _, _ := strings.Cut(string(msg), "\n")
	prefix := fmt.Sprintf("chirograph/%s/", log)
	number, ours := strings.CutPrefix(origin, prefix)
	epoch, ok := decimal(number)
	if !ours || !ok || epoch < 1 {
		return Checkpoint{}, fmt.Errorf("ledger: %.100q is no checkpoint of log %s", origin, log)
	}
	vkey, err := VerifierKey(log, epoch, key)
	if err != nil {
		return Checkpoint{}, err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return Checkpoint{}, err
	}
	opened, err := note.Open(msg, note.VerifierList(verifier))
	if err != nil {
		return Checkpoint{}, err
	}
	c, err := parseText(opened.Text)
	c.Epoch, c.Note = epoch, msg
	return c, err
}

// parseText reads the lines after the origin. Extension lines are refused: we
// sign none.
func parseText(text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return c, errors.New("ledger: a checkpoint has three lines")
	}
	size, ok := decimal(lines[1])
	if !ok {
		return c, fmt.Errorf("ledger: checkpoint of size %.30q", lines[1])
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return c, errors.New("ledger: checkpoint with a malformed root")
	}
	return Checkpoint{Size: size, Root: tlog.Hash(root)}, nil
}

// decimal reads a number that is written the one way it can be.
func decimal(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= 0 && strconv.FormatInt(n, 10) == text
}

// A signer makes note signatures of the Ed25519 type with a key that may live
// in a token.
type signer struct {
	name string
	hash uint32
	key  crypto.Signer
}

const ed25519Note = 1 // signature type of C2SP signed-note

func newSigner(name string, key crypto.Signer) (note.Signer, error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("ledger: checkpoints are signed with Ed25519, not %T", key.Public())
	}
	id := sha256.New()
	fmt.Fprintf(id, "%s\n%c%s", name, ed25519Note, public)
	return signer{name, binary.BigEndian.Uint32(id.Sum(nil)), key}, nil
}

func (s signer) Name() string    { return s.name }
func (s signer) KeyHash() uint32 { return s.hash }
func (s signer) Sign(msg []byte) ([]byte, error) {
	return s.key.Sign(nil, msg, crypto.Hash(0))
}
