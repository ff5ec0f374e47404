package mtls

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
)

// A Reloader serves the certificate in two PEM files and follows their
// changes. While a change is broken or half done it keeps the last good one.
type Reloader struct {
	certFile, keyFile string
	log               *slog.Logger
	current           atomic.Pointer[tls.Certificate]
}

// settle is how long the files must be quiet: certificate and key are two
// files, and nobody replaces both at once.
const settle = 200 * time.Millisecond

// NewReloader reads the files. It fails if they are not a certificate and its
// key.
func NewReloader(certFile, keyFile string, log *slog.Logger) (*Reloader, error) {
	r := &Reloader{certFile: certFile, keyFile: keyFile, log: log}
	if err := r.Reload(); err != nil {
		return nil, err
	}
	return r, nil
}

// Certificate is for [ServerConfig].
func (r *Reloader) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return r.current.Load(), nil
}

// Reload reads the files again. On failure the last good certificate stays.
func (r *Reloader) Reload() error {
	cert, err := tls.LoadX509KeyPair(r.certFile, r.keyFile)
	if err != nil {
		return fmt.Errorf("load TLS certificate %s: %w", r.certFile, err)
	}
	if _, ok := cert.Leaf.PublicKey.(*rsa.PublicKey); !ok { // [ServerConfig] offers TLS 1.2 with ECDHE and RSA only
		return fmt.Errorf("load TLS certificate %s: its key must be RSA, or no client could come by TLS 1.2", r.certFile)
	}
	if old := r.current.Swap(&cert); old != nil && string(old.Certificate[0]) == string(cert.Certificate[0]) {
		return nil
	}
	sum := sha256.Sum256(cert.Certificate[0])
	r.log.Info("TLS certificate loaded", "file", r.certFile, "sha256", hex.EncodeToString(sum[:]), "not_after", cert.Leaf.NotAfter)
	return nil
}

// Follow reloads after changes until ctx ends. It watches the directories, not
// the files: orchestrators replace files by renaming links.
func (r *Reloader) Follow(ctx context.Context) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch TLS certificate: %w", err)
	}
	defer watcher.Close()
	for _, file := range []string{r.certFile, r.keyFile} {
		if err := watcher.Add(filepath.Dir(file)); err != nil {
			return fmt.Errorf("watch TLS certificate %s: %w", file, err)
		}
	}
	if err := r.Reload(); err != nil { // what changed before the watch began
		r.keep(err)
	}
	r.follow(ctx, watcher.Events, watcher.Errors)
	return nil
}

func (r *Reloader) follow(ctx context.Context, events <-chan fsnotify.Event, failures <-chan error) {
	quiet := time.NewTimer(settle)
	quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-events:
			quiet.Reset(settle)
		case err := <-failures: // events may have been lost
			r.log.Warn("watching the TLS certificate", "err", err)
			quiet.Reset(settle)
		case <-quiet.C:
			if err := r.Reload(); err != nil {
				r.keep(err)
			}
		}
	}
}

func (r *Reloader) keep(err error) {
	r.log.Error("TLS certificate not replaced, the last good one stays", "err", err)
}
