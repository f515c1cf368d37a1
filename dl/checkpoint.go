package dl

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/holt-dl/holt/internal/aside"
	"github.com/holt-dl/holt/internal/hooks"
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
	if !thisJob().writes() {
		return nil
	}
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
		hooks.Notice("a checkpoint is left out and the one before it is used: " + strings.TrimPrefix(err.Error(), "dl: "))
	}
	return nil
}

// newest says which file has the newest state.
func (c Checkpoint) newest() string {
	if files, err := c.files(); err == nil && len(files) > 0 {
		return "the last whole one is " + files[0]
	}
	return "and " + c.Dir + " has none"
}

// save writes the run's whole state. The context ends the wait for other processes.
func (r *Run) save(ctx context.Context) error {
	at := r.now
	if at.stage == stageBetween {
		at = at.atEpochEnd()
	}
	weights := StateDict{}
	for name, t := range at.Best.weights {
		weights["best."+name] = t
	}
	dict, err := r.step.state(ctx, &at, weights)
	if err != nil {
		return err
	}
	n, seen := r.step.counts()
	return r.training.Checkpoint.save(dict, n, seen)
}

// resume takes up the newest saved state, where Training.Checkpoint asks for
// it and there is one.
func (r *Run) resume() error {
	c := r.training.Checkpoint
	if err := c.check(); err != nil {
		return err
	}
	if c.Dir != "" {
		if files, err := c.files(); err != nil {
			return err
		} else if len(files) > 0 && !c.Resume {
			return fmt.Errorf("dl: Start: %s holds %d states of a training, want an empty folder; set Resume to go on from the newest, or choose another Dir", c.Dir, len(files))
		}
		aside.Sweep(c.Dir)
		return c.load(r.take)
	}
	return nil
}

// take sets the run to a saved state.
func (r *Run) take(dict StateDict) error {
	all, err := r.step.take(dict)
	if err != nil {
		return err
	}
	if all.Run == nil { // of a training by hand: only the steps go on
		return nil
	}
	weights := StateDict{}
	for name, t := range dict {
		if rest, ok := strings.CutPrefix(name, "best."); ok {
			weights[rest] = t
		}
	}
	at := *all.Run
	if len(weights) > 0 {
		at.Best.weights = weights
	}
	at.stage, at.clock, at.skipped = r.now.stage, r.now.clock, all.N
	r.now = at
	r.publish()
	return nil
}
