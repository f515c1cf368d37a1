package dl

import (
	"fmt"
	"slices"
)

// A schedule may change the momentum too, SGD's and RMSprop's Momentum and
// Adam's Beta1, which are inputs of the compiled step as the learning rate is.

// cycler is a [Scheduler] that also says what the momentum is after n of its
// steps; not, where it leaves it alone.
type cycler interface {
	momentum(n int) (value float64, ok bool)
}

// cycles tells whether a scheduler changes the momentum at some time.
func cycles(how Scheduler) bool {
	switch s := how.(type) {
	case OneCycleLR:
		return !s.KeepMomentum
	case SequentialLR:
		return slices.ContainsFunc(s.Schedulers, cycles)
	}
	return false
}

// swinging is a rule that can do without momentum: with it, it keeps a slot
// more.
type swinging interface {
	rule
	withMomentum(m float64) rule
}

// cycle prepares the groups for a scheduler that changes the momentum: as
// PyTorch's OneCycleLR, it gives one to optimizers that had none. The caller
// holds mu.
func (s *Step) cycle() error {
	groups := slices.Clone(s.groups)
	for i, g := range groups {
		r := g.rule()
		if r == nil {
			continue
		}
		if w, ok := r.(swinging); ok && r.momentum() == 0 {
			groups[i].Optimizer = w.withMomentum(0.5) // any; the schedule sets it
		} else if r.momentum() == 0 {
			return fmt.Errorf("dl: OneCycleLR: %T has no momentum to change, want SGD, RMSprop, Adam or AdamW; set KeepMomentum", r)
		}
	}
	s.groups = groups
	return nil
}

func (s SGD) momentum() float64           { return s.Momentum }
func (s SGD) withMomentum(m float64) rule { s.Momentum = m; return s }

func (r RMSprop) momentum() float64           { return r.Momentum }
func (r RMSprop) withMomentum(m float64) rule { r.Momentum = m; return r }

func (a Adam) momentum() float64  { return a.defaults().Beta1 }
func (a AdamW) momentum() float64 { return a.adam().momentum() }

func (Adagrad) momentum() float64 { return 0 }
