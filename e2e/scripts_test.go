//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestForeignClients(t *testing.T) { runScripts(t, "clients/*.test.mjs") }

func TestBrowser(t *testing.T) { runScripts(t, "browser/*.test.mjs") }

// runScripts runs each Node script that matches as a test of its own, which
// fails with what the script wrote.
func runScripts(t *testing.T, pattern string) {
	scripts, err := filepath.Glob(pattern)
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no script is %s: %v", pattern, err)
	}
	for _, script := range scripts {
		t.Run(filepath.Base(script), func(t *testing.T) {
			node := exec.CommandContext(t.Context(), "node", "--test", "--test-reporter=spec", script)
			node.Env = append(os.Environ(), bank.environment()...)
			out, err := node.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Logf("%s", out)
		})
	}
}
