package ledger_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chirograph/chirograph/eventstore/ledger"
	"github.com/chirograph/chirograph/eventstore/memory"

	"golang.org/x/mod/sumdb/tlog"
)

func read(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestSign(t *testing.T) {
	log, near, far := memory.New(time.Now), filepath.Join(t.TempDir(), "checkpoints"), filepath.Join(t.TempDir(), "far")
	k := keeping(t, log, near, far)
	if c := signedNow(t, k); c.Size != 0 {
		t.Errorf("an empty log was signed: %+v", c)
	}
	grow(t, log, 5)
	first := signedNow(t, k)
	if first.Size != 5 || first.Epoch != 1 || !bytes.Equal(signedNow(t, k).Note, first.Note) {
		t.Errorf("got %+v, and another when nothing had changed", first)
	}
	grow(t, log, 3)
	second := signedNow(t, k)
	for _, folder := range []string{near, far} {
		if !bytes.Equal(read(t, filepath.Join(folder, "checkpoint-1")), second.Note) {
			t.Errorf("%s does not have the newest checkpoint", folder)
		}
		if left, _ := filepath.Glob(filepath.Join(folder, ".new-*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	var kept [][]byte
	for note := range log.Checkpoints(t.Context()) {
		kept = append(kept, note)
	}
	if len(kept) != 2 || !bytes.Equal(kept[0], first.Note) || !bytes.Equal(kept[1], second.Note) {
		t.Errorf("the database has %d checkpoints", len(kept))
	}
	if got := k.Newest(); got.Size != 8 {
		t.Errorf("newest is %+v", got)
	}
}

func TestNothingIsServedBeforeItIsOnDisk(t *testing.T) {
	log, folder := grown(t, 3), t.TempDir()
	k := keeping(t, log, folder)
	before := signedNow(t, k)
	grow(t, log, 3)
	if err := errors.Join(os.RemoveAll(folder), os.WriteFile(folder, nil, 0o600)); err != nil { // no folder can be made here
		t.Fatal(err)
	}
	if c, err := k.Sign(t.Context()); err == nil {
		t.Errorf("signed %+v without a place to keep it", c)
	}
	if k.Newest().Size != before.Size {
		t.Error("a checkpoint is served that is not on disk")
	}
	kept := 0
	for range log.Checkpoints(t.Context()) {
		kept++
	}
	if kept != 1 {
		t.Errorf("the database has %d checkpoints, want 1", kept)
	}
}

func TestAnotherHistoryIsNotSigned(t *testing.T) {
	log := &doctored{Log: grown(t, 4)}
	k := keeping(t, log, t.TempDir())
	signedNow(t, k)
	grow(t, log.Log, 4)
	tests := []struct {
		name   string
		break_ func()
	}{
		{"a node under the last checkpoint changed", func() {
			log.node = map[int64]tlog.Hash{tlog.StoredHashIndex(2, 0): {1}, tlog.StoredHashIndex(3, 0): {2}}
		}},
		{"the log is shorter than the last checkpoint", func() { log.size = 3 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.break_()
			c, err := k.Sign(t.Context())
			if altered := (*ledger.AlteredError)(nil); !errors.As(err, &altered) {
				t.Errorf("got %+v, %v", c, err)
			}
			err = k.Run(t.Context(), time.Nanosecond, func(error) {})
			if altered := (*ledger.AlteredError)(nil); !errors.As(err, &altered) {
				t.Errorf("Run went on: %v", err)
			}
			*log = doctored{Log: log.Log}
		})
	}
}

func TestRun(t *testing.T) {
	log, folder := memory.New(time.Now), t.TempDir()
	k := keeping(t, log, folder)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- k.Run(ctx, 10*time.Second, func(err error) { t.Error(err) }) }()
		grow(t, log, 5)
		time.Sleep(10*time.Second + 1)
		synctest.Wait()
		if c := k.Newest(); c.Size != 5 {
			t.Errorf("after an interval the newest is %+v", c)
		}
		grow(t, log, 2)
		cancel()
		if err := <-done; err != nil || k.Newest().Size != 7 {
			t.Errorf("at the end the newest is %+v, %v", k.Newest(), err)
		}
	})
}

func TestRunTellsOfFailuresAndGoesOn(t *testing.T) {
	log, folder := memory.New(time.Now), filepath.Join(t.TempDir(), "checkpoints")
	k := keeping(t, log, folder)
	grow(t, log, 1)
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	failures := 0
	err := k.Run(ctx, time.Millisecond, func(error) {
		if failures++; failures == 2 {
			os.Remove(folder)
			cancel()
		}
	})
	if err != nil || k.Newest().Size != 1 {
		t.Errorf("%d failures, newest %+v, %v", failures, k.Newest(), err)
	}
}

func TestOpenNeeds(t *testing.T) {
	rsa, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	log := grown(t, 1)
	for name, c := range map[string]ledger.Config{
		"a folder":       {Log: log, Key: signingKey},
		"an Ed25519 key": {Log: log, Key: rsa, Folders: []string{t.TempDir()}},
	} {
		if _, err := ledger.Open(t.Context(), c); err == nil {
			t.Errorf("opened without %s", name)
		}
	}
}

// A story brings a log and its folders to where they are judged.
type story struct {
	*testing.T
	log       *doctored
	near, far string
}

func (s *story) sign(n int) {
	s.Helper()
	grow(s, s.log.Log, n)
	signedNow(s, keeping(s, s.log, s.near, s.far))
}

func (s *story) acceptLoss() ledger.Loss {
	s.Helper()
	loss, err := ledger.AcceptLoss(s.Context(), s.config(), func(context.Context, ledger.Loss) error { grow(s, s.log.Log, 1); return nil })
	if err != nil {
		s.Fatal(err)
	}
	return loss
}

func (s *story) config() ledger.Config {
	return ledger.Config{Log: s.log, Key: signingKey, Folders: []string{s.near, s.far}}
}

// fork replaces the log by another with the same id and its checkpoints, up
// to a number of events that are different ones.
func (s *story) fork(n int) {
	s.Helper()
	fork := s.log.Log.Fork()
	grow(s, fork, n)
	s.log = &doctored{Log: fork}
}

func TestRollbackRule(t *testing.T) {
	tests := []struct {
		name   string
		given  func(*story)
		refuse bool
	}{
		{"a new log", func(*story) {}, false},
		{"a log that grew since", func(s *story) { s.sign(5); grow(s, s.log.Log, 2) }, false},
		{"an older copy beside newer checkpoints", func(s *story) {
			s.sign(3)
			s.sign(5)
			s.log.size, s.log.notes = 4, func(all [][]byte) [][]byte { return all[:1] }
		}, true},
		{"an older copy that knows no checkpoint", func(s *story) {
			s.sign(3)
			s.log.size, s.log.notes = 2, func([][]byte) [][]byte { return nil }
		}, true},
		{"if only the second folder has the newer checkpoint", func(s *story) {
			s.sign(3)
			old := read(s, filepath.Join(s.near, "checkpoint-1"))
			s.sign(5)
			os.WriteFile(filepath.Join(s.near, "checkpoint-1"), old, 0o600)
			s.log.size, s.log.notes = 4, func(all [][]byte) [][]byte { return all[:1] }
		}, true},
		{"if only the database has the newer checkpoint", func(s *story) {
			s.sign(5)
			os.RemoveAll(s.near)
			os.RemoveAll(s.far)
			s.log.size = 4
		}, true},
		{"another history of the same length", func(s *story) { s.sign(3); s.fork(3) }, true},
		{"a longer other history", func(s *story) { s.sign(3); s.fork(8) }, true},
		{"a longer other history with a newer checkpoint of its own", func(s *story) {
			s.sign(3)
			near, far := s.near, s.far
			s.near, s.far = s.TempDir(), s.TempDir()
			s.fork(8)
			s.sign(1)
			s.near, s.far = near, far
		}, true},
		{"an empty log in place of a full one", func(s *story) { s.sign(3); s.fork(0) }, true},
		{"a log whose loss was accepted", func(s *story) { s.sign(5); s.fork(2); s.acceptLoss() }, false},
		{"and that was served since", func(s *story) { s.sign(5); s.fork(2); s.acceptLoss(); s.sign(9) }, false},
		{"the copy from before the loss, beside the new epoch", func(s *story) {
			s.sign(5)
			before := s.log
			s.fork(2)
			s.acceptLoss()
			s.log = before
		}, true},
		{"an older copy of the new epoch", func(s *story) {
			s.sign(5)
			s.fork(2)
			s.acceptLoss()
			s.sign(5)
			s.log.size, s.log.notes = 4, func(all [][]byte) [][]byte { return all[:1] }
		}, true},
		{"a loss that was recorded but not signed", func(s *story) {
			s.sign(5)
			s.fork(2)
			ledger.AcceptLoss(s.Context(), s.config(), func(context.Context, ledger.Loss) error {
				grow(s, s.log.Log, 1)
				return errors.New("the machine stopped")
			})
		}, true},
		{"a new epoch that only one folder knows, not the database", func(s *story) {
			s.sign(5)
			s.fork(2)
			s.acceptLoss()
			s.log.notes = func([][]byte) [][]byte { return nil }
		}, true},
		{"even if nothing else contradicts it", func(s *story) {
			s.sign(5)
			s.fork(2)
			s.acceptLoss()
			s.log.notes = func([][]byte) [][]byte { return nil }
			os.Remove(filepath.Join(s.near, "checkpoint-1"))
			os.Remove(filepath.Join(s.far, "checkpoint-1"))
		}, true},
		{"a new epoch that the database knows, not the folders", func(s *story) {
			s.sign(5)
			s.fork(2)
			s.acceptLoss()
			os.Remove(filepath.Join(s.near, "checkpoint-2"))
			os.Remove(filepath.Join(s.far, "checkpoint-2"))
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &story{t, &doctored{Log: memory.New(time.Now)}, t.TempDir(), t.TempDir()}
			tt.given(s)
			_, err := ledger.Open(t.Context(), s.config())
			rollback := (*ledger.RollbackError)(nil)
			if refused := errors.As(err, &rollback); refused != tt.refuse || !refused && err != nil {
				t.Errorf("got %v", err)
			}
			if rollback != nil && (rollback.Error() == "" || rollback.Where == "") {
				t.Errorf("says %q", rollback)
			}
		})
	}
}

func TestRollbackNamesBothSizes(t *testing.T) {
	s := &story{t, &doctored{Log: memory.New(time.Now)}, t.TempDir(), t.TempDir()}
	s.sign(7)
	s.fork(4)
	_, err := ledger.Open(t.Context(), s.config())
	if r := (*ledger.RollbackError)(nil); !errors.As(err, &r) || r.Have != 4 || r.Want != 7 {
		t.Errorf("got %v", err)
	}
}

func TestAcceptLoss(t *testing.T) {
	s := &story{t, &doctored{Log: memory.New(time.Now)}, t.TempDir(), t.TempDir()}
	s.sign(7)
	record := func(context.Context, ledger.Loss) error { t.Error("recorded a loss that is none"); return nil }
	if _, err := ledger.AcceptLoss(t.Context(), s.config(), record); !errors.Is(err, ledger.ErrNoLoss) {
		t.Errorf("got %v", err)
	}
	s.fork(4)
	nothing := func(context.Context, ledger.Loss) error { return nil }
	if _, err := ledger.AcceptLoss(t.Context(), s.config(), nothing); err == nil {
		t.Error("a loss that the log does not tell of was accepted")
	}
	loss := s.acceptLoss()
	if loss.Epoch != 2 || loss.Restored != 4 || loss.Newest.Size != 7 || loss.Newest.Epoch != 1 {
		t.Errorf("got %+v", loss)
	}
	if k := keeping(t, s.log, s.near, s.far); k.Newest().Epoch != 2 || k.Newest().Size != 5 {
		t.Errorf("the first checkpoint of the epoch is %+v", k.Newest())
	}
	s.sign(1)
	if c := keeping(t, s.log, s.near, s.far).Newest(); c.Epoch != 2 {
		t.Errorf("signed again under epoch %d", c.Epoch)
	}
	if old := read(t, filepath.Join(s.near, "checkpoint-1")); !bytes.Equal(old, loss.Newest.Note) {
		t.Error("the checkpoint that tells of the lost events is gone")
	}
	s.fork(2)
	if again := s.acceptLoss(); again.Epoch != 3 || again.Newest.Epoch != 2 {
		t.Errorf("a second loss begins %+v", again)
	}
}

func TestForeignCheckpointsCannotBeJudged(t *testing.T) {
	tests := []struct {
		name  string
		plant func(s *story)
		key   ed25519.PrivateKey
	}{
		{"of another key", func(s *story) { s.sign(3) }, otherKey},
		{"of another log", func(s *story) {
			other := &story{s.T, &doctored{Log: memory.New(time.Now)}, s.near, s.far}
			other.sign(2)
		}, signingKey},
		{"that were changed", func(s *story) {
			s.sign(3)
			os.WriteFile(filepath.Join(s.far, "checkpoint-1"), []byte("chirograph\n"), 0o600)
		}, signingKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &story{t, &doctored{Log: memory.New(time.Now)}, t.TempDir(), t.TempDir()}
			tt.plant(s)
			c := s.config()
			c.Key = tt.key
			_, err := ledger.Open(t.Context(), c)
			if u := (*ledger.UnverifiableError)(nil); !errors.As(err, &u) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOpenPutsBackWhatIsMissing(t *testing.T) {
	s := &story{t, &doctored{Log: memory.New(time.Now)}, t.TempDir(), t.TempDir()}
	s.sign(3)
	path := filepath.Join(s.far, "checkpoint-1")
	want := read(t, path)
	if err := os.RemoveAll(s.far); err != nil {
		t.Fatal(err)
	}
	keeping(t, s.log, s.near, s.far)
	if !bytes.Equal(read(t, path), want) {
		t.Error("another checkpoint was put back")
	}
}
