package dl

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

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
		if g := member[i]; learns && g >= 0 && s.groups[g].rule != nil {
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
	kept := s.slotValues(b.trained, nil)
	values, slots, norms := s.update(r, b.trained, gradients, kept, nil)
	for k, l := range b.trained {
		r.assign(s.model.vars[l.at], values[k])
	}
	s.layOutSlots(r, b.trained, b.slots, kept, slots)
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
		if !gradients[i].shape.Equal(s.model.specs[l.at].shape) && len(v.gradHooks()) > 0 {
			panic(fmt.Errorf("%s got a function by OnGrad during a step; call OnGrad between steps", s.model.specs[l.at].name))
		}
		gradients[i] = v.hooked(r, gradients[i])
		r.gradientMustBeFinite(v, gradients[i])
	}
}

// watches reports whether a loss or gradient that is not finite is an error.
func (s *Step) watches() bool {
	return !s.onlyGradients && !s.trial && (s.options.StopOnNaN || stopOnNaN.Load())
}

// slotsOf are what the optimizer keeps for a parameter.
func (s *Step) slotsOf(l learner) []slot { return s.groups[l.group].rule.slots() }

// slotValues are the values that the optimizer keeps, of which this process may have pieces. A
// parameter gets its slots when it is first trained. The caller has the turn.
func (s *Step) slotValues(trained []learner, p *pieces) []*Tensor {
	var all []*Tensor
	for _, l := range trained {
		sp := s.model.specs[l.at]
		old := s.kept[sp.name]
		whole, divided := s.inPieces[sp.name]
		if len(old) > 0 && !divided {
			whole = old[0].shape
		}
		if len(old) > 0 && !whole.Equal(sp.shape) {
			old, divided = nil, false // the layer was replaced
		}
		divide := p.of(sp, s.groups[l.group].rule)
		switch {
		case len(old) == 0:
			shape := sp.shape
			if divide {
				shape = Shape{p.size(sp.shape.Size())}
			}
			for _, slot := range s.slotsOf(l) {
				old = append(old, filledLater(shape, float32(slot.start)))
			}
		case divided && !divide:
			panic(errInPieces)
		case divide && !divided:
			cut := make([]*Tensor, len(old))
			for i, t := range old {
				cut[i] = p.cut(t.Float32s())
			}
			old = cut
		}
		if divide {
			if s.inPieces == nil {
				s.inPieces = map[string]Shape{}
			}
			s.inPieces[sp.name] = sp.shape
		} else {
			delete(s.inPieces, sp.name)
		}
		s.kept[sp.name] = old
		all = append(all, old...)
	}
	return all
}

// update records the new weights and slots by the gradients, or this process's pieces of them, and
// the gradients' lengths where they are wanted.
func (s *Step) update(r *recording, trained []learner, gradients, slots []*Tensor, p *pieces) (values, kept []*Tensor, norms *Tensor) {
	u := updater{clip: s.options, norms: s.options.GradNorms || s.options.ClipNorm > 0, pieces: p}
	for _, l := range trained {
		u.params, u.in = append(u.params, s.model.vars[l.at]), append(u.in, l.group)
		u.divided = append(u.divided, p.of(s.model.specs[l.at], s.groups[l.group].rule))
	}
	s.mu.Lock()
	for i, g := range s.groups {
		u.groups = append(u.groups, optimGroup{g.rule, s.rates[i], s.momenta[i]})
	}
	u.n = s.n + 1
	s.mu.Unlock()
	u.settings = s.groups.settings()
	return u.record(r, "update", gradients, slots)
}

// updater writes the update of all parameters of a step.
type updater struct {
	params   []*Tensor
	in       []int // the group of each parameter
	groups   []optimGroup
	settings string // of the groups
	n        int    // of the step, from 1
	clip     Options
	norms    bool // the gradients' lengths are wanted

	pieces  *pieces // that this process updates; nil for all
	divided []bool  // of which parameters that is

	numbers []int // how many numbers each group has
}

// record records the new values of the parameters and of the slots, and the
// gradients' lengths. The rules of dl are one operation, those of the user what
// they call; only where there are such, the gradients are clipped before.
func (u updater) record(r *recording, name string, gradients, slots []*Tensor) (values, kept []*Tensor, norms *Tensor) {
	of := make([][]*Tensor, len(u.params)) // the slots of each parameter
	// plain is kept with the operation, which outlives all models: it has no parameters.
	plain := u
	plain.params, plain.in, plain.divided, plain.groups = nil, nil, nil, slices.Clone(u.groups)
	for i, g := range plain.groups {
		if _, own := g.rule.(ownRule); own {
			plain.groups[i].rule = nil
		}
	}
	var params, mine, given []*Tensor
	var owned bool
	rest := slots
	for i, g := range u.in {
		rule := u.groups[g].rule
		k := len(rule.slots())
		of[i], rest = rest[:k:k], rest[k:]
		if _, own := rule.(ownRule); own {
			owned = true
		}
	}
	if owned && (u.norms || u.clip.ClipNorm > 0 || u.clip.ClipValue > 0) {
		gradients, norms = u.clipped(gradients)
		plain.norms, plain.clip = false, Options{}
	}
	var key strings.Builder
	fmt.Fprintf(&key, "%v %v %v %d %s", plain.clip.ClipNorm, plain.clip.ClipValue, plain.norms, len(u.params), u.settings)
	for i, g := range u.in {
		if _, own := u.groups[g].rule.(ownRule); !own {
			params, plain.in = append(params, u.params[i]), append(plain.in, g)
			mine, given = append(mine, gradients[i]), append(given, of[i]...)
			key.WriteByte(' ')
			key.WriteString(strconv.Itoa(g))
			if u.pieces != nil {
				plain.divided = append(plain.divided, u.divided[i])
			}
		}
	}
	if u.pieces != nil {
		fmt.Fprintf(&key, " %s %v", u.pieces.key(), plain.divided)
	}
	var outs []*Tensor
	if len(params) > 0 {
		xs := append(append(append([]*Tensor{}, params...), mine...), given...)
		for _, g := range u.groups {
			if g.rule == nil {
				plain.numbers = append(plain.numbers, 0)
				continue
			}
			numbers := g.rule.scalars(u.n, g.rate, g.momentum)
			plain.numbers = append(plain.numbers, len(numbers))
			for _, v := range numbers {
				xs = append(xs, r.argument(Scalar(float32(v)), false))
			}
		}
		outs, _ = do(opKey{name: name, settings: key.String()}, nil, func(_ *trace, in []*node) []*node { return plain.write(in) }, xs, nil, nil)
		if plain.norms {
			last := len(outs) - 1
			norms, outs = outs[last], outs[:last]
		}
	}
	after := outs[len(params):]
	for i, g := range u.in {
		own, ok := u.groups[g].rule.(ownRule)
		if !ok {
			values, outs = append(values, outs[0]), outs[1:]
			kept, after = append(kept, after[:len(of[i])]...), after[len(of[i]):]
			continue
		}
		value, slots := own.record(Update{Param: u.params[i], Grad: gradients[i], Slots: of[i], LR: u.groups[g].rate, N: u.n})
		values = append(values, r.of(value))
		for _, t := range slots {
			kept = append(kept, r.of(t))
		}
	}
	return values, kept, norms
}

// clipped records the clipping of gradients, and their lengths before it.
func (u updater) clipped(gradients []*Tensor) (cut []*Tensor, norms *Tensor) {
	clip, wanted := u.clip, u.norms // the operation outlives the parameters
	key := opKey{name: "clip", settings: fmt.Sprint(clip.ClipNorm, " ", clip.ClipValue, " ", wanted)}
	outs, _ := do(key, nil, func(_ *trace, in []*node) (out []*node) {
		raw := make([]*graph.Node, len(in))
		for i, x := range in {
			raw[i] = x.value()
		}
		for _, g := range clip.clip(raw) {
			out = append(out, in[0].With(g))
		}
		if wanted {
			out = append(out, in[0].With(lengths(raw)))
		}
		return out
	}, gradients, nil, nil)
	if u.norms {
		return outs[:len(gradients)], outs[len(gradients)]
	}
	return outs, nil
}

// write writes the update by dl's own rules.
func (u updater) write(in []*node) []*node {
	n := len(u.in)
	raw := make([]*graph.Node, len(in))
	for i, x := range in {
		raw[i] = x.value()
	}
	weights, gradients, rest := raw[:n], raw[n:2*n], raw[2*n:]
	slots := make([][]*graph.Node, n)
	for i, g := range u.in {
		k := len(u.groups[g].rule.slots())
		slots[i], rest = rest[:k:k], rest[k:]
	}
	scalars := make([][]*graph.Node, len(u.numbers))
	for i, k := range u.numbers {
		scalars[i], rest = rest[:k:k], rest[k:]
	}
	var out, kept []*node
	var norms *graph.Node
	if u.norms {
		norms = lengths(gradients)
	}
	gradients = u.clip.clip(gradients)
	for i, g := range u.in {
		weight, gradient := weights[i], gradients[i]
		divided := u.pieces != nil && u.divided[i]
		if divided {
			n := weight.Shape().Size()
			weight, gradient = u.pieces.write(weight, n), u.pieces.write(gradient, n)
		}
		value, after := u.groups[g].rule.update(weight, gradient, slots[i], scalars[g])
		if divided {
			value = u.pieces.put(value, weights[i])
		}
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
	slots   []xla.Layout // how devices divide what the optimizer keeps for each parameter
	sums    []xla.Layout // the same of sums of gradients
	classes int          // of a classifier, which labels must stay below; 0 where there are none
}

// attempt does a batch: a step, or a part of one. record says what the program
// is, and commit what follows when it has run.
func (s *Step) attempt(ctx, running context.Context, on *xla.Device, batch Batch, rows, size int,
	record func(r *recording, b *stepBatch) (wanted []*Tensor, commit func(out []*Tensor))) (tally, error) {
	trained, err := s.learners()
	if err != nil {
		return tally{}, err
	}
	share, err := s.groupOn(on)
	if err != nil {
		return tally{}, err
	}
	s.turn.Lock()
	free := s.turn.Unlock
	defer func() { free() }()
	b := &stepBatch{size: size, rows: rows, trained: trained}
	r := s.model.record("training step", on)
	defer r.close()
	r.step = true
	r.share, r.precision = share, s.options.precision()
	r.stopOnNaN = s.watches()
	if b.slots, b.sums, err = s.layouts(r); err != nil {
		return tally{}, err
	}
	var wanted []*Tensor
	var commit func([]*Tensor)
	err = xla.Guard(func() {
		defer r.begin()()
		full := batch.fill(size)
		b.inputs, b.labels = r.argument(full.Inputs, true), r.argument(full.Labels, true)
		r.batch, r.rows = size, r.argument(Scalar(float32(rows)), false)
		_, seen := s.counts()
		r.counted, r.nth = true, seen
		r.newKey = func() *Tensor { return randomKey(s.noiseSeed(), uint64(seen)) }
		wanted, commit = record(r, b)
	})
	if err != nil {
		return tally{}, err
	}
	if s.onlyGradients {
		r.changed = nil
	}
	if !on.Plans() { // there are no values
		if err := batch.check(limits{classes: b.classes}, s.loss); err != nil {
			return tally{}, err
		}
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
			s.model.parted.Store(s.model.parted.Load() || len(r.layouts) > 0)
			s.seen++
			s.size = max(s.size, size) // only now: one that is too large for the device must not stay
			s.last, s.inGo = t.result(), r.inGo
		},
		end: end,
	})
	return t, err
}
