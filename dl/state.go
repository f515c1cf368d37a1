package dl

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// A training state is a safetensors file. Its tensors are the model's, under
// "model.", the optimizer's, under "optimizer." and the parameter's name and
// PyTorch's word such as "exp_avg", sums of Options.Accumulate, and the rest as
// JSON text in a tensor of bytes: a tensor, because the checksum covers those.

// stateTensor is the name of the JSON text.
const stateTensor = "training.json"

// stateVersion is the format's.
const stateVersion = 1

// stepState is what a training state says beside its tensors.
type stepState struct {
	Version  int
	N, Seen  int
	Size     int // rows of the compiled program
	Rates    []exact
	Momenta  []exact `json:",omitempty"`
	Rule     string  // the optimizer's settings
	Seed     uint64
	Batches  int // added up so far
	Schedule *scheduleState
	Run      *progress `json:",omitempty"`
}

// Save writes the whole state of a training by hand to a safetensors file:
// the model's weights, what the optimizer keeps, learning rates, schedule, the
// number of steps and where random numbers go on. [Step.Load] reads it, and
// the same batches then give the same weights to the last bit. In a job whose
// processes divide what the optimizer keeps, all must call it. The file is
// written as [Model.Save] does; in Python, the entries "model.…" are the state
// dict.
func (s *Step) Save(path string) error {
	dict, err := s.state(xla.Context(), nil, nil)
	if err != nil {
		return err
	}
	return SaveStateDict(path, dict)
}

// Load takes up the training state that [Step.Save], or a run with
// Training.Checkpoint, wrote. Model and optimizer must be those of the state.
// A file that does not fit, or is damaged, is an error, and changes nothing.
// A schedule is set before Load, by the same scheduler as in the state.
func (s *Step) Load(path string) error {
	dict, err := LoadStateDict(path)
	if err != nil {
		return err
	}
	if _, err := s.take(dict); err != nil {
		return fmt.Errorf("dl: load training state %s: %w", path, err)
	}
	return nil
}

// state returns the training state, of a run where there is one, with further
// tensors. The context ends the wait for other processes.
func (s *Step) state(ctx context.Context, run *progress, more StateDict) (StateDict, error) {
	if err := s.wrong(); err != nil {
		return nil, err
	}
	m := s.model
	s.turn.Lock() // no step may come between the weights and the rest
	defer s.turn.Unlock()
	s.mu.Lock()
	synced, batches := s.synced, s.sums.batches
	s.mu.Unlock()
	if synced && batches > 0 {
		return nil, fmt.Errorf("dl: save training state: each process has its own part of the gradients of %d batches; call Flush before", batches)
	}
	slots, err := s.wholeSlots(ctx)
	if err != nil {
		return nil, during("save training state", err)
	}
	defer lockVariables(m.vars)()
	s.mu.Lock()
	defer s.mu.Unlock()
	dict := StateDict{}
	for name, t := range m.StateDict() {
		dict["model."+name] = t
	}
	member, err := s.groups.of(m)
	if err != nil {
		return nil, err
	}
	for i, sp := range m.specs {
		if kept := slots[sp.name]; kept != nil {
			for k, slot := range s.slotsOf(learner{i, member[i]}) {
				dict["optimizer."+sp.name+"."+slot.name] = sp.keep(kept[k])
			}
		}
		if sum := s.sums.of[sp.name]; sum != nil {
			dict["sum."+sp.name] = sp.keep(sum)
		}
	}
	if s.sums.total != nil {
		dict["sum"] = newTensor(s.sums.total.Float32s(), nil)
	}
	for name, t := range more {
		dict[name] = t
	}
	st := stepState{Version: stateVersion, N: s.n, Seen: s.seen, Size: s.size, Rule: s.rule, Seed: s.seed, Batches: s.sums.batches, Run: run}
	for _, lr := range s.rates {
		st.Rates = append(st.Rates, exact(lr))
	}
	for _, m := range s.momenta {
		st.Momenta = append(st.Momenta, exact(m))
	}
	if s.schedule != nil {
		copied := s.schedule.state
		st.Schedule = &copied
	}
	text, err := json.Marshal(st)
	if err != nil {
		return nil, fmt.Errorf("dl: save training state: %w", err)
	}
	dict[stateTensor] = FromSlice(text)
	return dict, nil
}

// take sets everything to what a training state says, or nothing.
func (s *Step) take(dict StateDict) (stepState, error) {
	var st stepState
	if err := s.wrong(); err != nil {
		return st, err
	}
	text := dict[stateTensor]
	if text == nil || text.dtype != Uint8 {
		return st, fmt.Errorf("the file has no %q, so it holds weights only; use Model.Load", stateTensor)
	}
	if err := json.Unmarshal(text.flat().([]uint8), &st); err != nil {
		return st, fmt.Errorf("its %q is no training state (%v): %w", stateTensor, err, ErrCorrupt)
	}
	switch {
	case st.Version != stateVersion:
		return st, fmt.Errorf("its format is %d, want %d; use the version of holt that wrote it", st.Version, stateVersion)
	case st.Rule != s.rule:
		return st, fmt.Errorf("it was trained with the optimizer settings %s, not %s; use the same ones, or Model.LoadStateDict for the weights alone", st.Rule, s.rule)
	case len(st.Rates) != len(s.rates):
		return st, fmt.Errorf("it has %d learning rates, want %d", len(st.Rates), len(s.rates))
	case len(st.Momenta) != 0 && len(st.Momenta) != len(s.momenta):
		return st, fmt.Errorf("it has %d momenta, want %d", len(st.Momenta), len(s.momenta))
	case (st.Schedule == nil) != (s.schedule == nil):
		return st, fmt.Errorf("one of the state and this training has a scheduler and the other none; use the same Scheduler")
	case st.Schedule != nil && (len(st.Schedule.Base) != len(s.rates) || len(st.Schedule.Scale) != len(s.rates)):
		return st, fmt.Errorf("its schedule is of %d rates, want %d", len(st.Schedule.Base), len(s.rates))
	}
	if err := st.check(); err != nil {
		return st, err
	}
	if _, plateau := s.plateau(); st.Schedule != nil && !plateau && len(st.Schedule.Set) != len(s.rates) {
		return st, fmt.Errorf("its schedule set %d rates, want %d: %w", len(st.Schedule.Set), len(s.rates), ErrCorrupt)
	}
	weights := StateDict{}
	for name, t := range dict {
		if rest, ok := strings.CutPrefix(name, "model."); ok {
			weights[rest] = t
		}
	}
	kept := map[string][]*Tensor{}
	sums := gradientSums{batches: st.Batches}
	member, err := s.groups.of(s.model)
	if err != nil {
		return st, err
	}
	for i, sp := range s.model.specs {
		if member[i] < 0 || s.groups[member[i]].rule == nil {
			continue
		}
		slots := s.slotsOf(learner{i, member[i]})
		for _, slot := range slots {
			name := "optimizer." + sp.name + "." + slot.name
			if t := dict[name]; t != nil {
				if !t.shape.Equal(sp.shape) {
					return st, &ShapeError{Op: name, Got: t.shape, Want: fmt.Sprint([]int(sp.shape))}
				}
				kept[sp.name] = append(kept[sp.name], sp.keep(t))
			}
		}
		if n := len(kept[sp.name]); n != 0 && n != len(slots) {
			return st, fmt.Errorf("it has %d of the %d tensors that the optimizer keeps for %s: %w", n, len(slots), sp.name, ErrCorrupt)
		}
		if t := dict["sum."+sp.name]; t != nil {
			if !t.shape.Equal(sp.shape) {
				return st, &ShapeError{Op: "sum." + sp.name, Got: t.shape, Want: fmt.Sprint([]int(sp.shape))}
			}
			if sums.of == nil {
				sums.of = map[string]*Tensor{}
			}
			sums.of[sp.name] = sp.keep(t)
		}
	}
	if sums.batches > 0 {
		if t := dict["sum"]; t != nil && t.Size() == 1 {
			sums.total = newTensor(t.Float32s(), nil)
		} else {
			return st, fmt.Errorf("its sums have no total: %w", ErrCorrupt)
		}
	}
	// The weights come last of what may fail, and first of what changes.
	if err := s.model.LoadStateDict(weights); err != nil {
		return st, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, lr := range st.Rates {
		s.rates[i] = float64(lr)
	}
	for i, m := range st.Momenta {
		s.momenta[i] = float64(m)
	}
	s.kept, s.inPieces, s.sums, s.n, s.seen, s.size, s.seed = kept, nil, sums, st.N, st.Seen, st.Size, st.Seed
	if st.Schedule != nil {
		s.schedule.state = *st.Schedule
		s.schedule.state.Scale = slices.Clone(st.Schedule.Scale)
	}
	return st, nil
}

// plateau returns the step's scheduler where it is a plateau's, which sets no
// rates by a plan.
func (s *Step) plateau() (ReduceLROnPlateau, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.schedule == nil {
		return ReduceLROnPlateau{}, false
	}
	p, ok := s.schedule.how.(ReduceLROnPlateau)
	return p, ok
}

// A training state comes from a file, which may be forged: what it says is
// looked at before anything is taken up, so that no number of it fails later,
// in the middle of a training.

// mostRows is the largest batch that a saved state may ask for.
const mostRows = 1 << 16

// check returns an error for a state that no training can have.
func (st *stepState) check() error {
	bad := func(what string, v any) error { return fmt.Errorf("its %s is %v: %w", what, v, ErrCorrupt) }
	for _, n := range []struct {
		name  string
		value int
	}{{"number of steps", st.N}, {"number of batches", st.Seen}, {"number of batches added up", st.Batches}, {"batch size", st.Size}} {
		if n.value < 0 {
			return bad(n.name, n.value)
		}
	}
	if st.Size > mostRows {
		return bad("batch size", st.Size)
	}
	for _, lr := range st.Rates {
		if !finite(lr) {
			return bad("learning rate", lr)
		}
	}
	for _, m := range st.Momenta {
		if !(m >= 0 && m < 1) {
			return bad("momentum", m)
		}
	}
	if c := st.Schedule; c != nil {
		for _, list := range [][]exact{c.Base, c.Scale, c.Set} {
			if len(list) != len(st.Rates) && len(list) != 0 {
				return fmt.Errorf("its schedule is of %d rates, want %d: %w", len(list), len(st.Rates), ErrCorrupt)
			}
			for _, v := range list {
				if !finite(v) {
					return bad("schedule's rate", v)
				}
			}
		}
		if c.N < 0 || c.Bad < 0 || c.Wait < 0 {
			return bad("schedule's count", min(c.N, c.Bad, c.Wait))
		}
	}
	if st.Run != nil {
		return st.Run.check()
	}
	return nil
}

func finite(v exact) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }
