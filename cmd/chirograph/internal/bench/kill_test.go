package bench

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"flag"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/eventstore"
)

var killRounds = flag.Int("kill-rounds", 3, "how often the server is killed under load")

// TestKill kills the server under load, again and again on one folder, and
// finds the event of every token that a client received.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(addressVariable, freeAddress(t))
	received := map[string]bool{}
	for range *killRounds {
		for _, jti := range killedUnderLoad(t, dir) {
			received[jti] = true
		}
	}
	log, err := sqlite.Open(sqlite.Options{Dir: dir + "/data"})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for jti := range received {
		if !inLog(t, log, jti) {
			t.Errorf("token %s was received and is not in the log", jti)
		}
	}
	if len(received) == 0 {
		t.Fatal("no token was received")
	}
	t.Logf("%d rounds, %d acknowledged tokens, all in the log", *killRounds, len(received))
}

// freeAddress returns an address that nobody listens at now.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func inLog(t *testing.T, log eventstore.Log, jti string) bool {
	t.Helper()
	for e, err := range log.ReadStream(t.Context(), eventstore.Stream("token-"+jti), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Type == "token.issued" {
			return true
		}
	}
	return false
}

// killAfter is how many answers a round waits for before it kills.
const killAfter = 150

func killedUnderLoad(t *testing.T, dir string) []string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"=server", roleVariable+"_DIR="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: cmd}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &p.ready) != nil {
		t.Fatalf("the server did not start: %v", err)
	}
	tokens := loadUntilKilled(t, p)
	cmd.Wait()
	return tokens
}

// loadUntilKilled sends requests from many connections, kills the server after
// some answers, and returns the tokens of all answers that came whole.
func loadUntilKilled(t *testing.T, p *process) (tokens []string) {
	client := httpClient(nil)
	var mu sync.Mutex
	var group sync.WaitGroup
	for range connections {
		group.Go(func() {
			for _, c := range clientCredentials(nil, p, 4*killAfter/connections) {
				status, body := c.try(client)
				if status != http.StatusOK {
					return // killed
				}
				mu.Lock()
				tokens = append(tokens, idOf(body))
				if len(tokens) == killAfter {
					p.cmd.Process.Kill()
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if len(tokens) < killAfter {
		t.Errorf("the server ended by itself after %d answers", len(tokens))
		p.cmd.Process.Kill()
	}
	return tokens
}

// idOf returns the jti of the JWT in a token response.
func idOf(body string) string {
	var answer struct {
		Access string `json:"access_token"`
	}
	var claims struct {
		ID string `json:"jti"`
	}
	if json.Unmarshal([]byte(body), &answer) != nil {
		return ""
	}
	payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(answer.Access, ".")[1])
	json.Unmarshal(payload, &claims)
	return claims.ID
}
