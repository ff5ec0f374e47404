package admin

import (
	"errors"
	"slices"

	"github.com/chirograph/chirograph/domain/client"
	"github.com/chirograph/chirograph/domain/issuer"
	"github.com/chirograph/chirograph/domain/signingkey"
	"github.com/chirograph/chirograph/domain/subject"
	"github.com/chirograph/chirograph/eventstore"
)

// overtaken are the refusals that another node may have caused, by doing the
// same between a look at the log and what was decided after it.
var overtaken = []error{
	client.ErrExists, issuer.ErrExists, signingkey.ErrExists, signingkey.ErrNotAnnounced, subject.ErrExists, eventstore.ErrConflict,
}

// attempts bounds how often something is tried that others overtake.
const attempts = 4

// again tries what looks before it decides, and looks anew if somebody else was
// faster: what they made is there then, and need not be made.
func again(try func() error) (err error) {
	for range attempts {
		if err = try(); !slices.ContainsFunc(overtaken, func(e error) bool { return errors.Is(err, e) }) {
			return err
		}
	}
	return err
}
