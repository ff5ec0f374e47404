package api

import (
	"crypto/rand"

	"github.com/chirograph/chirograph/domain/oauth"

	"github.com/google/uuid"
)

// newID returns an id for a new stream. Ids are ordered in time, which keeps
// the log's index dense; they are not secret.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// newArtefact returns a new stream id with a new secret.
func newArtefact() oauth.Artefact {
	a := oauth.Artefact{ID: newID()}
	rand.Read(a.Secret[:])
	return a
}
