package dl

import (
	"fmt"
	"math"
)

// A training state comes from a file, which may be forged: what it says is
// looked at before anything is taken up, so that no number of it fails later,
// in the middle of a training.

// mostRows is the largest batch that a saved state may ask for.
const mostRows = 1 << 16

// sound returns an error for a state that no training can have.
func (st *stepState) sound() error {
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
		return st.Run.sound()
	}
	return nil
}

func (st *runState) sound() error {
	if st.Epoch < 0 || st.InEpoch < 0 || st.BestEpoch < 0 || st.Each < 0 || st.Pending < 0 || st.Sum.Rows < 0 || st.Part.Rows < 0 {
		return fmt.Errorf("its place in the data is epoch %d, batch %d: %w", st.Epoch, st.InEpoch, ErrCorrupt)
	}
	for i, e := range st.Epochs {
		for _, r := range []resultState{e.Train, e.Eval} {
			if len(r.Names) != len(r.Values) {
				return fmt.Errorf("its epoch %d has %d metrics and %d values: %w", i+1, len(r.Names), len(r.Values), ErrCorrupt)
			}
			if r.Confusion == nil {
				continue
			}
			for _, row := range r.Confusion.Counts {
				if len(row) != len(r.Confusion.Counts) {
					return fmt.Errorf("its epoch %d has a confusion matrix of %d rows and %d columns: %w", i+1, len(r.Confusion.Counts), len(row), ErrCorrupt)
				}
			}
		}
	}
	return nil
}

func finite(v exact) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }
