package ledger_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/eventstore/memory"

	"golang.org/x/mod/sumdb/tlog"
)

// audited is a log of 700 events with checkpoints at 100, 400 and 700.
func audited(t *testing.T) *story {
	t.Helper()
	s := &story{t, &doctored{Log: memory.New(time.Now)}, t.TempDir(), t.TempDir()}
	s.sign(100)
	s.sign(300)
	s.sign(300)
	return s
}

func (s *story) audit() (ledger.Report, error) {
	return ledger.Verify(s.Context(), ledger.Audit{Log: s.log, Key: publicKey, Folders: []string{s.near, s.far}})
}

func TestVerifyOfAnUnalteredLog(t *testing.T) {
	s := audited(t)
	grow(t, s.log.Log, 20)
	r, err := s.audit()
	if err != nil {
		t.Fatal(err)
	}
	root, err := ledger.Root(t.Context(), s.log, 720)
	if err != nil {
		t.Fatal(err)
	}
	if r != (ledger.Report{Events: 720, Streams: 1, Root: root, Epoch: 1, Checkpoints: 5, Covered: 700}) {
		t.Errorf("got %+v", r)
	}
}

func TestVerifyNamesTheFirstAlteredPosition(t *testing.T) {
	at := func(leaf int64, change func(*ledger.Leaf)) func(*ledger.Leaf) bool {
		return func(l *ledger.Leaf) bool {
			if l.Leaf == leaf {
				change(l)
			}
			return true
		}
	}
	rehash := func(s *story, l *ledger.Leaf) { l.Hash = ledger.LeafHash(ledger.Record(s.log.ID(), l.Event)) }
	tests := []struct {
		name  string
		alter func(*story)
		at    eventstore.Position
	}{
		{"one byte of the data", func(s *story) { s.log.leaf = at(41, func(l *ledger.Leaf) { l.Data = []byte("x") }) }, 42},
		{"the metadata", func(s *story) { s.log.leaf = at(41, func(l *ledger.Leaf) { l.Meta = []byte("x") }) }, 42},
		{"the type", func(s *story) { s.log.leaf = at(0, func(l *ledger.Leaf) { l.Type = "x" }) }, 1},
		{"the stream", func(s *story) { s.log.leaf = at(699, func(l *ledger.Leaf) { l.Stream = "x-1" }) }, 700},
		{"the recorded time", func(s *story) {
			s.log.leaf = at(41, func(l *ledger.Leaf) { l.Recorded = l.Recorded.Add(time.Nanosecond) })
		}, 42},
		{"the leaf hash", func(s *story) { s.log.leaf = at(41, func(l *ledger.Leaf) { l.Hash[3] ^= 1 }) }, 42},
		{"two of them: the first counts", func(s *story) {
			s.log.leaf = func(l *ledger.Leaf) bool { l.Data = append(l.Data, l.Data[:l.Leaf/50%2]...); return true }
		}, 51},
		{"an event is gone", func(s *story) { s.log.leaf = func(l *ledger.Leaf) bool { return l.Leaf != 41 } }, 42},
		{"the last event is gone", func(s *story) { s.log.leaf = func(l *ledger.Leaf) bool { return l.Leaf != 699 } }, 700},
		{"the last event is gone, which no checkpoint covers", func(s *story) {
			grow(s, s.log.Log, 20)
			s.log.leaf = func(l *ledger.Leaf) bool { return l.Leaf != 719 }
		}, 720},
		{"the end of the log is gone", func(s *story) { s.log.size = 650 }, 651},
		{"an event and its leaf hash", func(s *story) {
			s.log.leaf = at(41, func(l *ledger.Leaf) { l.Data = []byte("x"); rehash(s, l) })
		}, 1}, // all that the first checkpoint covers is in doubt
		{"an event and its leaf hash after a checkpoint", func(s *story) {
			s.log.leaf = at(401, func(l *ledger.Leaf) { l.Data = []byte("x"); rehash(s, l) })
		}, 512}, // the stored node of 256 leaves shows it
		{"a stored node", func(s *story) { s.log.node = map[int64]tlog.Hash{tlog.StoredHashIndex(8, 1): {}} }, 512},
		{"the right edge", func(s *story) { s.log.node = map[int64]tlog.Hash{tlog.StoredHashIndex(2, 174): {}} }, 700},
		{"a checkpoint in the database", func(s *story) {
			s.log.notes = func(all [][]byte) [][]byte {
				all[1] = bytes.Replace(all[1], []byte("\n400\n"), []byte("\n399\n"), 1)
				return all
			}
		}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := audited(t)
			tt.alter(s)
			_, err := s.audit()
			if a := (*ledger.AlteredError)(nil); !errors.As(err, &a) || a.Position != tt.at || a.What == "" {
				t.Errorf("got %v, want position %d", err, tt.at)
			}
		})
	}
}

// forged yields leaves whose hashes all fit, as somebody could make them who
// can write the whole database but not sign.
func forged(s *story, change func(*ledger.Leaf)) {
	s.log.leaf = func(l *ledger.Leaf) bool {
		change(l)
		l.Hash = ledger.LeafHash(ledger.Record(s.log.ID(), l.Event))
		return true
	}
}

func TestVerifyDemandsOrder(t *testing.T) {
	tests := []struct {
		name   string
		change func(*ledger.Leaf)
	}{
		{"a revision is left out", func(l *ledger.Leaf) {
			if l.Leaf >= 50 {
				l.Revision++
			}
		}},
		{"a revision comes twice", func(l *ledger.Leaf) {
			if l.Leaf >= 50 {
				l.Revision--
			}
		}},
		{"a stream does not begin at 0", func(l *ledger.Leaf) {
			if l.Leaf == 50 {
				l.Stream = "test-2"
			}
		}},
		{"recorded time goes back", func(l *ledger.Leaf) {
			if l.Leaf == 50 {
				l.Recorded = l.Recorded.Add(-time.Hour)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := audited(t)
			forged(s, tt.change)
			_, err := s.audit()
			if a := (*ledger.AlteredError)(nil); !errors.As(err, &a) || a.Position != 51 {
				t.Errorf("got %v, want position 51", err)
			}
		})
	}
}

func TestVerifyCannotTell(t *testing.T) {
	tests := []struct {
		name  string
		audit func(*story) ledger.Audit
	}{
		{"without a key", func(s *story) ledger.Audit { return ledger.Audit{Log: s.log, Folders: []string{s.near}} }},
		{"with another key", func(s *story) ledger.Audit {
			return ledger.Audit{Log: s.log, Key: otherKey.Public().(ed25519.PublicKey), Folders: []string{s.near}}
		}},
		{"without any checkpoint", func(s *story) ledger.Audit {
			s.log.notes = func([][]byte) [][]byte { return nil }
			return ledger.Audit{Log: s.log, Key: publicKey}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ledger.Verify(t.Context(), tt.audit(audited(t)))
			if u := (*ledger.UnverifiableError)(nil); !errors.As(err, &u) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestVerifyAfterAnAcceptedLoss(t *testing.T) {
	s := audited(t)
	s.fork(150)
	if _, err := s.audit(); err == nil {
		t.Error("another history passes")
	}
	s.acceptLoss()
	r, err := s.audit()
	if err != nil || r.Epoch != 2 || r.Covered != 151 || r.Checkpoints != 3 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestVerifyOfALogThatWasKeptDespiteItsCheckpoints(t *testing.T) {
	s := audited(t)
	old := s.log.Log
	s.fork(150)
	for note := range old.Checkpoints(t.Context()) {
		c, err := ledger.ParseCheckpoint(note, old.ID(), publicKey)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.log.KeepCheckpoint(t.Context(), c.Epoch, c.Size, note); err != nil {
			t.Fatal(err)
		}
	}
	s.acceptLoss()
	if r, err := s.audit(); err != nil || r.Superseded != 3 || r.Checkpoints != 3 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestVerifyTellsItsProgress(t *testing.T) {
	s := &story{t, &doctored{Log: memory.New(time.Now)}, t.TempDir(), t.TempDir()}
	s.sign(2500)
	var told []int64
	a := ledger.Audit{Log: s.log, Key: publicKey, Folders: []string{s.near}, Progress: func(done, of int64) error {
		if told = append(told, done); of != 2500 {
			t.Errorf("of %d", of)
		}
		return nil
	}}
	if _, err := ledger.Verify(t.Context(), a); err != nil || fmt.Sprint(told) != "[1024 2048]" {
		t.Errorf("told %v, %v", told, err)
	}
	a.Progress = func(int64, int64) error { return context.Canceled }
	if _, err := ledger.Verify(t.Context(), a); !errors.Is(err, context.Canceled) {
		t.Errorf("went on: %v", err)
	}
}

func TestErasures(t *testing.T) {
	near, far := t.TempDir(), filepath.Join(t.TempDir(), "far")
	folders := []string{near, far}
	if got, err := ledger.Erasures(folders); len(got) != 0 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	first := ledger.Erasure{Subject: "0198-alice", Position: 7, At: time.Date(2026, 3, 20, 12, 0, 0, 5, time.UTC)}
	second := ledger.Erasure{Subject: "a b\n\"c\"", Position: 9, At: first.At.Add(time.Hour)}
	if err := ledger.RecordErasure(folders, first); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(near, "erasures")
	torn, err := os.OpenFile(list, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	torn.WriteString(`{"sub":"0198-be`) // the machine stopped here
	torn.Close()
	want := []ledger.Erasure{first}
	for range 2 {
		got, err := ledger.Erasures(folders)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
		if err := ledger.RecordErasure(folders, second); err != nil {
			t.Fatal(err)
		}
		want = []ledger.Erasure{first, second}
	}
	if err := os.Remove(list); err != nil {
		t.Fatal(err)
	}
	if got, err := ledger.Erasures(folders); err != nil || len(got) != 2 {
		t.Errorf("the second folder alone: %v, %v", got, err)
	}
	if err := os.WriteFile(list, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Erasures(folders); err == nil {
		t.Error("nonsense was taken for a list")
	}
}
