package ledger

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const filePrefix = "checkpoint-"

// fileOf is where a folder has the checkpoint of an epoch.
func fileOf(folder string, epoch int64) string {
	return filepath.Join(folder, fmt.Sprintf("%s%d", filePrefix, epoch))
}

// keep writes the newest checkpoint of an epoch into a folder. When it
// returns, the file is on disk and whole, or as it was before.
func keep(folder string, c Checkpoint) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, ".new-")
	if err != nil {
		return err
	}
	_, err = f.Write(c.Note)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), fileOf(folder, c.Epoch))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncFolder(folder)
}

func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// A file is a note found in a folder.
type file struct {
	path string
	note []byte
}

// kept returns the checkpoint files of a folder. A folder that does not exist
// has none.
func kept(folder string) ([]file, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var files []file
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), filePrefix) {
			continue
		}
		path := filepath.Join(folder, e.Name())
		note, err := readBounded(path)
		if err != nil {
			return nil, err
		}
		files = append(files, file{path, note})
	}
	return files, nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxNote+1))
}
