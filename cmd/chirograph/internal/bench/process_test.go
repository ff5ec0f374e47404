package bench

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"time"
)

// roleVariable tells a copy of the test binary what to serve.
const roleVariable = "CHIROGRAPH_BENCH_ROLE"

// folderVariable names a folder that a process works on, instead of an empty
// one.
const folderVariable = "CHIROGRAPH_BENCH_FOLDER"

// addressVariable fixes where the public listener is, for a server that comes
// back.
const addressVariable = "CHIROGRAPH_BENCH_ADDRESS"

// profileVariable names the files for CPU profiles of the servers, if wanted,
// up to the id of the process that follows.
const profileVariable = "CHIROGRAPH_BENCH_PROFILE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		if err := serveRole(role); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveRole serves until standard input ends, after telling where.
func serveRole(role string) error {
	start := map[string]func(dir string) (ready, func(), error){"server": startServer, "floor": startFloor, "backchannel": startBackchannel}[role]
	told, stop, err := start(os.Getenv(roleVariable + "_DIR"))
	if err != nil {
		return err
	}
	defer stop()
	if file := os.Getenv(profileVariable); file != "" && role != "floor" {
		out, err := os.Create(fmt.Sprintf("%s.%d", file, os.Getpid()))
		if err != nil {
			return err
		}
		defer out.Close()
		if err := pprof.StartCPUProfile(out); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if err := json.NewEncoder(os.Stdout).Encode(told); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// ready is what a process tells when it serves.
type ready struct {
	Public string `json:"public"` // host:port
	Mutual string `json:"mutual"`
}

// A process is a server or floor under measurement.
type process struct {
	ready
	cmd *exec.Cmd
}

func startProcess(b *testing.B, role string) *process {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, roleVariable+"_DIR="+cmp.Or(os.Getenv(folderVariable), b.TempDir()))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { stdin.Close(); cmd.Wait() })
	p := &process{cmd: cmd}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		b.Fatalf("%s did not start: %v", role, err)
	}
	if err := json.Unmarshal(line, &p.ready); err != nil {
		b.Fatal(err)
	}
	return p
}

// cpu is the processor time the process has used, user and system.
func (p *process) cpu(b *testing.B) time.Duration {
	b.Helper()
	used, err := statusOf(p.cmd.Process.Pid)
	if err != nil {
		b.Fatal(err)
	}
	return used.own
}

// resident is the memory the process holds, in bytes.
func (p *process) resident(b *testing.B) int64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}
