//go:build e2e

// Package e2e drives the running program with clients that nobody here wrote:
// openid-client and oauth4webapi from npm, and Debian's Chromium through
// playwright-core. Before it runs, "npm ci" in this folder installs them. Where
// a client is called, an endpoint in Python answers.
//
// With E2E_SCREENSHOTS set to a folder, the browser leaves pictures of every
// page there. E2E_CHROMIUM names another browser than /usr/bin/chromium.
package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// program is the built binary; scripts run against bank.
var (
	program string
	bank    *server
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "chirograph-e2e-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "chirograph")
	build := exec.Command("go", "build", "-o", program, "../cmd/chirograph")
	if out, err := build.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("go build: %w\n%s", err, out)
	}
	if bank, err = startBank(dir); err != nil {
		return 0, err
	}
	code := m.Run()
	return code, bank.stop()
}
