package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommandLinesThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name string
		line string
		code int
		says string
	}{
		{"a command that nobody knows", "serv", 2, `unknown command "serv"`},
		{"a subcommand that nobody knows", "audit serch", 2, `chirograph audit has no command "serch"`},
		{"a flag that nobody knows", "client list --isuer fapi2", 2, "unknown flag: --isuer"},
		{"a flag that is required", "client suspend budgetly", 2, `"reason" not set`},
		{"one of two flags is required", "consent list", 2, "[client subject]"},
		{"an argument that is missing", "client get", 2, "takes CLIENT"},
		{"a login name of no issuer", "subject list --name alice", 2, "--name needs --issuer"},
		{"a type of event that nobody knows", "audit search --type consent.rewoked", 2, `did you mean "consent.revoked"?`},
		{"a role that nobody knows", "admin grant ada --role root", 2, `no role "root"`},
		{"a loss for no reason", "restore --accept-loss", 2, "--reason"},
		{"a form that nobody knows", "config show --trusted_proxies 10.0.0.0/8 -o xml", 2, "table, json, yaml or jsonl"},
		{"a server without a configuration", "serve", 2, "--config or CHIROGRAPH_CONFIG"},
		{"a configuration that is not there", "client list --config none.yaml", 2, "none.yaml"},
		{"a folder that is not there", "client list --data nowhere", 3, "no log in nowhere"},
		{"a folder that is not there, verified", "audit verify --data nowhere", 3, "no log in nowhere"},
		{"no server that lives", "doctor --live --data nowhere", 1, "no server is running on nowhere"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := chirograph(t, dir, strings.Fields(tt.line)...)
			if r.code != tt.code || !strings.Contains(r.err, tt.says) {
				t.Errorf("exit %d, want %d with %q\n%s%s", r.code, tt.code, tt.says, r.out, r.err)
			}
		})
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("what cannot be has left %v", left)
	}
}

func TestAThingHasThreeForms(t *testing.T) {
	dir := t.TempDir()
	consent := consentIn(t, played(t, dir, ports(t, 3)))
	same := func(name string, lines ...string) {
		t.Helper()
		first := ok(t, dir, strings.Fields(lines[0])...)
		if strings.Count(first, "\n") < 3 {
			t.Fatalf("%s tells\n%s", lines[0], first)
		}
		for _, line := range lines[1:] {
			if other := ok(t, dir, strings.Fields(line)...); other != first {
				t.Errorf("%s: %s tells\n%s", name, line, other)
			}
		}
	}
	same("a consent", "audit timeline consent/"+consent, "audit timeline consent-"+consent, "audit timeline consent "+consent)
	alice := strings.TrimSpace(ok(t, dir, "subject", "list", "--issuer", "fapi2", "--name", "alice", "-q"))
	same("a customer is a subject", "audit timeline customer/"+alice, "audit timeline subject/"+alice)
	same("a state", "replay state consent/"+consent+" --at 90", "replay state --at 90 consent-"+consent, "replay state consent "+consent+" --at 90")
	same("a subject is a customer", "replay state subject/"+alice, "replay state customer "+alice)
	same("a difference", "replay diff 1..now consent/"+consent, "replay diff 1..now consent "+consent)
	for _, arg := range []string{consent[:8], "consent/", "/" + consent, "bank/" + consent} {
		if r := chirograph(t, dir, "audit", "timeline", arg); r.code != 2 {
			t.Errorf("timeline of %s: exit %d\n%s%s", arg, r.code, r.out, r.err)
		}
	}
}

func TestProofIsCheckedByUs(t *testing.T) {
	dir := t.TempDir()
	played(t, dir, ports(t, 3))
	ok(t, dir, "audit", "prove", "7", "--out", "seven")
	key, err := os.ReadFile(filepath.Join(dir, "seven.vkey"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, kept)); err != nil { // offline
		t.Fatal(err)
	}
	got := answer[struct {
		Leaf int64
		Type string
	}](t, dir, "audit", "check", "seven", "--key", strings.TrimSpace(string(key)))
	if got.Leaf != 6 || got.Type == "" {
		t.Errorf("it proves %+v", got)
	}
	tests := []struct{ name, file, change, to string }{
		{"a record that was changed", "seven.record", "system", "sistem"},
		{"another place in the log", "seven.proof", "index 6", "index 5"},
		{"a checkpoint that was changed", "seven.proof", "chirograph/", "chirogralf/"},
		{"the key of another log", "seven.vkey", "chirograph/", "chirograph/0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			good, err := os.ReadFile(filepath.Join(dir, tt.file))
			if err != nil {
				t.Fatal(err)
			}
			bad := strings.Replace(string(good), tt.change, tt.to, 1)
			if bad == string(good) {
				t.Fatalf("%s has no %q", tt.file, tt.change)
			}
			write(t, dir, tt.file, bad)
			if r := chirograph(t, dir, "audit", "check", "seven"); r.code != 10 || r.out != "" {
				t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
			}
			write(t, dir, tt.file, string(good))
		})
	}
	if r := chirograph(t, dir, "audit", "check", "eight"); r.code != 1 {
		t.Errorf("a proof that is not there: exit %d\n%s", r.code, r.err)
	}
}

func TestGrantingAgainKeepsThePassword(t *testing.T) {
	dir, _ := prepared(t)
	first := chirograph(t, dir, "admin", "grant", "ada", "--role", "auditor", "-q")
	if first.code != 0 || len(strings.TrimSpace(first.out)) < 20 {
		t.Fatalf("exit %d\n%s%s", first.code, first.out, first.err)
	}
	again := chirograph(t, dir, "admin", "grant", "ada", "--role", "auditor")
	if again.code != 0 || again.out != "" || !strings.Contains(again.err, "everything is as declared") {
		t.Errorf("the same again: exit %d\n%s%s", again.code, again.out, again.err)
	}
	promoted := ok(t, dir, "admin", "grant", "ada", "--role", "admin")
	if inOrder(promoted, "became admin", "no longer auditor") != nil || strings.Contains(promoted, "password") {
		t.Errorf("another role:\n%s", promoted)
	}
	if anew := ok(t, dir, "admin", "grant", "ada", "--new-password", "-q"); anew == first.out || len(strings.TrimSpace(anew)) < 20 {
		t.Errorf("another password: %s", anew)
	}
}

func TestDoctorFindsWhatAStartWouldRefuse(t *testing.T) {
	dir := t.TempDir()
	played(t, dir, ports(t, 3))
	if r := chirograph(t, dir, "doctor"); r.code != 0 || strings.Contains(r.out, "bad") {
		t.Errorf("a good folder: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r := chirograph(t, dir, "doctor", "--production"); r.code != 1 || !strings.Contains(r.out, "mind") {
		t.Errorf("a good folder that is not enough for production: exit %d\n%s%s", r.code, r.out, r.err)
	}
	file := filepath.Join(dir, kept, "log.db")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Dir(file), "log.db", strings.Replace(string(text), "ReadAccounts", "ReadAccountz", 1))
	r := chirograph(t, dir, "doctor")
	if r.code != 1 || inOrder(r.out, "log ", "bad", "altered at position") != nil {
		t.Errorf("an altered log: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r := chirograph(t, dir, "audit", "search", "--limit", "1"); r.code != 0 || !strings.Contains(r.err, "may not be true") {
		t.Errorf("a question about an altered log: exit %d\n%s%s", r.code, r.out, r.err)
	}
}
