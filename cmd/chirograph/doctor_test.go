package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An installation where a tool decides for customers is not for customers.
func TestDoctorMindsIssuersForTests(t *testing.T) {
	dir, at := prepared(t)
	ok(t, dir, "apply", "-f", "bank.yaml")
	r := chirograph(t, dir, "doctor", "--production")
	if err := inOrder(r.out, "purpose", "ok", "for production"); err != nil {
		t.Errorf("without one: %v in\n%s%s", err, r.out, r.err)
	}
	declared, err := os.ReadFile(filepath.Join(dir, "bank.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	suite := "\nissuers:\n  - id: suite\n    url: https://localhost:" + at[0] + "/suite\n    profile: fapi-ciba-id1\n    settings: {purpose: conformance}\n"
	write(t, dir, "bank.yaml", strings.Replace(string(declared), "\nissuers:\n", suite, 1))
	ok(t, dir, "apply", "-f", "bank.yaml")
	if r = chirograph(t, dir, "doctor", "--production"); r.code != 1 || inOrder(r.out, "purpose", "mind", "for conformance tests, not for customers: issuer suite\n") != nil {
		t.Errorf("with one: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r = chirograph(t, dir, "doctor"); r.code != 0 {
		t.Errorf("it fails where nobody asked for production: exit %d\n%s%s", r.code, r.out, r.err)
	}
}
