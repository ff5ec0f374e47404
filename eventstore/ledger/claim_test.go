package ledger_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/eventstore/memory"
)

// shared is a log that several nodes sign for. Each node sees it through a
// view of its own, which may be of another history.
type shared struct {
	ledger.Vault
	table  *memory.Table // of claims and checkpoints
	before func()        // a claim is made
}

func (s *shared) Claimed(ctx context.Context) (ledger.Claim, error) { return s.table.Claimed(ctx) }
func (s *shared) Claim(ctx context.Context, from, to ledger.Claim) error {
	if s.before != nil {
		s.before()
	}
	return s.table.Claim(ctx, from, to)
}
func (s *shared) NewestCheckpoint(ctx context.Context) ([]byte, error) {
	return s.table.NewestCheckpoint(ctx)
}
func (s *shared) KeepCheckpoint(ctx context.Context, epoch, size int64, note []byte) error {
	return s.table.KeepCheckpoint(ctx, epoch, size, note)
}

// A pen signs, and keeps what it has signed.
type pen struct {
	ed25519.PrivateKey
	before func() error
	mu     sync.Mutex
	texts  []string
}

func (p *pen) Sign(r io.Reader, msg []byte, o crypto.SignerOpts) ([]byte, error) {
	if p.before != nil {
		if err := p.before(); err != nil {
			return nil, err
		}
	}
	p.mu.Lock()
	p.texts = append(p.texts, string(msg))
	p.mu.Unlock()
	return p.PrivateKey.Sign(r, msg, o)
}

// A desk is a node with a keeper.
type desk struct {
	*ledger.Keeper
	view   *shared
	pen    *pen
	folder string
}

// sit opens a keeper over one view of a log.
func sit(t testing.TB, log ledger.Vault, table *memory.Table) *desk {
	t.Helper()
	d := &desk{view: &shared{Vault: log, table: table}, pen: &pen{PrivateKey: signingKey}, folder: t.TempDir()}
	var err error
	if d.Keeper, err = ledger.Open(t.Context(), ledger.Config{Log: d.view, Key: d.pen, Folders: []string{d.folder}}); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) file(t testing.TB) ledger.Checkpoint {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.folder, "checkpoint-1"))
	if errors.Is(err, os.ErrNotExist) {
		return ledger.Checkpoint{}
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := ledger.ParseCheckpoint(text, d.view.ID(), publicKey)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestManyNodesSignOneHistory(t *testing.T) {
	log, table := memory.New(time.Now), &memory.Table{}
	var desks []*desk
	for range 5 {
		desks = append(desks, sit(t, log, table))
	}
	var nodes sync.WaitGroup
	for i, d := range desks {
		nodes.Go(func() {
			for range 40 {
				grow(t, log, 1+i)
				if _, err := d.Sign(t.Context()); err != nil && !errors.Is(err, ledger.ErrDeposed) {
					t.Error(err)
				}
			}
		})
	}
	nodes.Wait()
	roots := map[int64]string{}
	for _, d := range desks {
		for _, text := range d.pen.texts {
			c, err := ledger.ParseCheckpoint(noteBy(t, ledger.Origin(log.ID(), 1), text), log.ID(), publicKey)
			if err != nil {
				t.Fatal(err)
			}
			if other, there := roots[c.Size]; there && other != text {
				t.Errorf("two roots at size %d", c.Size)
			}
			roots[c.Size] = text
			if root, err := ledger.Root(t.Context(), log, c.Size); err != nil || root != c.Root {
				t.Errorf("signed another root at size %d", c.Size)
			}
		}
		if c, err := d.Sign(t.Context()); err != nil || c.Size != 40*15 || d.file(t).Size != c.Size {
			t.Errorf("at the end one has %d, %v and keeps %d", c.Size, err, d.file(t).Size)
		}
	}
}

func TestADeposedNodeSignsNothing(t *testing.T) {
	log, table := grown(t, 5), &memory.Table{}
	a, b := sit(t, log, table), sit(t, log, table)
	a.view.before = func() { // a sleeps here
		a.view.before = nil
		grow(t, log, 3)
		signedNow(t, b.Keeper)
	}
	if c := signedNow(t, a.Keeper); c.Size != 8 || !bytes.Equal(c.Note, b.Newest().Note) {
		t.Errorf("it has %+v", c)
	}
	if len(a.pen.texts) > 0 || a.file(t).Size != 8 {
		t.Errorf("it signed %q and keeps %d", a.pen.texts, a.file(t).Size)
	}
}

func TestOneThatIsDeposedAgainAndAgainSaysSo(t *testing.T) {
	log, table := grown(t, 5), &memory.Table{}
	a, b := sit(t, log, table), sit(t, log, table)
	a.view.before = func() {
		grow(t, log, 1)
		signedNow(t, b.Keeper)
		grow(t, log, 1)
	}
	c, err := a.Sign(t.Context())
	if !errors.Is(err, ledger.ErrDeposed) || len(a.pen.texts) > 0 {
		t.Errorf("got %v, signed %q", err, a.pen.texts)
	}
	if c.Size != b.Newest().Size && a.Newest().Size != b.Newest().Size {
		t.Errorf("it has %d, the other %d", a.Newest().Size, b.Newest().Size)
	}
}

func TestANodeThatSleepsBeforeItSignsIsOvertaken(t *testing.T) {
	log, table := grown(t, 5), &memory.Table{}
	a, b := sit(t, log, table), sit(t, log, table)
	a.pen.before = func() error {
		a.pen.before = nil
		grow(t, log, 3)
		signedNow(t, b.Keeper)
		return nil
	}
	c := signedNow(t, a.Keeper)
	if c.Size != 5 || b.Newest().Size != 8 {
		t.Errorf("the one has %d, the other %d", c.Size, b.Newest().Size)
	}
	note, err := table.NewestCheckpoint(t.Context())
	if err != nil || !bytes.Equal(note, b.Newest().Note) {
		t.Errorf("the database lost the newer one: %v", err)
	}
	if c := signedNow(t, a.Keeper); c.Size != 8 || len(a.pen.texts) != 1 {
		t.Errorf("then it has %d and signed %d times", c.Size, len(a.pen.texts))
	}
}

func TestAClaimThatWasNeverSigned(t *testing.T) {
	crash := errors.New("crash")
	tests := []struct {
		name  string
		grows int
	}{
		{"is signed by the next", 0},
		{"is overtaken by the next", 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log, table := grown(t, 5), &memory.Table{}
			a := sit(t, log, table)
			a.pen.before = func() error { return crash }
			if _, err := a.Sign(t.Context()); !errors.Is(err, crash) {
				t.Fatalf("got %v", err)
			}
			grow(t, log, tt.grows)
			size := int64(5 + tt.grows)
			b := sit(t, log, table)
			if c := signedNow(t, b.Keeper); c.Size != size || b.file(t).Size != size {
				t.Errorf("got %+v", c)
			}
			if claim, _ := table.Claimed(t.Context()); claim.Size != size {
				t.Errorf("claimed is %d", claim.Size)
			}
		})
	}
}

// twoHistories are a log and another that begins like it does not.
func twoHistories(t testing.TB) (one, other *memory.Log) {
	one = grown(t, 5)
	other = one.Fork()
	grow(t, other, 9)
	return one, other
}

func TestAnotherHistoryIsNeverSigned(t *testing.T) {
	one, other := twoHistories(t)
	table := &memory.Table{}
	b := sit(t, other, table)
	a := sit(t, one, table)
	crash := errors.New("crash")
	a.pen.before = func() error { return crash } // so that only its claim tells of it
	if _, err := a.Sign(t.Context()); !errors.Is(err, crash) {
		t.Fatalf("got %v", err)
	}
	_, err := b.Sign(t.Context())
	if altered := (*ledger.AlteredError)(nil); !errors.As(err, &altered) || len(b.pen.texts) > 0 {
		t.Errorf("beside a claim of another history: %v, signed %d times", err, len(b.pen.texts))
	}
	a.pen.before = nil
	signedNow(t, a.Keeper)
	_, err = b.Sign(t.Context())
	if altered := (*ledger.AlteredError)(nil); !errors.As(err, &altered) || len(b.pen.texts) > 0 || b.Newest().Size > 0 {
		t.Errorf("beside a checkpoint of another history: %v, signed %d times", err, len(b.pen.texts))
	}
	if _, err := b.Adopt(t.Context()); b.file(t).Size > 0 || err == nil {
		t.Errorf("it adopted another history: %v", err)
	}
}

func TestALogShorterThanTheClaimIsNotServed(t *testing.T) {
	log, table := grown(t, 8), &memory.Table{}
	view := &doctored{Log: log}
	a := sit(t, view, table)
	a.pen.before = func() error { return errors.New("crash") }
	a.Sign(t.Context())
	view.size = 7
	_, err := a.Sign(t.Context())
	if altered := (*ledger.AlteredError)(nil); !errors.As(err, &altered) {
		t.Errorf("signed: %v", err)
	}
	_, err = ledger.Open(t.Context(), a.Config)
	if r := (*ledger.RollbackError)(nil); !errors.As(err, &r) || r.Have != 7 || r.Want != 8 {
		t.Errorf("opened: %v", err)
	}
}

func TestALossClaimsItsEpoch(t *testing.T) {
	log, table := grown(t, 7), &memory.Table{}
	a := sit(t, log, table)
	signedNow(t, a.Keeper)
	restored := log.Fork()
	grow(t, restored, 4)
	a.view.Vault, a.view.table = restored, table // both nodes see it now
	record := func(context.Context, ledger.Loss) error { grow(t, restored, 1); return nil }
	a.pen.before = func() error { return errors.New("crash") }
	if _, err := ledger.AcceptLoss(t.Context(), a.Config, record); err == nil {
		t.Fatal("it did not crash")
	}
	if _, err := ledger.Open(t.Context(), a.Config); err == nil {
		t.Error("a loss that was half accepted is served")
	}
	a.pen.before = nil
	loss, err := ledger.AcceptLoss(t.Context(), a.Config, record)
	if err != nil || loss.Epoch != 3 || loss.Newest.Epoch != 1 || loss.Newest.Size != 7 {
		t.Fatalf("accepted %+v, %v", loss, err)
	}
	if claim, _ := table.Claimed(t.Context()); claim.Epoch != 3 || claim.Size != 6 {
		t.Errorf("claimed is %+v", claim)
	}
	_, err = a.Sign(t.Context()) // it still believes in the first epoch
	if r := (*ledger.RollbackError)(nil); !errors.As(err, &r) || r.HaveEpoch != 1 || r.WantEpoch != 3 {
		t.Errorf("the old epoch goes on: %v", err)
	}
	b := sit(t, restored, table)
	grow(t, restored, 1)
	if c := signedNow(t, b.Keeper); c.Epoch != 3 || c.Size != 7 {
		t.Errorf("got %+v", c)
	}
}

func TestALossIsNotAcceptedWhileOthersGoOn(t *testing.T) {
	log, table := grown(t, 7), &memory.Table{}
	a := sit(t, log, table)
	signedNow(t, a.Keeper)
	restored := log.Fork()
	grow(t, restored, 4)
	a.view.Vault = restored
	_, err := ledger.AcceptLoss(t.Context(), a.Config, func(ctx context.Context, _ ledger.Loss) error {
		grow(t, restored, 1)
		last, err := table.Claimed(ctx)
		return errors.Join(err, table.Claim(ctx, last, ledger.Claim{Epoch: 1, Size: 9}))
	})
	if !errors.Is(err, ledger.ErrDeposed) || len(a.pen.texts) != 1 {
		t.Errorf("got %v, signed %d times", err, len(a.pen.texts))
	}
}
