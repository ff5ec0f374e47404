//go:build e2e

package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The README's shell blocks run as they stand and in order, where a newcomer
// types them, against the server that the first of them starts.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := shellBlocks(string(readme))
	if len(blocks) == 0 {
		t.Fatal("README.md has no shell block")
	}
	forget(t, "../.chirograph")
	env := append(os.Environ(), "PATH="+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"))
	for _, block := range blocks {
		script := []string{"set -euo pipefail"}
		for _, command := range block {
			switch {
			case serves(command):
				shows(t, string(readme), serve(t, command, env))
			case known(command):
				script = append(script, command)
			default:
				t.Errorf("README.md has a command that this test does not know: %s", command)
			}
		}
		shell := exec.CommandContext(t.Context(), "bash", "-c", strings.Join(script, "\n"))
		shell.Dir, shell.Env = "..", env
		if out, err := shell.CombinedOutput(); err != nil {
			t.Fatalf("%s\n%v\n%s", strings.Join(block, "\n"), err, out)
		}
	}
}

var (
	fence      = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	continued  = regexp.MustCompile(`\\\n\s*`)
	ourProgram = []string{"go run ./cmd/chirograph ", "chirograph "}
	assignment = regexp.MustCompile(`^[a-z_]+=\$\((.*)\)$`)
)

// shellBlocks returns the commands of each block that is marked as sh, without
// comments.
func shellBlocks(markdown string) [][]string {
	var blocks [][]string
	for _, found := range fence.FindAllStringSubmatch(markdown, -1) {
		lines := strings.Split(continued.ReplaceAllString(found[1], " "), "\n")
		for i, line := range lines {
			line, _, _ = strings.Cut(line, " # ")
			lines[i] = strings.TrimSpace(line)
		}
		blocks = append(blocks, slices.DeleteFunc(lines, func(l string) bool { return l == "" || l[0] == '#' }))
	}
	return blocks
}

// known reports whether a command is this program or its tests, so that a
// README cannot come to need anything else unnoticed.
func known(command string) bool {
	if inner := assignment.FindStringSubmatch(command); inner != nil {
		command = inner[1]
	}
	return arguments(command) != "" || command == "go test ./..."
}

// arguments returns what a command tells this program, "" if it is another.
func arguments(command string) string {
	for _, prefix := range ourProgram {
		if rest, ok := strings.CutPrefix(command, prefix); ok {
			return rest
		}
	}
	return ""
}

// serves reports whether a command runs until it is stopped.
func serves(command string) bool {
	args := arguments(command)
	return args == "serve" || strings.HasPrefix(args, "serve ") || args == "dev" || strings.HasPrefix(args, "dev --")
}

// forget removes a folder at the end of the test if it is not there yet.
func forget(t *testing.T, folder string) {
	if _, err := os.Stat(folder); errors.Is(err, os.ErrNotExist) {
		t.Cleanup(func() { os.RemoveAll(folder) })
	}
}

// serve starts a command and returns once it serves. It is stopped when the
// test ends and must then end by itself, with whatever code: "go run" knows
// but one after an interrupt.
func serve(t *testing.T, command string, env []string) (output string) {
	t.Helper()
	p, err := start(exec.Command("bash", "-c", "exec "+command), "..", env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		err := p.stop()
		if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
			t.Errorf("%s: %v", command, err)
		}
	})
	if err := p.waitFor("Serving", 5*time.Minute); err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return p.output()
}

var (
	shown  = regexp.MustCompile("(?ms)^```\n(  DEV MODE.*?)^```$")
	varies = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|[0-9:.]{5,}|[0-9]+ \w+ 20[0-9]{2}|root \S+|[0-9]+ checkpoints`)
)

// shows fails if the story that the README shows is not what a start prints,
// but for ids, times and the root of the log.
func shows(t *testing.T, readme, printed string) {
	t.Helper()
	found := shown.FindStringSubmatch(readme)
	if found == nil {
		t.Fatal("README.md does not show what the first command prints")
	}
	want, got := varies.ReplaceAllString(found[1], "…"), varies.ReplaceAllString(printed, "…")
	if !strings.Contains(got, strings.TrimSpace(want)) {
		t.Errorf("README.md shows\n%s\nbut a start prints\n%s", want, got)
	}
}
