//go:build !unix

package pgtest

import (
	"errors"
	"os/exec"
)

var errElsewhere = errors.New("servers are started on Unix only")

func (s *Server) launch() error      { return errElsewhere }
func unprivileged(*exec.Cmd) error   { return errElsewhere }
func giveAway(paths ...string) error { return errElsewhere }
func killTree(pid int) error         { return errElsewhere }
