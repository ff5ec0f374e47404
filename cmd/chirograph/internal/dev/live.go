package dev

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// liveFile tells other commands where the server of a folder is while it runs.
const liveFile = "dev.json"

// Live is where a running server's addresses are.
type Live struct {
	Origin string `json:"origin"` // of the issuers and the accounts API
	MTLS   string `json:"mtls_origin"`
	Notify string `json:"notify_origin"` // of the third parties' notification endpoints
}

func (s *stage) announce() error {
	text, err := json.Marshal(Live{s.origin(), s.config.MTLS.Origin, s.notify()})
	if err != nil {
		return err
	}
	return os.WriteFile(s.path(liveFile), append(text, '\n'), 0o600)
}

func (s *stage) withdraw() { os.Remove(s.path(liveFile)) }

// ErrNotRunning means that no dev server runs on a folder.
var ErrNotRunning = errors.New("no dev server is running")

// FindLive returns where the server of a folder is. One that was killed may
// have left its file behind.
func FindLive(dir string) (Live, error) {
	var l Live
	text, err := os.ReadFile(filepath.Join(dir, liveFile))
	if errors.Is(err, os.ErrNotExist) {
		return l, fmt.Errorf("%w on %s: start one with chirograph dev, or name its folder (--data)", ErrNotRunning, dir)
	}
	if err == nil {
		err = json.Unmarshal(text, &l)
	}
	return l, err
}
