package dl

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Checkpoint says where a run keeps its whole state, so that it can go on
// after a stop or a crash as if nothing had happened. The zero value keeps
// nothing.
//
// The state is a safetensors file for each time it was saved, written beside
// its place, synced, renamed and checksummed: whenever the process ends, the
// newest whole file is found. One that is damaged is named in a notice and the
// one before it is used.
type Checkpoint struct {
	Dir   string // folder; it is made where it is missing
	Every int    // steps between saves; 0 means at the end of each epoch only
	Keep  int    // how many files are kept, the newest; 0 means 2
	// Resume goes on from the newest state in Dir, where there is one. Without
	// it, files in Dir are an error: nobody loses a training by a forgotten
	// setting.
	Resume bool
}

func (c Checkpoint) check() error {
	if c.Dir == "" && (c.Every != 0 || c.Keep != 0 || c.Resume) {
		return errors.New("dl: Checkpoint: Dir is empty, want a folder, such as runs/first")
	}
	if c.Every < 0 || c.Keep < 0 {
		return fmt.Errorf("dl: Checkpoint: Every is %d and Keep %d, want nothing negative", c.Every, c.Keep)
	}
	return nil
}

const (
	checkpointPrefix = "step-"
	checkpointSuffix = ".safetensors"
)

// path returns the file for a number of steps and batches seen. The numbers
// have leading zeros, so that names in order are states in order.
func (c Checkpoint) path(n, seen int) string {
	return filepath.Join(c.Dir, fmt.Sprintf("%s%010d-%010d%s", checkpointPrefix, n, seen, checkpointSuffix))
}

// files lists the states in the folder, the newest first.
func (c Checkpoint) files() ([]string, error) {
	entries, err := os.ReadDir(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("dl: Checkpoint: %w", err)
	}
	var files []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), checkpointPrefix) && strings.HasSuffix(e.Name(), checkpointSuffix) {
			files = append(files, filepath.Join(c.Dir, e.Name()))
		}
	}
	slices.Sort(files)
	slices.Reverse(files)
	return files, nil
}

// save writes a state and removes the oldest ones.
func (c Checkpoint) save(dict StateDict, n, seen int) error {
	if err := os.MkdirAll(c.Dir, 0o777); err != nil {
		return fmt.Errorf("dl: Checkpoint: %w", err)
	}
	if err := SaveStateDict(c.path(n, seen), dict); err != nil {
		return err
	}
	files, err := c.files()
	if err != nil {
		return err
	}
	keep := c.Keep
	if keep == 0 {
		keep = 2
	}
	for _, old := range files[min(keep, len(files)):] {
		if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) { // another run may have been first
			return fmt.Errorf("dl: Checkpoint: remove an old state: %w", err)
		}
	}
	return nil
}

// load gives take the newest state that is whole. Without any it gives
// nothing.
func (c Checkpoint) load(take func(StateDict) error) error {
	files, err := c.files()
	if err != nil {
		return err
	}
	for _, path := range files {
		dict, err := LoadStateDict(path)
		if err == nil {
			if err = take(dict); err == nil {
				return nil
			}
			err = fmt.Errorf("dl: load training state %s: %w", path, err)
		}
		if errors.Is(err, fs.ErrNotExist) { // another run has removed it since
			continue
		}
		if !errors.Is(err, ErrCorrupt) {
			return err
		}
		if Notice != nil {
			Notice("a checkpoint is left out and the one before it is used: " + strings.TrimPrefix(err.Error(), "dl: "))
		}
	}
	return nil
}
