package platform

import (
	"os"
	"path/filepath"

	"github.com/chirograph/chirograph/cmd/chirograph/internal/config"
	"github.com/chirograph/chirograph/eventstore/ledger"
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
func (f Folder) outbox() string          { return f.file("waiting.db") }
func (f Folder) projections() string     { return f.file("projections.db") }
func (f Folder) erased() string          { return f.file("erased-through") }

// whole refuses a folder whose log is gone. Another one in its place would be
// sealed with the keys, and signed under the checkpoints, of the one that was.
func (f Folder) whole() error {
	_, noLog := os.Stat(f.log())
	_, noKeyring := os.Stat(f.keyring())
	if noLog != nil && noKeyring == nil {
		return &ledger.UnverifiableError{What: "the log " + f.log() + " is missing, though its keyring is there: put a backup back (restore)", Err: noLog}
	}
	return nil
}

// Admin is the file that tells commands where a running server is.
func (f Folder) Admin() string { return f.file("admin.json") }

// AdminFile is that file of the folder that a configuration names.
func AdminFile(c config.Config) string { return folderOf(c).Admin() }
