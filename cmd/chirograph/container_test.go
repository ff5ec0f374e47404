package main

import (
	"encoding/json"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
)

// instructions are those of a Dockerfile's last stage, in order.
func instructions(t *testing.T) (all [][2]string) {
	t.Helper()
	text := strings.ReplaceAll(read(t, "../../Dockerfile"), "\\\n", " ")
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch name {
		case "", "#":
		case "FROM":
			all = nil
		default:
			all = append(all, [2]string{name, strings.TrimSpace(rest)})
		}
	}
	return all
}

func instruction(t *testing.T, name string) string {
	t.Helper()
	for _, i := range instructions(t) {
		if i[0] == name {
			return i[1]
		}
	}
	t.Fatalf("the Dockerfile has no %s", name)
	return ""
}

func array(t *testing.T, text string) (all []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return all
}

// served are the settings of the server that "config init --localhost" makes.
func served(t *testing.T) config.Config {
	t.Helper()
	dir := t.TempDir()
	ok(t, dir, "config", "init", ".", "--localhost")
	c, _, err := config.Load(config.Sources{File: filepath.Join(dir, "chirograph.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func portOf(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestDockerfile(t *testing.T) {
	if entry := array(t, instruction(t, "ENTRYPOINT")); !slices.Equal(entry, []string{"/chirograph"}) {
		t.Errorf("it starts %v", entry)
	}
	if err := understood(array(t, instruction(t, "CMD"))); err != nil {
		t.Errorf("its command: %v", err)
	}
	c := served(t)
	want := []string{portOf(t, c.Public.Listen), portOf(t, c.MTLS.Listen), portOf(t, c.Admin.Listen)}
	if got := strings.Fields(instruction(t, "EXPOSE")); !slices.Equal(got, want) {
		t.Errorf("it exposes %v, the server listens on %v", got, want)
	}
	inside, _, err := config.Read(config.Sources{Env: strings.Fields(instruction(t, "ENV"))})
	if err != nil || inside.DataDir != instruction(t, "VOLUME") {
		t.Errorf("data go to %s, which is not the volume: %v", inside.DataDir, err)
	}
	if user := instruction(t, "USER"); strings.HasPrefix(user, "0") || strings.HasPrefix(user, "root") {
		t.Errorf("it runs as %s", user)
	}
}

func TestDefaultContainer(t *testing.T) {
	file := composed(t)
	s := file.Services["chirograph"]
	if err := understood(s.Command); err != nil {
		t.Errorf("its command: %v", err)
	}
	if !slices.Equal(s.Command, array(t, instruction(t, "CMD"))) {
		t.Errorf("it runs %v, the image %s", s.Command, instruction(t, "CMD"))
	}
	check := s.Healthcheck.Test
	if len(check) < 3 || check[0] != "CMD" || check[1] != "/chirograph" || understood(check[2:]) != nil || !slices.Contains(check, "--live") {
		t.Errorf("the health check is %q", check)
	}
	c := served(t)
	for i, listen := range []string{c.Public.Listen, c.MTLS.Listen} {
		if port := portOf(t, listen); i >= len(s.Ports) || s.Ports[i] != port+":"+port {
			t.Errorf("ports are %v, the server listens on %s", s.Ports, port)
		}
	}
	if len(s.Ports) != 2 {
		t.Errorf("ports are %v: the admin port stays inside", s.Ports)
	}
	grace, err := time.ParseDuration(s.StopGracePeriod)
	if drain := config.Default().Drain; err != nil || grace <= time.Duration(drain.Delay+drain.Timeout) {
		t.Errorf("it may end within %s, which is too soon: %v", grace, err)
	}
	if !s.ReadOnly || !slices.Contains(s.Tmpfs, "/tmp") || !slices.Contains(s.CapDrop, "ALL") {
		t.Errorf("it may do more than it needs: %+v", s)
	}
	mounted(t, s.Volumes)
	commented(t, read(t, "../../docker-compose.yml"))
}

// mounted holds what must survive to volumes.
func mounted(t *testing.T, volumes []string) {
	t.Helper()
	for _, pair := range strings.Fields(instruction(t, "ENV")) {
		name, path, _ := strings.Cut(pair, "=")
		if name == config.FileVariable {
			path = filepath.Dir(path)
		}
		if !slices.ContainsFunc(volumes, func(v string) bool { return strings.HasSuffix(v, ":"+path) }) {
			t.Errorf("%s is on no volume", pair)
		}
	}
}

// commented checks the commands that the file's comments tell people to run.
func commented(t *testing.T, text string) {
	t.Helper()
	seen := 0
	for line := range strings.Lines(text) {
		if args, found := ours(strings.TrimPrefix(strings.TrimSpace(line), "#")); found && strings.Contains(line, "docker compose") {
			seen++
			if err := understood(args); err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
	if seen == 0 {
		t.Error("nobody is told how to begin")
	}
}
