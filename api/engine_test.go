package api

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/chirograph/chirograph/eventstore"
	"github.com/chirograph/chirograph/eventstore/storetest"
)

// nodesShare is true while the tests run on a log as nodes share it.
var nodesShare = false

// TestMain runs everything twice: on a log whose calls are all or nothing, as
// one node has it, and on one that does no more than its port promises.
func TestMain(m *testing.M) {
	code := m.Run()
	if flag.Lookup("test.fuzz").Value.String() == "" {
		nodesShare = true
		fmt.Println("and on a log that nodes share:")
		code = max(code, m.Run())
	}
	os.Exit(code)
}

// Engine is the log on which a test is to run, with the events of another.
func Engine(log eventstore.Log) eventstore.Log {
	if nodesShare {
		log = &storetest.Shared{Log: &storetest.Stepwise{Log: log}}
	}
	return log
}
