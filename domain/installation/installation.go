// Package installation declares what happens to a log as a whole: how it began,
// and that it was restored to an earlier state.
package installation

import (
	"fmt"

	"github.com/chirograph/chirograph/domain/event"
)

// Stream is the name of the one stream of these events.
const Stream = "installation-log"

// Purposes of a log. A server for production refuses a log made for
// development, for ever.
const (
	Development = "development"
	Production  = "production"
)

type (
	// Created is the first event of every log.
	Created struct {
		Purpose  string `json:"purpose"`
		Software string `json:"software"`
	}

	// Restored is the first event of a new epoch: it admits that what came
	// after Size in the old epoch is lost.
	Restored struct {
		Epoch      int    `json:"epoch"`
		Checkpoint string `json:"checkpoint"` // the newest of the old epoch, as signed
		Size       int64  `json:"size"`       // leaves that were restored
		Reason     string `json:"reason,omitempty"`
	}
)

// Events declares every event of an installation.
var Events = []event.Declaration{
	event.Type[Created]{
		Name:  "installation.created",
		Audit: func(e Created, _ event.Names) string { return "the log was begun, for " + e.Purpose },
	},
	event.Type[Restored]{
		Name: "installation.restored",
		Audit: func(e Restored, _ event.Names) string {
			why := ""
			if e.Reason != "" {
				why = ": " + e.Reason
			}
			return fmt.Sprintf("the log was restored to %d events; epoch %d begins%s", e.Size, e.Epoch, why)
		},
	},
}
