//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A process is a command that runs until it is stopped, and all that it wrote.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error // once ended

	mu   sync.Mutex
	said bytes.Buffer
}

// start runs a command in a folder, in a process group of its own so that what
// it starts ends with it.
func start(cmd *exec.Cmd, dir string, env []string) (*process, error) {
	p := &process{cmd: cmd, ended: make(chan struct{})}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, p, p
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(b)
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// waitFor returns once the process has written text.
func (p *process) waitFor(text string, atMost time.Duration) error {
	return p.poll(atMost, func() bool { return strings.Contains(p.output(), text) })
}

// poll returns once ready is true; the process must be alive until then.
func (p *process) poll(atMost time.Duration, ready func() bool) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(atMost)
	for !ready() {
		select {
		case <-tick.C:
		case <-p.ended:
			return fmt.Errorf("ended before it was ready: %v\n%s", p.err, p.output())
		case <-deadline:
			return fmt.Errorf("not ready after %s\n%s", atMost, p.output())
		}
	}
	return nil
}

// stop interrupts the process and waits for it to end in good order. One that
// does not is killed.
func (p *process) stop() error {
	group := -p.cmd.Process.Pid
	if err := syscall.Kill(group, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		syscall.Kill(group, syscall.SIGKILL)
		<-p.ended
		return fmt.Errorf("had to be killed\n%s", p.output())
	}
	if p.err != nil {
		return fmt.Errorf("%w\n%s", p.err, p.output())
	}
	return nil
}
