package deliveries

import (
	"os/exec"
	"syscall"
)

// tied lets a process die with the tests, however they end.
func tied(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
