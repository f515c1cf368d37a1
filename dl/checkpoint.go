package dl

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

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

// runState is what a training state says of a run.
type runState struct {
	Epoch, InEpoch int // whole epochs done, and batches of the one going on
	Sum, Part      tallyState
	Epochs         []epochState
	Best           exact
	BestEpoch      int
	CurveX, CurveY []exact
	Each, Pending  int
	SX, SY         exact
}

type tallyState struct {
	Loss, Weight, Right, Labels exact
	Rows                        int
}

func (t tally) state() tallyState {
	return tallyState{exact(t.loss), exact(t.weight), exact(t.right), exact(t.labels), t.rows}
}

func (t tallyState) tally() tally {
	return tally{float64(t.Loss), float64(t.Weight), float64(t.Right), float64(t.Labels), t.Rows}
}

type epochState struct {
	N, Steps    int
	Train, Eval resultState
	LR          exact
	Took        time.Duration
}

type resultState struct {
	Loss, Accuracy exact
	N              int
	LossName       string
	Names          []string
	Values         []exact
	Confusion      *Confusion
}

func (r Result) state() resultState {
	s := resultState{Loss: exact(r.Loss), Accuracy: exact(r.Accuracy), N: r.N, LossName: r.LossName, Confusion: r.Confusion}
	for _, m := range r.Metrics {
		s.Names, s.Values = append(s.Names, m.Name), append(s.Values, exact(m.Value))
	}
	return s
}

func (s resultState) result() Result {
	r := Result{Loss: float64(s.Loss), Accuracy: float64(s.Accuracy), N: s.N, LossName: s.LossName, Confusion: s.Confusion}
	for i, name := range s.Names[:min(len(s.Names), len(s.Values))] {
		r.Metrics = append(r.Metrics, MetricValue{name, float64(s.Values[i])})
	}
	return r
}

// save writes the run's whole state.
func (r *Run) save() error {
	r.mu.Lock()
	st := &runState{
		Epoch: r.epoch - 1, InEpoch: r.inEpoch, Sum: r.sum.state(), Part: r.part.state(),
		Best: exact(r.best.value), BestEpoch: r.best.epoch,
		Each: r.loss.each, Pending: r.loss.pending, SX: exact(r.loss.sx), SY: exact(r.loss.sy),
	}
	if r.closed {
		st.Epoch, st.InEpoch, st.Sum, st.Part = r.epoch, 0, tallyState{}, tallyState{}
	}
	for _, e := range r.epochs {
		st.Epochs = append(st.Epochs, epochState{e.N, e.Steps, e.Train.state(), e.Eval.state(), exact(e.LR), e.Took})
	}
	for i := range r.loss.x {
		st.CurveX, st.CurveY = append(st.CurveX, exact(r.loss.x[i])), append(st.CurveY, exact(r.loss.y[i]))
	}
	best := StateDict{}
	for name, t := range r.best.weights {
		best["best."+name] = t
	}
	r.mu.Unlock()
	dict, err := r.step.state(st, best)
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
	st := all.Run
	if st == nil { // of a training by hand: only the steps go on
		return nil
	}
	best := StateDict{}
	for name, t := range dict {
		if rest, ok := strings.CutPrefix(name, "best."); ok {
			best[rest] = t
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.epoch, r.inEpoch, r.sum, r.part = st.Epoch, st.InEpoch, st.Sum.tally(), st.Part.tally()
	r.first = all.N
	r.best = watched{value: float64(st.Best), epoch: st.BestEpoch}
	if len(best) > 0 {
		r.best.weights = best
	}
	for _, e := range st.Epochs {
		r.epochs = append(r.epochs, Epoch{e.N, e.Steps, e.Train.result(), e.Eval.result(), float64(e.LR), e.Took})
	}
	r.loss = curve{each: st.Each, pending: st.Pending, sx: float64(st.SX), sy: float64(st.SY)}
	for i := range st.CurveX[:min(len(st.CurveX), len(st.CurveY))] {
		r.loss.x, r.loss.y = append(r.loss.x, float64(st.CurveX[i])), append(r.loss.y, float64(st.CurveY[i]))
	}
	return nil
}

// exact is a float64 that JSON keeps to the last bit, also where it is NaN or
// infinite, which encoding/json refuses.
type exact float64

// MarshalJSON writes a number, or a string for what is none.
func (e exact) MarshalJSON() ([]byte, error) {
	v := float64(e)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return json.Marshal(fmt.Sprint(v))
	}
	return json.Marshal(v)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *exact) UnmarshalJSON(b []byte) error {
	s := string(b)
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	*e = exact(v)
	return err
}
