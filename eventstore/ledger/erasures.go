package ledger

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/chirograph/chirograph/eventstore"
)

// erasureFile stands beside the checkpoints, so that a restored log learns of
// erasures that its copy of the database does not know.
const erasureFile = "erasures"

// An Erasure says that the key of a subject was destroyed. It names nobody
// but the pseudonymous subject.
type Erasure struct {
	Subject  string              `json:"sub"`
	Position eventstore.Position `json:"position"` // of the event that records it
	At       time.Time           `json:"at"`
}

// RecordErasure adds a line to the list in every folder. When it returns nil
// the lines are on disk.
func RecordErasure(folders []string, e Erasure) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if err := appendLine(folder, append(line, '\n')); err != nil {
			return fmt.Errorf("record erasure in %s: %w", folder, err)
		}
	}
	return nil
}

func appendLine(folder string, line []byte) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(folder, erasureFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	end, err := endOfLines(f)
	if err == nil {
		_, err = f.WriteAt(line, end)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return syncFolder(folder)
}

// endOfLines is where the last whole line ends; what a crash left after it
// was never acknowledged.
func endOfLines(f *os.File) (int64, error) {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, err
	}
	for last := make([]byte, 1); end > 0; end-- {
		if _, err := f.ReadAt(last, end-1); err != nil {
			return 0, err
		}
		if last[0] == '\n' {
			break
		}
	}
	return end, f.Truncate(end)
}

// Erasures returns every erasure that any of the folders knows of.
func Erasures(folders []string) ([]Erasure, error) {
	var all []Erasure
	seen := map[string]bool{}
	for _, folder := range folders {
		text, err := os.ReadFile(filepath.Join(folder, erasureFile))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		text = text[:bytes.LastIndexByte(text, '\n')+1]
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			if seen[lines.Text()] {
				continue
			}
			seen[lines.Text()] = true
			var e Erasure
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.Subject == "" {
				return nil, &UnverifiableError{"erasure list in " + folder, err}
			}
			all = append(all, e)
		}
	}
	return all, nil
}
