package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Settings of a server that a test has for itself.
type Settings struct {
	Fsync    bool              // what it acknowledges survives [Server.Kill]
	FileSize int64             // bytes that no file of it may exceed: a disk that gets full; 0 for no limit
	Config   map[string]string // further settings, as in postgresql.conf
}

// A Server is a PostgreSQL server on this machine, in a folder of its own.
type Server struct {
	Settings
	bin      string
	folder   string
	port     int
	password string

	life  io.WriteCloser // the server ends when this process no longer holds it
	ended chan struct{}  // closed when it has
}

// Start starts a server that is stopped and removed at the end of the test.
// Where there are no binaries it does as [New].
func Start(t testing.TB, settings Settings) *Server {
	t.Helper()
	s, err := begin(settings)
	if err != nil {
		unavailable(t, err)
	}
	t.Cleanup(s.remove)
	return s
}

// New is [New] on this server.
func (s *Server) New(t testing.TB) string {
	t.Helper()
	return database(t, s.URL())
}

// URL is that of its maintenance database.
func (s *Server) URL() string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword("chirograph", s.password), Path: "/postgres"}
	u.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
	u.RawQuery = "sslmode=disable"
	return u.String()
}

// Stop ends the server in order; every connection is broken.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if _, err := io.WriteString(s.life, "stop\n"); err != nil {
		t.Fatalf("stop PostgreSQL: %v", err)
	}
	<-s.ended
}

// Run starts the server again, on the same port and folder.
func (s *Server) Run(t testing.TB) {
	t.Helper()
	if err := s.run(); err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
}

// Kill ends every process of the server at once, as a power cut would.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	pid, err := s.pid()
	if err == nil {
		err = killTree(pid)
	}
	if err != nil {
		t.Fatalf("kill PostgreSQL: %v", err)
	}
	<-s.ended
}

// pid is the process id of the postmaster.
func (s *Server) pid() (int, error) {
	text, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(first)
}

// remove ends the server and removes its folder, if it was ever started.
func (s *Server) remove() {
	if s.life != nil {
		s.life.Close()
		<-s.ended
	}
	os.RemoveAll(s.folder)
}

var errNone = errors.New("no initdb and postgres in PATH or /usr/lib/postgresql")

// binaries returns the folder of the newest PostgreSQL that is installed.
func binaries() (string, error) {
	if found, err := exec.LookPath("initdb"); err == nil {
		if _, err := exec.LookPath("postgres"); err == nil {
			real, err := filepath.EvalSymlinks(found)
			return filepath.Dir(real), err
		}
	}
	all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(all) == 0 {
		return "", errNone
	}
	newest := slices.MaxFunc(all, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(newest), nil
}

func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

func begin(settings Settings) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "chirograph-pgtest-")
	if err != nil {
		return nil, err
	}
	s := &Server{Settings: settings, bin: bin, folder: folder, password: rand.Text()}
	err = s.initialize()
	if err == nil {
		err = s.run()
	}
	if err != nil {
		s.remove()
		return nil, err
	}
	return s, nil
}

func (s *Server) initialize() error {
	secret := filepath.Join(s.folder, "password")
	if err := os.WriteFile(secret, []byte(s.password+"\n"), 0o600); err != nil {
		return err
	}
	if err := giveAway(s.folder, secret); err != nil {
		return err
	}
	c := exec.Command(filepath.Join(s.bin, "initdb"), "--no-sync", "--auth=scram-sha-256", "--username=chirograph",
		"--pwfile="+secret, "--encoding=UTF8", "--locale=C", "--pgdata="+s.data())
	c.Dir = s.folder
	if err := unprivileged(c); err != nil {
		return err
	}
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return os.Remove(secret)
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

func (s *Server) run() (err error) {
	if s.port != 0 {
		return s.launch()
	}
	for range 5 { // another process may take the port in between
		if s.port, err = freePort(); err != nil {
			return err
		}
		if err = s.launch(); err == nil {
			return nil
		}
	}
	return err
}

func (s *Server) arguments() []string {
	settings := map[string]string{
		"listen_addresses":        "127.0.0.1",
		"port":                    strconv.Itoa(s.port),
		"unix_socket_directories": "",
		"max_connections":         "200",
		"fsync":                   "off",
	}
	if s.Fsync {
		settings["fsync"] = "on"
	}
	maps.Copy(settings, s.Config)
	args := []string{"-D", s.data()}
	for name, value := range settings {
		args = append(args, "-c", name+"="+value)
	}
	return args
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// ready waits until the server takes connections.
func (s *Server) ready() error {
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ctx, done := context.WithTimeout(context.Background(), time.Second)
		c, err := pgx.Connect(ctx, s.URL())
		if err == nil {
			c.Close(ctx)
		}
		done()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-s.ended:
			return fmt.Errorf("postgres ended at once: %s", s.complaint())
		case <-tick.C:
		}
	}
}

// complaint is the end of what the server has said.
func (s *Server) complaint() []byte {
	said, _ := os.ReadFile(filepath.Join(s.folder, "said"))
	return said[max(0, len(said)-1000):]
}
