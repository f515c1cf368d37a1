package dl

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// Three programs train. One does a whole step. With Options.Accumulate one
// adds a batch's gradients to sums, and another does the step by the sums.

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

// whole records a step: forward pass, backward pass and update. It returns what
// the program must give, the score last, and what to do with it.
func (s *Step) whole(r *recording, b *stepBatch) (wanted []*Tensor, commit func(out []*Tensor)) {
	n := r.loss(s.model, s.loss, b)
	b.classes = n.classes
	loss := n.mean()
	r.mustBeFinite(loss, "loss")
	gradients := r.differentiate(loss, s.leavesOf(r, b.trained))
	s.hooked(r, b.trained, gradients)
	kept := s.slotValues(b.trained)
	values, slots, norms := s.update(r, b.trained, gradients, kept)
	for k, l := range b.trained {
		r.assign(s.model.vars[l.at], values[k])
	}
	wanted = slots
	if norms != nil {
		wanted = append(wanted, norms)
	}
	return append(wanted, n.score), func(out []*Tensor) { s.install(b.trained, out, norms != nil) }
}

// install keeps the results of a step: the optimizer's slots and the gradients'
// lengths. The caller holds mu.
func (s *Step) install(trained []learner, out []*Tensor, norms bool) {
	if norms {
		last := len(out) - 1
		lengths := map[string]float64{}
		for i, n := range out[last].Float64s() {
			lengths[s.model.specs[trained[i].at].name] = n
		}
		out[last].Free()
		s.norms, out = lengths, out[:last]
	}
	kept := maps.Clone(s.kept)
	for _, l := range trained {
		name, n := s.model.specs[l.at].name, len(s.slotsOf(l))
		for _, old := range kept[name] {
			old.Free()
		}
		kept[name], out = out[:n:n], out[n:]
	}
	s.kept = kept
	s.n++
}

// leavesOf returns the trained parameters as they are read in a recording.
func (s *Step) leavesOf(r *recording, trained []learner) []leaf {
	all := make([]leaf, len(trained))
	for i, l := range trained {
		v := s.model.vars[l.at]
		all[i] = leaf{r.id(v), v}
	}
	return all
}

// hooked gives the gradients to the functions of [Tensor.OnGrad].
func (s *Step) hooked(r *recording, trained []learner, gradients []*Tensor) {
	for i, l := range trained {
		v := s.model.vars[l.at]
		gradients[i] = v.hooked(r, gradients[i])
		r.gradientMustBeFinite(v, gradients[i])
	}
}

// watches reports whether a loss or gradient that is not finite is an error.
func (s *Step) watches() bool {
	return !s.dry && !s.trial && (s.options.StopOnNaN || stopOnNaN.Load())
}

// slotsOf are what the optimizer keeps for a parameter.
func (s *Step) slotsOf(l learner) []slot { return s.groups[l.group].rule().slots() }

// slotValues are the values that the optimizer keeps. A parameter gets its slots
// when it is first trained. The caller has the turn.
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

// update records the new weights and slots by the gradients, and the gradients'
// lengths where they are wanted.
func (s *Step) update(r *recording, trained []learner, gradients, slots []*Tensor) (values, kept []*Tensor, norms *Tensor) {
	u := updater{clip: s.options, norms: s.options.GradNorms || s.options.ClipNorm > 0}
	key := fmt.Sprintf("%v %v %v %s", s.options.ClipNorm, s.options.ClipValue, u.norms, s.groups.settings())
	var xs []*Tensor
	for _, l := range trained {
		u.rules = append(u.rules, s.groups[l.group].rule())
		u.groups = append(u.groups, l.group)
		key += fmt.Sprint(" ", l.group)
		xs = append(xs, s.model.vars[l.at])
	}
	xs = append(append(xs, gradients...), slots...)
	for i, group := range s.groups {
		rule := group.rule()
		if rule == nil {
			u.scalars = append(u.scalars, 0)
			continue
		}
		s.mu.Lock()
		numbers := rule.scalars(s.n+1, s.rates[i], s.momenta[i])
		s.mu.Unlock()
		u.scalars = append(u.scalars, len(numbers))
		for _, v := range numbers {
			xs = append(xs, r.argument(Scalar(float32(v)), false))
		}
	}
	outs, _ := do(opKey{name: "update", settings: key}, nil, func(_ *trace, in []*node) []*node { return u.write(in) }, xs, nil, nil)
	if u.norms {
		last := len(outs) - 1
		norms, outs = outs[last], outs[:last]
	}
	return outs[:len(trained)], outs[len(trained):], norms
}

// updater writes the update of all parameters of a step.
type updater struct {
	rules   []rule // of each parameter
	groups  []int  // of each parameter
	scalars []int  // how many numbers each group has
	clip    Options
	norms   bool
}

func (u updater) write(in []*node) []*node {
	n := len(u.rules)
	raw := make([]*graph.Node, len(in))
	for i, x := range in {
		raw[i] = x.value()
	}
	weights, gradients, rest := raw[:n], raw[n:2*n], raw[2*n:]
	slots := make([][]*graph.Node, n)
	for i, rule := range u.rules {
		k := len(rule.slots())
		slots[i], rest = rest[:k:k], rest[k:]
	}
	scalars := make([][]*graph.Node, len(u.scalars))
	for i, k := range u.scalars {
		scalars[i], rest = rest[:k:k], rest[k:]
	}
	var out, kept []*node
	var norms *graph.Node
	if u.norms {
		norms = lengths(gradients)
	}
	gradients = u.clip.clip(gradients)
	for i, rule := range u.rules {
		value, after := rule.update(weights[i], gradients[i], slots[i], scalars[u.groups[i]])
		out = append(out, in[0].With(value))
		for _, a := range after {
			kept = append(kept, in[0].With(a))
		}
	}
	out = append(out, kept...)
	if norms != nil {
		out = append(out, in[0].With(norms))
	}
	return out
}

// stepBatch is a batch on its way through a step.
type stepBatch struct {
	size    int // of the program; rows of it count
	rows    int
	inputs  *Tensor // in the recording
	labels  *Tensor
	trained []learner
	classes int // of a classifier, which labels must stay below; 0 where there are none
}

// attempt does a batch: a step, or a part of one. record says what the program
// is, and commit what follows when it has run.
func (s *Step) attempt(ctx, running context.Context, on *xla.Device, batch Batch, rows, size int,
	record func(r *recording, b *stepBatch) (wanted []*Tensor, commit func(out []*Tensor))) (tally, error) {
	trained, err := s.learners()
	if err != nil {
		return tally{}, err
	}
	share, err := on.Group(s.options.Devices)
	if err != nil {
		return tally{}, err
	}
	s.turn.Lock()
	free := s.turn.Unlock
	defer func() { free() }()
	b := &stepBatch{size: size, rows: rows, trained: trained}
	r := s.model.record("training step", on)
	defer r.close()
	r.share, r.precision = share, s.options.precision()
	r.stopOnNaN = s.watches()
	var wanted []*Tensor
	var commit func([]*Tensor)
	err = xla.Guard(func() {
		defer r.begin()()
		full := batch.fill(size)
		b.inputs, b.labels = r.argument(full.Inputs, true), r.argument(full.Labels, true)
		r.batch, r.rows = size, r.argument(Scalar(float32(rows)), false)
		_, seen := s.counts()
		r.newKey = func() *Tensor { return randomKey(s.seed, uint64(seen)) }
		wanted, commit = record(r, b)
	})
	if err != nil {
		return tally{}, err
	}
	if s.dry {
		r.changed = nil
	}
	if err := batch.check(limits{classes: b.classes}, s.loss); err != nil {
		return tally{}, err
	}
	var t tally
	end := free
	free = func() {} // the program frees the turn when it ends, also without us
	_, err = r.runWith(ctx, running, batch.of(size), wanted, runHooks{
		check: func(out []*Tensor) error {
			// The results are read first: on an accelerator this is where a failed
			// execution shows.
			t = tallyOf(out[len(out)-1].Float32s(), rows)
			return nil
		},
		commit: func(out []*Tensor) {
			s.mu.Lock()
			defer s.mu.Unlock()
			commit(out[:len(out)-1])
			out[len(out)-1].Free()
			s.seen++
			s.size = max(s.size, size) // only now: one that is too large for the device must not stay
			s.last = t.result()
		},
		end: end,
	})
	return t, err
}
