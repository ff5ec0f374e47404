package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asking443 returns what asks a server of this machine whose authority lies in
// a folder.
func asking443(t *testing.T, folder string) func(url, host string) (int, http.Header) {
	t.Helper()
	pool := x509.NewCertPool()
	text, err := os.ReadFile(filepath.Join(folder, "ca.pem"))
	if err != nil || !pool.AppendCertsFromPEM(text) {
		t.Fatal("no authority: ", err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}
	client := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	return func(url, host string) (int, http.Header) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		answer, err := client.Do(r)
		if err != nil {
			return 0, nil
		}
		answer.Body.Close()
		return answer.StatusCode, answer.Header
	}
}

// prepared returns a folder with a configuration for localhost, and its ports.
func prepared(t *testing.T) (dir string, at []string) {
	t.Helper()
	dir, at = t.TempDir(), ports(t, 3)
	ok(t, dir, "config", "init", ".", "--localhost")
	t.Setenv("CHIROGRAPH_CONFIG", filepath.Join(dir, "chirograph.yaml"))
	t.Setenv("CHIROGRAPH_PUBLIC__LISTEN", "127.0.0.1:"+at[0])
	t.Setenv("CHIROGRAPH_MTLS__LISTEN", "127.0.0.1:"+at[1])
	t.Setenv("CHIROGRAPH_MTLS__ORIGIN", "https://localhost:"+at[1])
	t.Setenv("CHIROGRAPH_ADMIN__LISTEN", "127.0.0.1:"+at[2])
	t.Setenv("CHIROGRAPH_ADMIN__TLS__CERT", "server.pem")
	t.Setenv("CHIROGRAPH_ADMIN__TLS__KEY", "server.key")
	t.Setenv("CHIROGRAPH_DRAIN__DELAY", "1s")
	write(t, dir, "bank.yaml", strings.ReplaceAll(bank, "PORT", at[0]))
	return dir, at
}

// bank declares what a server needs to be of use.
const bank = `
issuers:
  - id: fapi2
    url: https://localhost:PORT/fapi2
    profile: fapi2-security-profile-final
    settings: {accounts: true, access_token_lifetime: 4m, display_name: A bank}
    keys: {algorithms: [ES256], rotation: 90d}
clients:
  - client_id: reader
    issuer: fapi2
    metadata:
      client_name: Reader
      token_endpoint_auth_method: tls_client_auth
      tls_client_auth_subject_dn: CN=reader
      grant_types: [client_credentials]
      scope: accounts
customers:
  - id: c-1
    issuer: fapi2
    name: Dora Example
    login: {name: dora, password: a good password}
    accounts: [{id: a-1, name: Everyday, number: "•••• 0001", currency: EUR}]
`

func TestServe(t *testing.T) {
	dir, at := prepared(t)
	if out := ok(t, dir, "apply", "-f", "bank.yaml"); inOrder(out, "created", "registered", "enrolled", "password set") != nil {
		t.Errorf("apply says\n%s", out)
	}
	s := start(t, dir, filepath.Join(dir, "data"), "serve")
	ask := asking443(t, dir)
	ready, issuer := "https://localhost:"+at[2]+"/readyz", "https://localhost:"+at[0]+"/fapi2/.well-known/openid-configuration"
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for status := 0; status != http.StatusOK; status, _ = ask(ready, "") {
		if ctx.Err() != nil {
			t.Fatalf("it does not become ready\n%s", s.said())
		}
		poll(ctx)
	}
	if status, header := ask(issuer, ""); status != http.StatusOK || header.Get("Strict-Transport-Security") == "" {
		t.Errorf("metadata: %d %v", status, header)
	}
	r := chirograph(t, dir, "apply", "-f", "bank.yaml")
	if r.code != 0 || r.out != "" || !strings.Contains(r.err, "everything is as declared") {
		t.Errorf("applied again by the running server: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if out := ok(t, dir, "client", "list"); !strings.Contains(out, "Reader") {
		t.Errorf("clients of the running server:\n%s", out)
	}
	if err := s.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for status := http.StatusOK; status == http.StatusOK; status, _ = ask(ready, "") {
		poll(ctx)
	}
	if status, _ := ask(issuer, ""); status != http.StatusOK {
		t.Errorf("a draining server answers %d", status)
	}
	s.Wait()
	if s.ProcessState.ExitCode() != 0 {
		t.Errorf("exit %d\n%s", s.ProcessState.ExitCode(), s.said())
	}
	if v := answer[struct{ Outcome string }](t, dir, "audit", "verify"); v.Outcome != "verified" {
		t.Errorf("the log is %s", v.Outcome)
	}
}

func TestApply(t *testing.T) {
	dir, _ := prepared(t)
	ok(t, dir, "apply", "-f", "bank.yaml")
	text, err := os.ReadFile(filepath.Join(dir, "bank.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	events := func() int {
		return answer[struct{ Report struct{ Events int } }](t, dir, "audit", "verify").Report.Events
	}
	before := events()
	tests := []struct {
		name, change, to string
		code             int
		want             string
	}{
		{"the same changes nothing", "", "", 0, "everything is as declared"},
		{"an unknown member of the metadata too", "client_name: Reader", "clientname: Reader", 2,
			`bank.yaml: line 12: unknown key "clients[0].metadata.clientname", did you mean "clients[0].metadata.client_name"?`},
		{"a misspelt setting has its neighbour", "access_token_lifetime", "acces_token_lifetime", 2,
			`bank.yaml: line 6: unknown key "issuers[0].settings.acces_token_lifetime", did you mean "issuers[0].settings.access_token_lifetime"?`},
		{"what contradicts the profile has its clause", "tls_client_auth\n", "client_secret_basic\n", 1, "FAPI2-SP §5.3.2.1-2.6"},
		{"an issuer keeps its URL", "/fapi2\n", "/other\n", 5, "cannot change"},
		{"an unknown profile is named", "fapi2-security-profile-final", "fapi3", 1, "known are fapi-ciba-id1, fapi2-security-profile-final, openid-ciba-core"},
		{"an algorithm outside the profile too", "[ES256]", "[RS256]", 1, "FAPI2-SP §5.4.1"},
		{"a customer needs an issuer", "    issuer: fapi2\n    name: Dora", "    issuer: nobody\n    name: Dora", 3, "there is no issuer nobody"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			write(t, dir, "changed.yaml", strings.Replace(string(text), tt.change, tt.to, 1))
			r := chirograph(t, dir, "apply", "-f", "changed.yaml")
			if r.code != tt.code || !strings.Contains(r.out+r.err, strings.Replace(tt.want, "bank.yaml", "changed.yaml", 1)) {
				t.Errorf("exit %d, want %d with %s\n%s%s", r.code, tt.code, tt.want, r.out, r.err)
			}
		})
	}
	if after := events(); after != before {
		t.Errorf("refused and repeated declarations have appended %d events", after-before)
	}
	write(t, dir, "changed.yaml", strings.Replace(string(text), "lifetime: 4m", "lifetime: 3m", 1))
	if out := ok(t, dir, "apply", "-f", "changed.yaml"); !strings.Contains(out, "settings changed") || strings.Count(out, "\n") != 2 {
		t.Errorf("one change is\n%s", out)
	}
}

func TestConfigCommands(t *testing.T) {
	dir := t.TempDir()
	ok(t, dir, "config", "init", ".", "--localhost")
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"what init writes is good", []string{"config", "validate", "--config", "chirograph.yaml"}, 0, "the settings are good"},
		{"init overwrites nothing", []string{"config", "init", "."}, 5, "exists already"},
		{"show tells where a setting is from", []string{"config", "show", "--config", "chirograph.yaml", "--drain.delay", "7s"}, 0, "drain.delay"},
		{"the schema names the settings", []string{"config", "schema"}, 0, `"trusted_proxies"`},
		{"a flag that is none", []string{"config", "validate", "--drain.dealy", "7s"}, 2, "drain.dealy"},
		{"a command that is none", []string{"confog"}, 2, "confog"},
		{"an argument too many", []string{"config", "schema", "x"}, 2, "takes no argument"},
		{"an output that is none", []string{"config", "show", "--config", "chirograph.yaml", "-o", "xml"}, 2, "table, json, yaml or jsonl"},
		{"no folder", []string{"client", "list", "--data", "nowhere"}, 3, "nowhere"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := chirograph(t, dir, tt.args...)
			if r.code != tt.code || !strings.Contains(r.out+r.err, tt.want) {
				t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
			}
		})
	}
}
