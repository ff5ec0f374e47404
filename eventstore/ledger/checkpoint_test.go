package ledger_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/eventstore/memory"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
)

var (
	signingKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	otherKey   = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
	publicKey  = signingKey.Public().(ed25519.PublicKey)
)

// keeping is a keeper that must open.
func keeping(t testing.TB, log ledger.Vault, folders ...string) *ledger.Keeper {
	t.Helper()
	k, err := ledger.Open(t.Context(), ledger.Config{Log: log, Key: signingKey, Folders: folders})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signedNow(t testing.TB, k *ledger.Keeper) ledger.Checkpoint {
	t.Helper()
	c, err := k.Sign(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCheckpointIsASignedNote(t *testing.T) {
	log := grown(t, 3)
	c := signedNow(t, keeping(t, log, t.TempDir()))
	root, err := ledger.Root(t.Context(), log, 3)
	if err != nil {
		t.Fatal(err)
	}
	origin := "chirograph/" + log.ID().String() + "/1"
	text := origin + "\n3\n" + base64.StdEncoding.EncodeToString(root[:]) + "\n"
	if !strings.HasPrefix(string(c.Note), text+"\n— "+origin+" ") {
		t.Errorf("note is\n%s", c.Note)
	}
	vkey, err := ledger.VerifierKey(log.ID(), 1, publicKey)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := note.Open(c.Note, note.VerifierList(verifier))
	if err != nil || opened.Text != text {
		t.Errorf("opened as %+v, %v", opened, err)
	}
	if same := noteBy(t, origin, text); !bytes.Equal(same, c.Note) {
		t.Errorf("another signer makes\n%s", same)
	}
}

// vectorFile was made by an independent program from the key seed 07…07; every
// byte of a checkpoint is determined.
const vectorFile = "testdata/checkpoint"

func TestCheckpointVector(t *testing.T) {
	vector, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	id := uuid.MustParse("a3bb189e-8bf9-4888-9912-ace4e6543002")
	c, err := ledger.ParseCheckpoint(vector, id, publicKey)
	if err != nil || c.Epoch != 2 || c.Size != 8 {
		t.Fatalf("got %+v, %v", c, err)
	}
	if c.Root.String() != "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=" {
		t.Errorf("root %v", c.Root)
	}
	text, _, _ := strings.Cut(string(vector), "\n\n")
	if ours := noteBy(t, ledger.Origin(id, 2), text+"\n"); !bytes.Equal(ours, vector) {
		t.Errorf("signed here it is\n%s", ours)
	}
}

func TestParseCheckpoint(t *testing.T) {
	vector, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	id := uuid.MustParse("a3bb189e-8bf9-4888-9912-ace4e6543002")
	other := otherKey.Public().(ed25519.PublicKey)
	sign := func(text string) []byte { return noteBy(t, "chirograph/"+id.String()+"/2", text) }
	const root = "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="
	origin := "chirograph/" + id.String() + "/2\n"
	tests := []struct {
		name string
		msg  []byte
		log  uuid.UUID
		key  ed25519.PublicKey
		ok   bool
	}{
		{"what was signed", vector, id, publicKey, true},
		{"our own signer makes the same", sign(origin + "8\n" + root + "\n"), id, publicKey, true},
		{"another key", vector, id, other, false},
		{"another log", vector, uuid.New(), publicKey, false},
		{"nothing", nil, id, publicKey, false},
		{"another epoch than was signed", bytes.Replace(vector, []byte("/2\n"), []byte("/3\n"), 1), id, publicKey, false},
		{"another size than was signed", bytes.Replace(vector, []byte("\n8\n"), []byte("\n9\n"), 1), id, publicKey, false},
		{"epoch 0", noteBy(t, "chirograph/"+id.String()+"/0", "chirograph/"+id.String()+"/0\n8\n"+root+"\n"), id, publicKey, false},
		{"a size with a leading zero", sign(origin + "08\n" + root + "\n"), id, publicKey, false},
		{"a negative size", sign(origin + "-8\n" + root + "\n"), id, publicKey, false},
		{"a root of 31 bytes", sign(origin + "8\n" + "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQw==\n"), id, publicKey, false},
		{"an extension line", sign(origin + "8\n" + root + "\nmore\n"), id, publicKey, false},
		{"no root", sign(origin + "8\n"), id, publicKey, false},
		{"endless", append(bytes.Clone(vector), make([]byte, 1<<20)...), id, publicKey, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if c, err := ledger.ParseCheckpoint(tt.msg, tt.log, tt.key); (err == nil) != tt.ok {
				t.Errorf("got %+v, %v", c, err)
			}
		})
	}
}

// noteBy signs any text as a note of the test key under a name.
func noteBy(t testing.TB, name, text string) []byte {
	t.Helper()
	vkey, err := note.NewEd25519VerifierKey(name, publicKey)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(vkey, "+")
	secret := base64.StdEncoding.EncodeToString(append([]byte{1}, signingKey.Seed()...))
	s, err := note.NewSigner("PRIVATE+KEY+" + parts[0] + "+" + parts[1] + "+" + secret)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func FuzzParseCheckpoint(f *testing.F) {
	id := uuid.MustParse("a3bb189e-8bf9-4888-9912-ace4e6543002")
	vector, err := os.ReadFile(vectorFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(vector)
	f.Add([]byte("chirograph/" + id.String() + "/1\n0\n\n\n"))
	signed, _, _ := bytes.Cut(vector, []byte("\n\n"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		c, err := ledger.ParseCheckpoint(msg, id, publicKey)
		if err == nil && !bytes.HasPrefix(msg, append(signed, '\n')) {
			t.Errorf("accepted %+v, which nobody signed", c)
		}
	})
}

func TestProof(t *testing.T) {
	log := grown(t, 300)
	c := signedNow(t, keeping(t, log, t.TempDir()))
	records := records(t, log)
	for _, leaf := range []int64{0, 1, 127, 128, 255, 256, 299} {
		proof, err := ledger.Prove(t.Context(), log, c, leaf)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ledger.CheckProof(proof, log.ID(), publicKey, records[leaf])
		if err != nil || got.Size != 300 || got.Root != c.Root {
			t.Errorf("leaf %d: got %+v, %v", leaf, got, err)
		}
		if _, err := ledger.CheckProof(proof, log.ID(), publicKey, records[(leaf+1)%300]); err == nil {
			t.Errorf("the proof of leaf %d proves its neighbour", leaf)
		}
		for i := range proof {
			flipped := bytes.Clone(proof)
			flipped[i] ^= 1
			if got, err := ledger.CheckProof(flipped, log.ID(), publicKey, records[leaf]); err == nil && got.Root != c.Root {
				t.Errorf("leaf %d: byte %d changed, still proved under %v", leaf, i, got.Root)
			}
		}
	}
}

func records(t testing.TB, log *memory.Log) (all [][]byte) {
	t.Helper()
	for e, err := range log.ReadAll(t.Context(), 0, eventstore.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, ledger.Record(log.ID(), e))
	}
	return all
}

func TestProofForm(t *testing.T) {
	log := grown(t, 5)
	c := signedNow(t, keeping(t, log, t.TempDir()))
	proof, err := ledger.Prove(t.Context(), log, c, 4)
	if err != nil {
		t.Fatal(err)
	}
	record := records(t, log)[4]
	lines := strings.SplitAfter(string(proof), "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1\n" || lines[1] != "index 4\n" || lines[3] != "\n" || strings.Join(lines[4:], "") != string(c.Note) {
		t.Errorf("proof is\n%s", proof)
	}
	tests := []struct {
		name, proof string
		ok          bool
	}{
		{"as made", string(proof), true},
		{"with extra data", strings.Replace(string(proof), "index", "extra aGVsbG8=\nindex", 1), true},
		{"another header", strings.Replace(string(proof), "@v1", "@v2", 1), false},
		{"no index", strings.Replace(string(proof), "index 4\n", "", 1), false},
		{"an index with a sign", strings.Replace(string(proof), "index 4", "index +4", 1), false},
		{"another index", strings.Replace(string(proof), "index 4", "index 3", 1), false},
		{"an index beyond the tree", strings.Replace(string(proof), "index 4", "index 9", 1), false},
		{"a hash too few", lines[0] + lines[1] + "\n" + string(c.Note), false},
		{"a hash too many", lines[0] + lines[1] + lines[2] + lines[2] + "\n" + string(c.Note), false},
		{"a hash that is none", lines[0] + lines[1] + "aGVsbG8=\n\n" + string(c.Note), false},
		{"no checkpoint", lines[0] + lines[1] + lines[2] + "\n", false},
		{"nothing", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ledger.CheckProof([]byte(tt.proof), log.ID(), publicKey, record); (err == nil) != tt.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func FuzzCheckProof(f *testing.F) {
	log := grown(f, 20)
	folder := f.TempDir()
	c := signedNow(f, keeping(f, log, folder))
	if _, err := os.Stat(filepath.Join(folder, "checkpoint-1")); err != nil {
		f.Fatal(err)
	}
	proof, err := ledger.Prove(f.Context(), log, c, 11)
	if err != nil {
		f.Fatal(err)
	}
	record := records(f, log)[11]
	f.Add(proof)
	f.Add([]byte("c2sp.org/tlog-proof@v1\nindex 0\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if got, err := ledger.CheckProof(text, log.ID(), publicKey, record); err == nil && got.Root != c.Root {
			t.Errorf("proved under a root that nobody signed: %v", got.Root)
		}
	})
}
