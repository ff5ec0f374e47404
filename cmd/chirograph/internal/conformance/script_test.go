package conformance

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A script is a file of testdata.
type script struct {
	name    string
	modules []string
	clause  bool     // a comment cites one
	head    []string // the comments before the first statement
	lines   []statement
}

// A statement is one line of a script.
type statement struct {
	line int
	verb string
	args []word
}

// A word is one argument. Quoted is true if any part of it was in quotes.
type word struct {
	text   string
	quoted bool
}

// field splits a word at its first equals sign; ok is false for words that
// name nothing.
func (w word) field() (name string, value word, ok bool) {
	name, rest, ok := strings.Cut(w.text, "=")
	named := name != "" && !strings.ContainsAny(name, " \t\"'{[$:/<>!?")
	return name, word{rest, w.quoted}, ok && named
}

func readScripts(t *testing.T) []script {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.http")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var all []script
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := parseScript(strings.TrimSuffix(filepath.Base(path), ".http"), raw)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, s)
	}
	return all
}

func parseScript(name string, raw []byte) (script, error) {
	s, known := script{name: name}, verbs()
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if comment, is := strings.CutPrefix(text, "#"); is {
			s.remark(comment)
			continue
		}
		words, err := split(text)
		if err != nil {
			return s, fmt.Errorf("line %d: %w", n, err)
		}
		if len(words) == 0 {
			continue
		}
		if known[words[0].text] == nil {
			return s, fmt.Errorf("line %d: there is no statement %q", n, words[0].text)
		}
		s.lines = append(s.lines, statement{n, words[0].text, words[1:]})
	}
	return s, lines.Err()
}

func (s *script) remark(comment string) {
	if names, is := strings.CutPrefix(strings.TrimSpace(comment), "module:"); is {
		for name := range strings.SplitSeq(names, ",") {
			s.modules = append(s.modules, strings.TrimSpace(name))
		}
		return
	}
	s.clause = s.clause || strings.Contains(comment, "§")
	if len(s.lines) == 0 {
		s.head = append(s.head, strings.TrimSpace(comment))
	}
}

// split cuts a line into words.
func split(line string) ([]word, error) {
	var words []word
	for rest := strings.TrimLeft(line, " \t"); rest != ""; rest = strings.TrimLeft(rest, " \t") {
		w, after, err := cut(rest)
		if err != nil {
			return nil, err
		}
		words, rest = append(words, w), after
	}
	return words, nil
}

func cut(s string) (w word, rest string, err error) {
	for s != "" && s[0] != ' ' && s[0] != '\t' {
		switch s[0] {
		case '\'':
			part, after, closed := strings.Cut(s[1:], "'")
			if !closed {
				return w, "", fmt.Errorf("a quote is not closed")
			}
			w.text, w.quoted, s = w.text+part, true, after
		case '"':
			quoted, err := strconv.QuotedPrefix(s)
			if err != nil {
				return w, "", fmt.Errorf("a quote is not closed")
			}
			part, _ := strconv.Unquote(quoted)
			w.text, w.quoted, s = w.text+part, true, s[len(quoted):]
		default:
			w.text, s = w.text+s[:1], s[1:]
		}
	}
	return w, s, nil
}

func TestParseScript(t *testing.T) {
	s, err := parseScript("sample", []byte("# module: a, b\n# FAPI2-SP §1\n\nclient budgetly\npar scope=\"openid \\u0041\" claims='{\"a\":1}' x=\n"))
	if err != nil || len(s.modules) != 2 || s.modules[1] != "b" || !s.clause || len(s.lines) != 2 {
		t.Fatalf("got %+v, %v", s, err)
	}
	par := s.lines[1]
	if par.line != 5 || par.args[0].text != "scope=openid A" || par.args[1].text != `claims={"a":1}` || !par.args[1].quoted || par.args[2].quoted {
		t.Errorf("got %+v", par)
	}
	for _, bad := range []string{"frobnicate", `par scope="openid`, "par scope='openid"} {
		if _, err := parseScript("bad", []byte(bad)); err == nil {
			t.Errorf("%s: accepted", bad)
		}
	}
}
