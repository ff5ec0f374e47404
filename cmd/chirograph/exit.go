package main

import (
	"errors"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/ask"
	"github.com/chirograph/chirograph/cmd/chirograph/internal/platform"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// Exit codes. Cron jobs tell "altered" from "down" by them.
const (
	exitOK           = 0
	exitFailure      = 1
	exitUsage        = 2
	exitNotFound     = 3
	exitForbidden    = 4
	exitConflict     = 5
	exitAltered      = 10
	exitUnverifiable = 11
)

// A usageError is a command line that cannot be.
type usageError struct{ error }

// A coded error ends the program with a code of its own.
type coded struct {
	error
	code int
}

func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if own, ok := errors.AsType[coded](err); ok {
		return own.code
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	if refused, ok := errors.AsType[*ask.Refused](err); ok {
		return codeOf(refused)
	}
	_, rollback := errors.AsType[*ledger.RollbackError](err)
	_, altered := errors.AsType[*ledger.AlteredError](err)
	_, missing := errors.AsType[*ledger.UnverifiableError](err)
	switch {
	case rollback || altered:
		return exitAltered
	case missing:
		return exitUnverifiable
	case errors.Is(err, platform.ErrNoData):
		return exitNotFound
	}
	return exitFailure
}

func codeOf(r *ask.Refused) int {
	switch {
	case r.Altered():
		return exitAltered
	case r.Status == 404:
		return exitNotFound
	case r.Status == 401 || r.Status == 403:
		return exitForbidden
	case r.Status == 409:
		return exitConflict
	}
	return exitFailure
}
