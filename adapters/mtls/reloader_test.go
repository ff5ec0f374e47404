package mtls

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// lines is a log that a test can wait on.
type lines chan string

func (l lines) Write(p []byte) (int, error) { l <- string(p); return len(p), nil }

func (l lines) await(t *testing.T, part string) {
	t.Helper()
	for {
		select {
		case line := <-l:
			if strings.Contains(line, part) {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("no line with %q", part)
		}
	}
}

func serverCertificate() tls.Certificate { return must(must(NewAuthority(noon)).IssueServer(noon)) }

func write(t *testing.T, dir string, cert tls.Certificate) {
	t.Helper()
	certPEM, keyPEM, err := Encode(cert)
	if err := errors.Join(err, os.WriteFile(filepath.Join(dir, "tls.crt"), certPEM, 0o600), os.WriteFile(filepath.Join(dir, "tls.key"), keyPEM, 0o600)); err != nil {
		t.Fatal(err)
	}
}

func serves(t *testing.T, r *Reloader, want tls.Certificate) {
	t.Helper()
	got, err := r.Certificate(nil)
	if err != nil || !got.Leaf.Equal(want.Leaf) {
		t.Errorf("serves %v, %v", got.Leaf.Subject, err)
	}
}

func TestReloaderFollowsTheFiles(t *testing.T) {
	dir, log := t.TempDir(), make(lines, 100)
	first, second := serverCertificate(), serverCertificate()
	write(t, dir, first)
	r, err := NewReloader(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	log.await(t, "sha256=")
	serves(t, r, first)
	if err := r.Reload(); err != nil || len(log) != 0 {
		t.Errorf("nothing changed: got %v and %d lines", err, len(log))
	}

	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- r.Follow(ctx) }()
	// The directory may not be watched yet, but what changed before is read then.
	write(t, dir, second)
	log.await(t, "sha256=")
	serves(t, r, second)
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestReloaderKeepsTheLastGoodOne(t *testing.T) {
	dir := t.TempDir()
	first, second := serverCertificate(), serverCertificate()
	write(t, dir, first)
	log := make(lines, 100)
	r, err := NewReloader(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	certPEM, _, err := Encode(second)
	if err != nil {
		t.Fatal(err)
	}

	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		events, failures := make(chan fsnotify.Event), make(chan error)
		go r.follow(ctx, events, failures)
		defer stop()

		if err := os.WriteFile(r.certFile, certPEM, 0o600); err != nil { // the key is still the old one
			t.Fatal(err)
		}
		events <- fsnotify.Event{}
		time.Sleep(settle - time.Millisecond)
		synctest.Wait()
		events <- fsnotify.Event{} // not quiet yet
		time.Sleep(settle - time.Millisecond)
		synctest.Wait()
		if len(log) > 1 {
			t.Error("reads before the files are quiet")
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		serves(t, r, first)
		if len(log) != 2 {
			t.Error("is silent about a half-done change")
		}

		write(t, dir, second)
		failures <- errors.New("queue overflow") // stands for a lost event
		time.Sleep(settle)
		synctest.Wait()
		serves(t, r, second)
	})
}

func TestNewReloaderNeedsFiles(t *testing.T) {
	if r, err := NewReloader("none.crt", "none.key", slog.New(slog.DiscardHandler)); r != nil || err == nil {
		t.Errorf("got %v, %v", r, err)
	}
}

func TestReloaderRefusesAKeyThatTLS12HasNoSuiteFor(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, must(SelfSigned(noon, Names{}))) // ECDSA
	_, err := NewReloader(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "RSA") {
		t.Errorf("got %v", err)
	}
}
