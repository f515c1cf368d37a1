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
		if g.rule == nil {
			continue
		}
		with, err := swing(g.rule)
		if err != nil {
			return err
		}
		groups[i].rule = with
	}
	s.groups = groups
	return nil
}

// cycle gives the optimizer a momentum where it has none. The caller holds mu.
func (o *Optim) cycle() error {
	for k, g := range o.groups {
		with, err := swing(g.rule)
		if err != nil {
			return err
		}
		for _, s := range with.slots()[len(g.rule.slots()):] { // that of the momentum is the last
			for i, p := range o.params {
				if o.in[i] == k {
					o.slots[i] = append(o.slots[i], newVariable(filled(p.shape, float32(s.start)), false))
				}
			}
		}
		o.groups[k].rule = with
	}
	return nil
}

// swing returns a rule that has a momentum.
func swing(r rule) (rule, error) {
	if r.momentum() > 0 {
		return r, nil
	}
	if w, ok := r.(swinging); ok {
		return w.withMomentum(0.5), nil // any; the schedule sets it
	}
	of := any(r)
	if own, ok := r.(ownRule); ok {
		of = own.own
	}
	return nil, fmt.Errorf("dl: OneCycleLR: %T has no momentum to change, want SGD, RMSprop, Adam or AdamW; set KeepMomentum", of)
}

func (s SGD) momentum() float64           { return s.Momentum }
func (s SGD) withMomentum(m float64) rule { s.Momentum = m; return s }

func (r RMSprop) momentum() float64           { return r.Momentum }
func (r RMSprop) withMomentum(m float64) rule { r.Momentum = m; return r }

func (a Adam) momentum() float64  { return a.defaults().Beta1 }
func (a AdamW) momentum() float64 { return a.adam().momentum() }

func (Adagrad) momentum() float64 { return 0 }
