package platform

import (
	"path/filepath"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
)

// A Folder is where an installation lies.
type Folder struct {
	Dir         string
	Master      string
	Checkpoints []string // where checkpoints and the list of erasures are kept
}

func folderOf(c config.Config) Folder {
	f := Folder{Dir: c.DataDir, Master: c.Keys.MasterKeyFile}
	if f.Master == "" {
		f.Master = f.file("master.key")
	}
	f.Checkpoints = []string{f.file("checkpoints")}
	if c.Checkpoints.Folder != "" {
		f.Checkpoints = append(f.Checkpoints, c.Checkpoints.Folder)
	}
	return f
}

func (f Folder) file(name string) string { return filepath.Join(f.Dir, name) }
func (f Folder) log() string             { return f.file("log.db") }
func (f Folder) keyring() string         { return f.file("keyring.db") }
func (f Folder) state() string           { return f.file("state.db") }
func (f Folder) projections() string     { return f.file("projections.db") }
func (f Folder) erased() string          { return f.file("erased-through") }

// Admin is the file that tells commands where a running server is.
func (f Folder) Admin() string { return f.file("admin.json") }

// AdminFile is that file of the folder that a configuration names.
func AdminFile(c config.Config) string { return folderOf(c).Admin() }
