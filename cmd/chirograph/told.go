package main

import (
	"errors"
	"strings"

	"github.com/chirograph/chirograph/adapters/sqlite"
	"github.com/chirograph/chirograph/eventstore/ledger"
)

// told is what an operator reads of an error: without the names of packages,
// and with the way on where there is one.
func told(err error) string {
	text := strings.TrimSpace(plainly(err.Error()))
	_, rollback := errors.AsType[*ledger.RollbackError](err)
	_, altered := errors.AsType[*ledger.AlteredError](err)
	switch {
	case rollback:
		return text + "\nThis is not the newest copy of the log. Put the newest one back. If what came after it is lost for good:" +
			"\n  chirograph restore --accept-loss --reason ..."
	case altered:
		return text + "\nChange nothing and keep a copy of the folder. \"chirograph audit verify\" looks at all of it; a backup is put back by \"chirograph restore\"."
	case errors.Is(err, sqlite.ErrLocked):
		return text + "\nOnly one process may write. If a server is to be asked, is it this folder's, and does its admin port answer?"
	}
	return text
}

// plainly leaves out which package said it.
func plainly(text string) string {
	for _, name := range []string{"ledger: ", "sqlite: ", "keys: ", "eventstore: ", "projections: "} {
		text = strings.ReplaceAll(text, name, "")
	}
	return text
}
