package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// entry is one line of an audit.
type entry struct {
	Position uint64 `json:"position"`
	Type     string `json:"type"`
	Stream   string `json:"stream"`
	Sentence string `json:"sentence"`
	Erased   []string
}

type entries struct{ Items []entry }

func (all entries) of(t *testing.T, typ string) entry {
	t.Helper()
	for _, e := range all.Items {
		if e.Type == typ {
			return e
		}
	}
	t.Fatalf("there is no %s", typ)
	return entry{}
}

func TestAuditFindsOneChangedByte(t *testing.T) {
	dir := t.TempDir()
	story := played(t, dir, ports(t, 3))
	approved := answer[entries](t, dir, "audit", "timeline", "consent/"+consentIn(t, story)).of(t, "consent.authorized")
	file := filepath.Join(dir, kept, "log.db")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	row := bytes.LastIndex(before, []byte("consent.authorized"))
	at := row + bytes.Index(before[row:], []byte("ReadAccounts"))
	changed := bytes.Clone(before)
	changed[at]++
	if err := os.WriteFile(file, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	r := chirograph(t, dir, "audit", "verify")
	if r.code != 10 || !strings.Contains(r.err, strconv.FormatUint(approved.Position, 10)) {
		t.Errorf("exit %d, must be 10 and name position %d\n%s%s", r.code, approved.Position, r.out, r.err)
	}
	if err := os.WriteFile(file, before, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := chirograph(t, dir, "audit", "verify"); r.code != 0 || !strings.Contains(r.out, "verified") {
		t.Errorf("as it was: exit %d\n%s%s", r.code, r.out, r.err)
	}
}

func TestAuditSaysThatItCannotTell(t *testing.T) {
	for name, gone := range map[string]string{"without the master key": "master.key", "without the keyring": "keyring.db"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			played(t, dir, ports(t, 3))
			if err := os.Remove(filepath.Join(dir, kept, gone)); err != nil {
				t.Fatal(err)
			}
			if r := chirograph(t, dir, "audit", "verify"); r.code != 11 || !strings.Contains(r.err, gone) {
				t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
			}
			if _, err := os.Stat(filepath.Join(dir, kept, gone)); err == nil {
				t.Errorf("%s was made anew", gone)
			}
		})
	}
}

func TestAnOlderCopyIsNotServed(t *testing.T) {
	dir, at := t.TempDir(), ports(t, 3)
	data := filepath.Join(dir, kept)
	played(t, dir, at)
	copyFile(t, filepath.Join(data, "log.db"), filepath.Join(dir, "older.db"))
	older := answer[struct{ Report struct{ Events int } }](t, dir, "audit", "verify").Report.Events
	played(t, dir, at)
	newer := answer[struct{ Report struct{ Events int } }](t, dir, "audit", "verify").Report.Events
	for _, beside := range []string{"log.db-wal", "log.db-shm"} {
		os.Remove(filepath.Join(data, beside))
	}
	copyFile(t, filepath.Join(dir, "older.db"), filepath.Join(data, "log.db"))

	dev := []string{"dev", "--once", "--port", at[0], "--mtls-port", at[1], "--admin-port", at[2]}
	r := chirograph(t, dir, dev...)
	if r.code != 10 || !strings.Contains(r.err, strconv.Itoa(older)) || !strings.Contains(r.err, strconv.Itoa(newer)) {
		t.Errorf("exit %d, must be 10 and name %d and %d\n%s", r.code, older, newer, r.err)
	}
	tests := []struct {
		name string
		args []string
		code int
	}{
		{"nothing is changed on it", []string{"client", "suspend", "budgetly", "--reason", "test"}, 10},
		{"it can be read", []string{"audit", "search", "--client", "budgetly"}, 0},
		{"and past states seen", []string{"replay", "state", "client/budgetly"}, 0},
		{"verification says what it is", []string{"audit", "verify"}, 10},
		{"it is not accepted by the way", []string{"restore"}, 2},
		{"but on purpose", []string{"restore", "--accept-loss", "--reason", "the disk died"}, 0},
		{"then it agrees with its checkpoints", []string{"audit", "verify"}, 0},
		{"and is served", dev, 0},
	}
	for _, tt := range tests {
		if r := chirograph(t, dir, tt.args...); r.code != tt.code {
			t.Errorf("%s: exit %d, want %d\n%s%s", tt.name, r.code, tt.code, r.out, r.err)
		}
	}
	restored := answer[entries](t, dir, "audit", "search", "--type", "installation.restored")
	if len(restored.Items) != 1 || !strings.Contains(restored.Items[0].Sentence, "epoch 2") {
		t.Errorf("the log says %+v", restored.Items)
	}
}

func TestReplay(t *testing.T) {
	dir := t.TempDir()
	consent := consentIn(t, played(t, dir, ports(t, 3)))
	revoked := answer[entries](t, dir, "audit", "timeline", "consent/"+consent).of(t, "consent.revoked")
	type past struct {
		State struct{ Status string }
	}
	at := func(p uint64) string {
		return answer[past](t, dir, "replay", "state", "consent/"+consent, "--at", strconv.FormatUint(p, 10)).State.Status
	}
	if before, after := at(revoked.Position-1), at(revoked.Position); before != "authorized" || after != "revoked" {
		t.Errorf("it is %s before and %s after", before, after)
	}
	out := ok(t, dir, "replay", "diff", strconv.FormatUint(revoked.Position-1, 10)+"..now", "consent/"+consent)
	if !strings.Contains(out, "status: authorized -> revoked") {
		t.Errorf("the difference is\n%s", out)
	}
	for _, args := range [][]string{{"replay", "state", "consent/nobody"}, {"replay", "state", "consent/" + consent, "--at", "1"}} {
		if r := chirograph(t, dir, args...); r.code != 3 {
			t.Errorf("%v: exit %d\n%s", args, r.code, r.err)
		}
	}
	if r := chirograph(t, dir, "replay", "diff", "5", "consent/"+consent); r.code != 2 {
		t.Errorf("half a range: exit %d\n%s", r.code, r.err)
	}
}

// TestProofIsCheckedWithoutUs checks a proof with nothing but the library of
// signed notes and the three files.
func TestProofIsCheckedWithoutUs(t *testing.T) {
	dir := t.TempDir()
	played(t, dir, ports(t, 3))
	ok(t, dir, "audit", "prove", "7", "--out", "seven")
	read := func(suffix string) []byte {
		text, err := os.ReadFile(filepath.Join(dir, "seven"+suffix))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(read(".vkey"))))
	if err != nil {
		t.Fatal(err)
	}
	head, signed, _ := strings.Cut(string(read(".proof")), "\n\n")
	opened, err := note.Open([]byte(signed), note.VerifierList(verifier))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(head, "\n")
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			t.Fatal(err)
		}
		proof = append(proof, hash)
	}
	checkpoint := strings.Split(opened.Text, "\n")
	size, _ := strconv.ParseInt(checkpoint[1], 10, 64)
	root, err := tlog.ParseHash(checkpoint[2])
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckRecord(proof, size, root, 6, tlog.RecordHash(read(".record"))); err != nil {
		t.Error(err)
	}
	record := read(".record")
	record[len(record)-1] ^= 1
	if tlog.CheckRecord(proof, size, root, 6, tlog.RecordHash(record)) == nil {
		t.Error("it proves another record too")
	}
}

func TestOutputForms(t *testing.T) {
	dir := t.TempDir()
	played(t, dir, ports(t, 3))
	lines := strings.Split(strings.TrimSpace(ok(t, dir, "client", "list", "-o", "jsonl")), "\n")
	for _, line := range lines {
		var c struct {
			ID string `json:"client_id"`
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil || c.ID == "" {
			t.Errorf("%s: %v", line, err)
		}
	}
	if ids := ok(t, dir, "client", "list", "--quiet", "--issuer", "fapi2"); !strings.Contains(ids, "budgetly\n") || strings.Contains(ids, " ") {
		t.Errorf("ids are\n%s", ids)
	}
	if text := ok(t, dir, "client", "get", "rogue", "-o", "yaml"); !strings.Contains(text, "status: suspended") {
		t.Errorf("YAML is\n%s", text)
	}
	if text := ok(t, dir, "client", "get", "rogue"); !strings.HasPrefix(text, "CLIENT") || !strings.Contains(text, "Rogue Ltd") {
		t.Errorf("the table is\n%s", text)
	}
}
