package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDevTellsTheStoryAndForgets(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	begun := time.Now()
	r := chirograph(t, t.TempDir(), "dev", "--ephemeral", "--once", "--port", "0", "--mtls-port", "0", "--admin-port", "0")
	if r.code != 0 || r.err != "" {
		t.Fatalf("exit %d: %s%s", r.code, r.out, r.err)
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
	err := inOrder(r.out, "DEV MODE", "accepted", "approved", "issued", "3 accounts", "read", "revoked", "refused (invalid_token",
		"from the log", "Budgetly pushed an authorization request", "Alice Marsh approved", "Budgetly was issued an access token", "401", "verified:", "nothing altered")
	if err != nil {
		t.Errorf("%v in\n%s", err, r.out)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("%v stays behind (%v)", left, err)
	}
}

func TestDevKeepsAFolder(t *testing.T) {
	dir, at := t.TempDir(), ports(t, 6)
	first, second := played(t, dir, at), played(t, dir, at)
	if consentIn(t, first) == consentIn(t, second) {
		t.Error("the second story has the first one's consent")
	}
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"other ports need another folder",
			[]string{"dev", "--once", "--data", kept, "--port", at[3], "--mtls-port", at[4], "--admin-port", at[5]}, 1, "dev reset"},
		{"it is never served as production", []string{"serve", "--data_dir", kept, "--public.listen", "127.0.0.1:0",
			"--public.tls.cert", kept + "/server.pem", "--public.tls.key", kept + "/server.key", "--admin.listen", "127.0.0.1:0"}, 1, "made for development, not for production"},
		{"it is listed without a server", []string{"client", "list", "--data", kept}, 0, "Budgetly"},
		{"another folder is not wiped", []string{"dev", "reset", "--data", "."}, 1, "not a folder that dev has made"},
		{"its own is", []string{"dev", "reset", "--data", kept}, 0, "wiped"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := chirograph(t, dir, tt.args...)
			if r.code != tt.code || !strings.Contains(r.out+r.err, tt.want) {
				t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, kept)); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestDevAnswersOnThisMachineOnly(t *testing.T) {
	dir, at := t.TempDir(), ports(t, 3)
	data := filepath.Join(dir, "data")
	s := start(t, dir, data, "dev", "--data", "data", "--port", at[0], "--mtls-port", at[1], "--admin-port", at[2])
	ask := asking443(t, data)
	tests := []struct {
		name, url, host string
		status          int
	}{
		{"its own name", "https://localhost:" + at[0] + "/fapi2/jwks", "", 200},
		{"the metadata in front of the path", "https://localhost:" + at[0] + "/.well-known/oauth-authorization-server/fapi2", "", 200},
		{"a page of directions", "https://localhost:" + at[0] + "/", "", 200},
		{"a name that resolves to it", "https://localhost:" + at[0] + "/fapi2/jwks", "evil.example", 421},
		{"such a name with certificates", "https://localhost:" + at[1] + "/fapi2/jwks", "evil.example", 421},
		{"not the platform's own issuer", "https://localhost:" + at[0] + "/platform/jwks", "localhost:" + at[2], 421},
		{"nor with certificates", "https://localhost:" + at[1] + "/platform/jwks", "", 404},
		{"which is on the admin port", "https://localhost:" + at[2] + "/platform/jwks", "", 200},
		{"that answers to nobody else's name", "https://localhost:" + at[2] + "/platform/jwks", "evil.example", 421},
		{"and to nobody without a token", "https://localhost:" + at[2] + "/admin/clients", "", 401},
		{"but says how it fares", "https://localhost:" + at[2] + "/readyz?verbose", "", 200},
		{"that it lives", "https://localhost:" + at[2] + "/livez", "", 200},
		{"what it counts", "https://localhost:" + at[2] + "/metrics", "evil.example", 200},
		{"and what can be asked", "https://localhost:" + at[2] + "/openapi.yaml", "", 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, header := ask(tt.url, tt.host)
			if status != tt.status || header.Get("Strict-Transport-Security") != "" {
				t.Errorf("got %d, %v", status, header)
			}
		})
	}
	if code := s.end(t); code != 0 {
		t.Errorf("exit %d\n%s", code, s.said())
	}
	if _, err := os.Stat(filepath.Join(data, "admin.json")); !os.IsNotExist(err) {
		t.Errorf("admin.json is still there: %v", err)
	}
}
