package admin

import (
	"path/filepath"
	"time"

	"github.com/chirograph/chirograph/projections"
)

func (s *Server) listProjections(c *call) (any, error) {
	health, err := s.Projections.Health(c.Context())
	return listing[projections.Health]{health}, err
}

// rebuildProjection folds a projection anew, beside its present tables.
func (s *Server) rebuildProjection(c *call) (any, error) {
	if err := s.Projections.Rebuild(c.Context(), c.PathValue("projection")); err != nil {
		return nil, err
	}
	return s.listProjections(c)
}

// newRegistrationToken makes a token that opens an issuer's registration
// endpoint. It is told once and never again.
func (s *Server) newRegistrationToken(c *call) (any, error) {
	var body struct {
		Lifetime Duration `json:"lifetime"`
	}
	if err := c.read(&body); err != nil {
		return nil, err
	}
	life := time.Duration(body.Lifetime)
	if life <= 0 || life > 90*24*time.Hour {
		return nil, invalid("lifetime must be more than 0s and at most 90d")
	}
	token, err := s.API.NewInitialAccessToken(c.Context(), c.meta(), c.PathValue("issuer"), life)
	if err != nil {
		return nil, invalid(err.Error())
	}
	return struct {
		Token   string    `json:"initial_access_token"`
		Expires time.Time `json:"expires_at"`
	}{token, s.API.Now().Add(life).UTC().Truncate(time.Second)}, nil
}

// backup writes a copy of the installation to a folder of the server.
func (s *Server) backup(c *call) (any, error) {
	var body struct {
		Folder string `json:"folder"`
	}
	if err := c.read(&body); err != nil {
		return nil, err
	}
	if !filepath.IsAbs(body.Folder) {
		return nil, invalid("folder must be an absolute path on the server")
	}
	return s.Backup(c.Context(), body.Folder)
}
