package postgres

import "syscall"

// tcpUserTimeout is TCP_USER_TIMEOUT of tcp(7), which package syscall lacks.
const tcpUserTimeout = 0x12

// impatient bounds how long what was sent stays unacknowledged.
func impatient(network, _ string, c syscall.RawConn) (err error) {
	if network == "unix" {
		return nil
	}
	controlled := c.Control(func(socket uintptr) {
		err = syscall.SetsockoptInt(int(socket), syscall.IPPROTO_TCP, tcpUserTimeout, int(unanswered.Milliseconds()))
	})
	if controlled != nil {
		return controlled
	}
	return err
}
