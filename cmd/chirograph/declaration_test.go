package main

import (
	"os"
	"strings"
	"testing"
)

// The declaration that operators copy from the page about CIBA can be applied,
// and says what it seems to say.
func TestDeclarationInDocuments(t *testing.T) {
	page, err := os.ReadFile("../../docs/backchannel.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\n```yaml\n")
	declaration, _, found := strings.Cut(rest, "\n```\n")
	if !found {
		t.Fatal("the page declares nothing")
	}
	dir, _ := prepared(t)
	write(t, dir, "tills.yaml", declaration)
	write(t, dir, "alice.password", "a good password\n")
	write(t, dir, "alice.code", "4711\n")
	if out := ok(t, dir, "apply", "-f", "tills.yaml"); inOrder(out, "tills", "created", "till ", "registered", "enrolled", "user code set", "password set") != nil {
		t.Errorf("apply says\n%s", out)
	}
	r := chirograph(t, dir, "apply", "-f", "tills.yaml")
	if r.code != 0 || r.out != "" || !strings.Contains(r.err, "everything is as declared") {
		t.Errorf("applied again: exit %d\n%s%s", r.code, r.out, r.err)
	}
}
