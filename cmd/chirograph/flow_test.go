package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestFlowCIBA(t *testing.T) {
	dir, at := t.TempDir(), ports(t, 4)
	data := filepath.Join(dir, kept)
	s := start(t, dir, data, "dev", "--port", at[0], "--mtls-port", at[1], "--admin-port", at[2], "--notify-port", at[3])
	s.awaits(t, filepath.Join(data, "dev.json"))
	fapi := []string{"--issuer", "https://localhost:" + at[0] + "/fapi-ciba"}
	tests := []struct {
		name string
		args []string
		want []string // in this order
	}{
		{"a client that polls is given what was approved", []string{"--mode", "poll", "--approve"},
			[]string{"Till 4, receipt 117", "/ciba/device", "approved", "redeems", "reads 3 accounts", "From the log, consent",
				"asked Alice Marsh", "Alice Marsh's phone page was told", "was shown", "approved the request", "gave Payzip till (poll)", "was redeemed", "read /bank-ciba/accounts"}},
		{"one that is pinged too", []string{"--mode", "ping", "--approve", "--binding-message", "Tram 7"},
			[]string{"Tram 7", "approved", "is pinged", "redeems", "reads 3 accounts", "phone page was told", "was shown", "approved the request", "is to be pinged", "was pinged", "read /bank-ciba/accounts"}},
		{"one that gets a push has nothing to redeem", []string{"--mode", "push", "--approve"},
			[]string{"approved", "is sent tokens, which the ID token vouches for", "reads 3 accounts", "was made to be pushed", "received what was pushed", "read /bank-ciba/accounts"}},
		{"with FAPI, polling", append([]string{"--mode", "poll", "--approve"}, fapi...), []string{"/fapi-ciba/device", "redeems", "read /bank-fapi-ciba/accounts"}},
		{"with FAPI, pinged", append([]string{"--mode", "ping", "--approve"}, fapi...), []string{"is pinged", "redeems", "read /bank-fapi-ciba/accounts"}},
		{"a no is learned by polling", []string{"--mode", "poll", "--deny"}, []string{"denied", "access_denied", "From the log, request", "denied the request"}},
		{"by a ping", []string{"--mode", "ping", "--deny"}, []string{"denied", "is pinged", "access_denied", "From the log, request", "was pinged"}},
		{"and by a push", []string{"--mode", "push", "--deny"}, []string{"denied", "access_denied", "From the log, request", "received what was pushed"}},
		{"silence is learned by polling", []string{"--mode", "poll", "--requested-expiry", "1"},
			[]string{"accepted for 1 s", "there is no answer", "expired_token", "From the log, request", "asked Alice Marsh", "the request ran out"}},
		{"by polling where nobody pings", []string{"--mode", "ping", "--requested-expiry", "1"},
			[]string{"is not pinged in time", "expired_token", "From the log, request", "the request ran out"}},
		{"and by a push", []string{"--mode", "push", "--requested-expiry", "1"},
			[]string{"expired_token", "From the log, request", "the request ran out", "received what was pushed"}},
		{"who has one account shares one", []string{"--approve", "--login-hint", "chidi"}, []string{"reads 1 account with"}},
		{"the call centre asks for a code", []string{"--mode", "poll", "--approve", "--login-hint", "ben", "--user-code", "4711"},
			[]string{"Payzip call centre", "approved", "reads 2 accounts"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := ok(t, dir, append([]string{"flow", "ciba"}, tt.args...)...)
			if err := inOrder(out, tt.want...); err != nil {
				t.Errorf("%v in\n%s", err, out)
			}
		})
	}
	refused := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"there is no other mode", []string{"--mode", "pull"}, 2, "--mode must be"},
		{"nobody approves and denies", []string{"--approve", "--deny"}, 2, "none of the others can be"},
		{"FAPI does not push", append([]string{"--mode", "push"}, fapi...), 1, "no sample client for the mode push"},
		{"another issuer has no CIBA", []string{"--issuer", "https://localhost:" + at[0] + "/fapi2"}, 1, "is no issuer of CIBA"},
		{"a stranger is not asked", []string{"--login-hint", "zoe"}, 1, "unknown_user_id"},
		{"nobody asks for codes and is pinged", []string{"--mode", "ping", "--login-hint", "ben", "--user-code", "4711"}, 1, "for the mode ping that asks for user codes"},
		{"a code is not left out", []string{"--login-hint", "ben"}, 1, "missing_user_code"},
		{"a folder without a server says so", []string{"--data", "elsewhere"}, 1, "no dev server is running on elsewhere"},
	}
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) { refuses(t, dir, tt.code, tt.want, tt.args...) })
	}
	s.Process.Kill()
	s.Wait()
	t.Run("a server that was killed is missed", func(t *testing.T) { refuses(t, dir, 1, "no dev server is running at the address") })
}

func refuses(t *testing.T, dir string, code int, want string, args ...string) {
	t.Helper()
	r := chirograph(t, dir, append([]string{"flow", "ciba"}, args...)...)
	if r.code != code || !strings.Contains(r.err, want) {
		t.Errorf("exit %d, want %d with %q\n%s%s", r.code, code, want, r.out, r.err)
	}
}
