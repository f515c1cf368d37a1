package dl

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// Three programs train. One does a whole step. With Options.Accumulate one
// adds a batch's gradients to sums, and another does the step by the sums.

// layout is which of the model's values a program changes.
type layout struct {
	trained []learner // by their gradient
	buffers []int     // in the forward pass: running means
	norms   bool      // the gradients' lengths are among the results
}

// pass is a compiled program for a batch.
type pass struct {
	needs limits
	// run executes it and puts the results in their places. The caller holds
	// the model's train and the step's mu.
	run func(full Batch, rows int) (score []float32, err error)
}

// learner is a parameter that is trained.
type learner struct {
	at    int // in the model's specs
	group int
}

// learners returns what is trained: the parameters that are in a group with an
// optimizer and not frozen.
func (s *Step) learners() ([]learner, error) {
	member, err := s.groups.of(s.model)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(s.model.learning(), true) {
		return nil, errFrozen()
	}
	var all []learner
	for i, learns := range s.model.learning() {
		if g := member[i]; learns && g >= 0 && s.groups[g].rule() != nil {
			all = append(all, learner{i, g})
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("every parameter of the groups is frozen, want one that learns; call model.Unfreeze, or name others in ParamGroups")
	}
	return all, nil
}

// key identifies one of the step's programs.
func (s *Step) key(what string, on *device, trained []learner) string {
	return fmt.Sprintf("%s %s %s %s %+v %v", what, on.label(), s.groups.settings(), s.model.mode(), s.options, trained)
}

// fused returns the program of a whole step.
func (s *Step) fused(ctx context.Context, on *device, batch Batch, size int) (pass, error) {
	m := s.model
	trained, err := s.learners()
	if err != nil {
		return pass{}, err
	}
	share, err := s.options.spread(on)
	if err != nil {
		return pass{}, err
	}
	p, err := m.programs.get(s.key("step "+batch.key(size, s.loss), on, trained), func() (*program, error) {
		lay := layout{trained: trained}
		var needs limits
		p, err := compileOn(ctx, on, share, "training step", batch.of(size), func(g *graph.Graph) []*graph.Node {
			t := m.forward(g, true)
			t.precision = s.options.precision()
			slots := s.slotInputs(g, trained)
			n := t.loss(m, s.loss, batch, size)
			needs = n.needs
			scalars := s.scalarInputs(g)
			weights := t.weights(trained)
			values, kept, norms := s.update(trained, weights, graph.Gradient(n.mean(), weights...), slots, scalars)
			var after []*graph.Node
			lay.buffers, after = t.changed()
			values = append(append(values, after...), kept...)
			if lay.norms = norms != nil; lay.norms {
				values = append(values, norms)
			}
			return append(values, n.score)
		})
		if err == nil {
			p.layout, p.limits = lay, needs
			p.split = len(m.specs)
			for _, l := range trained {
				p.split += len(s.slotsOf(l))
			}
		}
		return p, err
	})
	if err != nil {
		return pass{}, err
	}
	return pass{p.limits, func(full Batch, rows int) ([]float32, error) {
		values, release := m.snapshot()
		defer release()
		inputs := append(slices.Clone(values), s.slotValues(trained)...)
		inputs = append(inputs, full.Inputs, full.Labels, Scalar(float32(rows)), randomKey(s.seed, uint64(s.seen)))
		out, err := p.run(append(inputs, s.scalarValues()...)...)
		if err != nil {
			return nil, err
		}
		// Read the results first: on an accelerator this is where a failed
		// execution shows.
		last := len(out) - 1
		score := out[last].Float32s()
		s.install(p.layout, out[:last])
		return score, nil
	}}, nil
}

// install puts the results of a step in their places: weights, buffers, the
// optimizer's slots and the gradients' lengths.
func (s *Step) install(lay layout, out []*Tensor) {
	m := s.model
	if lay.norms {
		last := len(out) - 1
		norms := map[string]float64{}
		for i, n := range out[last].Float64s() {
			norms[m.specs[lay.trained[i].at].name] = n
		}
		out[last].Free()
		s.norms, out = norms, out[:last]
	}
	next := slices.Clone(m.values)
	for _, l := range lay.trained {
		next[l.at], out = out[0], out[1:]
	}
	for _, i := range lay.buffers {
		next[i], out = out[0], out[1:]
	}
	kept := maps.Clone(s.kept)
	for _, l := range lay.trained {
		name, n := m.specs[l.at].name, len(s.slotsOf(l))
		for _, old := range kept[name] {
			old.Free()
		}
		kept[name], out = out[:n:n], out[n:]
	}
	s.kept = kept
	m.replace(next)
	s.n++
}

// slotsOf are what the optimizer keeps for a parameter.
func (s *Step) slotsOf(l learner) []slot { return s.groups[l.group].rule().slots() }

// slotInputs adds the optimizer's slots to a program.
func (s *Step) slotInputs(g *graph.Graph, trained []learner) [][]*graph.Node {
	all := make([][]*graph.Node, len(trained))
	for k, l := range trained {
		for range s.slotsOf(l) {
			all[k] = append(all[k], parameter(g, Float32, s.model.specs[l.at].shape))
		}
	}
	return all
}

// slotValues are the values for slotInputs. A parameter gets its slots when it
// is first trained. The caller holds mu.
func (s *Step) slotValues(trained []learner) []*Tensor {
	var all []*Tensor
	for _, l := range trained {
		sp := s.model.specs[l.at]
		if old := s.kept[sp.name]; len(old) > 0 && !old[0].shape.Equal(sp.shape) {
			delete(s.kept, sp.name) // the layer was replaced
		}
		if s.kept[sp.name] == nil {
			for _, slot := range s.slotsOf(l) {
				values := make([]float32, sp.shape.Size())
				for k := range values {
					values[k] = float32(slot.start)
				}
				s.kept[sp.name] = append(s.kept[sp.name], newTensor(values, sp.shape))
			}
		}
		all = append(all, s.kept[sp.name]...)
	}
	return all
}

// scalarInputs adds the numbers of the groups' optimizers to a program.
func (s *Step) scalarInputs(g *graph.Graph) [][]*graph.Node {
	all := make([][]*graph.Node, len(s.groups))
	for i, group := range s.groups {
		if r := group.rule(); r != nil {
			for range r.scalars(1, 1, 0.5) {
				all[i] = append(all[i], parameter(g, Float32, nil))
			}
		}
	}
	return all
}

// scalarValues are the values for scalarInputs at the next step.
func (s *Step) scalarValues() []*Tensor {
	var all []*Tensor
	for i, group := range s.groups {
		if r := group.rule(); r != nil {
			for _, v := range r.scalars(s.n+1, s.rates[i], s.momenta[i]) {
				all = append(all, Scalar(float32(v)))
			}
		}
	}
	return all
}

// weights returns the nodes of parameters.
func (t *trace) weights(which []learner) []*graph.Node {
	var all []*graph.Node
	for _, l := range which {
		all = append(all, t.params[t.model.specs[l.at].name])
	}
	return all
}

// changed returns the buffers that the forward pass gave new values, and
// these.
func (t *trace) changed() (which []int, values []*graph.Node) {
	for i, sp := range t.model.specs {
		if now := t.updates[sp.name]; now != nil {
			which, values = append(which, i), append(values, now)
		}
	}
	return which, values
}

// update writes the new weights and slots by the gradients, and the gradients'
// lengths where somebody wants them.
func (s *Step) update(trained []learner, weights, gradients []*graph.Node, slots, scalars [][]*graph.Node) (now, kept []*graph.Node, norms *graph.Node) {
	if s.options.GradNorms || s.options.ClipNorm > 0 {
		norms = lengths(gradients)
	}
	gradients = s.options.clip(gradients)
	for k, l := range trained {
		value, after := s.groups[l.group].rule().update(weights[k], gradients[k], slots[k], scalars[l.group])
		now, kept = append(now, value), append(kept, after...)
	}
	return now, kept, norms
}
