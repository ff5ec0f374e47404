//go:build unix

package pgtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// guardian runs the server beside a pipe that only the test process holds: a
// line on it stops the server in order, its end stops it at once and removes
// its folder.
const guardian = `
folder=$1 limit=$2; shift 2
[ "$limit" = 0 ] || ulimit -f "$limit"
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
{ if read -r line <&3; then kill -INT $server; else touch "$folder/abandoned"; kill -QUIT $server; fi; } 2>/dev/null &
watch=$!
exec 3<&-
wait $server; code=$?
kill $watch 2>/dev/null
if [ -e "$folder/abandoned" ]; then cd /; rm -rf "$folder"; fi
exit $code
`

// launch starts the server and waits until it answers.
func (s *Server) launch() error {
	said, err := os.Create(filepath.Join(s.folder, "said"))
	if err != nil {
		return err
	}
	defer said.Close()
	args := []string{"-c", guardian, "guardian", s.folder, strconv.FormatInt(s.FileSize/512, 10), filepath.Join(s.bin, "postgres")}
	c := exec.Command("/bin/sh", append(args, s.arguments()...)...)
	c.Dir, c.Stdout, c.Stderr = s.folder, said, said
	if err := unprivileged(c); err != nil {
		return err
	}
	c.SysProcAttr.Setpgid = true // an interrupt from the terminal is for the test process
	life, err := c.StdinPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	s.life, s.ended = life, make(chan struct{})
	go func(ended chan struct{}) { _ = c.Wait(); close(ended) }(s.ended)
	return s.ready()
}

// postgres refuses to run as root.
func account() (uid, gid int, err error) {
	if os.Getuid() != 0 {
		return os.Getuid(), os.Getgid(), nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return 0, 0, err
	}
	uid, err = strconv.Atoi(u.Uid)
	if err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, err
}

func unprivileged(c *exec.Cmd) error {
	c.SysProcAttr = &syscall.SysProcAttr{}
	uid, gid, err := account()
	if err == nil && os.Getuid() == 0 {
		c.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return err
}

func giveAway(paths ...string) error {
	uid, gid, err := account()
	for _, path := range paths {
		err = errors.Join(err, os.Chown(path, uid, gid))
	}
	return err
}

// killTree kills the postmaster and its children, which cannot multiply
// meanwhile because it is stopped first, and waits until they are gone: none
// of them may hold what the next server needs.
func killTree(pid int) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	family, err := family(pid)
	for _, member := range family {
		_ = syscall.Kill(member, syscall.SIGKILL) // it may have ended
	}
	if err != nil {
		return err
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		alive, err := processes(func(p process) bool { return slices.Contains(family, p.pid) })
		if err != nil || len(alive) == 0 {
			return err
		}
	}
	return errors.New("a process outlives being killed")
}

// family is a process and its children.
func family(pid int) ([]int, error) {
	children, err := processes(func(p process) bool { return p.parent == pid })
	return append(children, pid), err
}

type process struct{ pid, parent int }

// processes lists those that run and are selected.
func processes(selected func(process) bool) (pids []int, err error) {
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,stat=").Output()
	if err != nil {
		return nil, fmt.Errorf("ps: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		var p process
		var state string
		if n, _ := fmt.Sscan(line, &p.pid, &p.parent, &state); n == 3 && state[0] != 'Z' && selected(p) {
			pids = append(pids, p.pid)
		}
	}
	return pids, nil
}
