package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"

	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write the generated part of docs/operations.md")

const operations = "../../docs/operations.md"

// documents are those with command lines that people copy.
var documents = []string{"../../README.md", operations, "../../docs/backchannel.md"}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// understood returns why a command line would be refused before it did
// anything, nil if it would not be.
func understood(args []string) error {
	root := newRoot()
	c, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	c.InitDefaultHelpFlag()
	if err := c.ParseFlags(rest); err != nil {
		return err
	}
	switch given := c.Flags().Args(); {
	case c.HasSubCommands() && c.Name() != "dev":
		return fmt.Errorf("%s is no command by itself", c.CommandPath())
	case c.ValidateArgs(given) != nil:
		return c.ValidateArgs(given)
	}
	if help, _ := c.Flags().GetBool("help"); help {
		return nil
	}
	return errors.Join(c.ValidateRequiredFlags(), c.ValidateFlagGroups())
}

// words splits a line of a shell; what comes after the command is left out.
func words(line string) (all []string) {
	var word strings.Builder
	var quote rune
	begun := false
	end := func() {
		if begun {
			all = append(all, word.String())
		}
		word.Reset()
		begun = false
	}
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '"' || c == '\'':
			quote, begun = c, true
		case c == ' ':
			end()
		case strings.ContainsRune("|><;&", c), c == '#' && !begun:
			end()
			return all
		default:
			word.WriteRune(c)
			begun = true
		}
	}
	end()
	return all
}

// ours returns the arguments of the program in a line, if it is called there.
func ours(line string) (args []string, found bool) {
	all := words(strings.TrimSpace(line))
	for i, word := range all {
		switch {
		case word == "chirograph" && i+1 < len(all) && all[i+1] == "/chirograph": // docker compose exec chirograph /chirograph …
		case word == "chirograph", word == "/chirograph", word == "./cmd/chirograph":
			return all[i+1:], true
		}
	}
	return nil, false
}

// commands are the lines of the blocks of a document that are for a shell.
func commands(text string) (all []string) {
	shell := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "```") {
			shell = !shell && line == "```sh"
			continue
		}
		if shell {
			all = append(all, line)
		}
	}
	return all
}

func TestCommandsInDocumentsAreUnderstood(t *testing.T) {
	for _, file := range documents {
		seen := 0
		for _, line := range commands(read(t, file)) {
			args, found := ours(line)
			if !found {
				continue
			}
			seen++
			if err := understood(args); err != nil {
				t.Errorf("%s: %s: %v", file, line, err)
			}
		}
		if seen < 3 {
			t.Errorf("%s: %d command lines", file, seen)
		}
	}
}

var inline = regexp.MustCompile("`(chirograph [^`]+)`")

func TestCommandsInSentencesAreUnderstood(t *testing.T) {
	for _, file := range documents {
		for _, match := range inline.FindAllStringSubmatch(read(t, file), -1) {
			args, _ := ours(match[1])
			if err := understood(args); err != nil {
				t.Errorf("%s: %s: %v", file, match[1], err)
			}
		}
	}
}

func TestExamplesOfCommandsAreUnderstood(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for line := range strings.Lines(c.Example) {
			if args, found := ours(strings.TrimRight(line, "\n")); found {
				if err := understood(args); err != nil {
					t.Errorf("%s: %s: %v", c.CommandPath(), line, err)
				}
			}
		}
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(newRoot())
}

func TestLinesThatAreNotUnderstood(t *testing.T) {
	for _, line := range []string{
		"chirograph serv", "chirograph audit", "chirograph audit serch", "chirograph client get", "chirograph client list --isuer x",
		"chirograph client suspend budgetly", "docker compose exec chirograph /chirograph clients", "go run ./cmd/chirograph deev",
	} {
		args, found := ours(line)
		if !found || understood(args) == nil {
			t.Errorf("%s passes: %q", line, args)
		}
	}
	if _, found := ours("docker compose up --detach"); found {
		t.Error("what is no call of the program is taken for one")
	}
}

func TestSettingsInOperations(t *testing.T) {
	var b strings.Builder
	b.WriteString("| setting | default | what it is |\n|---|---|---|\n")
	defaults := config.Default()
	for _, l := range defaults.Leaves() {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", l.Path, l.Text(), l.Doc)
	}
	const begin, end = "<!-- settings, written by go test ./cmd/chirograph -run Settings -update -->\n", "<!-- end of settings -->"
	text := read(t, operations)
	before, rest, opened := strings.Cut(text, begin)
	got, after, closed := strings.Cut(rest, end)
	if !opened || !closed {
		t.Fatal("there is no place for the settings")
	}
	if got == b.String() {
		return
	}
	if !*update {
		t.Fatal("the settings in docs/operations.md differ from the program's: run go test ./cmd/chirograph -run Settings -update")
	}
	if err := os.WriteFile(operations, []byte(before+begin+b.String()+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestExitCodesInOperations(t *testing.T) {
	text := read(t, operations)
	for code, means := range map[int]string{
		exitOK: "done", exitFailure: "failed", exitUsage: "command line", exitNotFound: "no such thing", exitForbidden: "not allowed",
		exitConflict: "in conflict", exitAltered: "altered", exitUnverifiable: "cannot tell",
	} {
		row := regexp.MustCompile(fmt.Sprintf(`(?m)^\| %d \| .*%s`, code, means))
		if !row.MatchString(text) {
			t.Errorf("no row says that %d is %q", code, means)
		}
	}
}
