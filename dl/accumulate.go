package dl

import (
	"context"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// gradientSums is what the batches since the last step add up to, with
// Options.Accumulate. The gradients are those of the sum of the loss's terms,
// and are divided by the sum of its weights in the end, so that batches of any
// sizes count as one batch of all their examples.
type gradientSums struct {
	of      map[string]*Tensor // gradients by parameter
	total   *Tensor            // what to divide by
	batches int
	counted bool // total is of the batches' weights; else it is 1
}

func (s *gradientSums) free() {
	for _, t := range s.of {
		t.Free()
	}
	if s.total != nil {
		s.total.Free()
	}
	*s = gradientSums{}
}

// readyToStep reports whether enough batches are added up for a step.
func (s *Step) readyToStep() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sums.batches >= s.options.Accumulate && !s.onlyGradients
}

// Flush does the step for batches that are added up so far, fewer than
// Options.Accumulate: at the end of the data. Without such batches it does
// nothing.
func (s *Step) Flush() error {
	ctx := xla.Context()
	return s.flush(ctx, ctx)
}

func (s *Step) flush(ctx, running context.Context) error {
	if !s.pending() {
		return nil
	}
	err := s.sharing(ctx, func() error {
		if err := s.allReduceRest(ctx); err != nil {
			return err
		}
		if s.options.severalProcesses() { // all do it now
			ctx = context.WithoutCancel(ctx)
			running = ctx
		}
		return s.apply(ctx, running)
	})
	if err != nil {
		return during("training step", err)
	}
	return nil
}

// gather records the adding of a batch's gradients to the sums.
func (s *Step) gather(r *recording, b *stepBatch) (wanted []*Tensor, commit func(out []*Tensor)) {
	n := r.loss(s.model, s.loss, b)
	b.classes = n.classes
	sums := s.sumValues(b.trained)
	total := n.total
	if n.counted {
		total = sums[len(b.trained)].Add(total)
	}
	r.mustBeFinite(n.sum, "loss")
	for k, g := range r.differentiate(n.sum, s.leavesOf(r, b.trained)) {
		r.gradientMustBeFinite(s.model.vars[b.trained[k].at], g)
		sum := sums[k].Add(g)
		r.layOut(sums[k], b.sums[b.trained[k].at])
		r.layOut(sum, b.sums[b.trained[k].at])
		wanted = append(wanted, sum)
	}
	return append(wanted, total, n.score), func(out []*Tensor) {
		batches := s.sums.batches + 1
		s.sums.free()
		s.sums = gradientSums{of: map[string]*Tensor{}, total: out[len(b.trained)], batches: batches, counted: n.counted}
		for k, l := range b.trained {
			s.sums.of[s.model.specs[l.at].name] = out[k]
		}
	}
}

// sumValues are the sums so far, 0 for a parameter that has none, and their
// total. The caller has the turn.
func (s *Step) sumValues(trained []learner) []*Tensor {
	var all []*Tensor
	for _, l := range trained {
		sp := s.model.specs[l.at]
		t := s.sums.of[sp.name]
		if t == nil {
			t = filledLater(sp.shape, 0)
		}
		all = append(all, t)
	}
	if s.sums.total == nil {
		return append(all, Scalar[float32](0))
	}
	return append(all, s.sums.total)
}

// apply does the step by the sums.
func (s *Step) apply(ctx, running context.Context) error {
	on, err := s.model.on()
	if err != nil {
		return err
	}
	return s.applyOn(ctx, running, on)
}

// applyOn is apply on a device.
func (s *Step) applyOn(ctx, running context.Context, on *xla.Device) error {
	trained, err := s.learners()
	if err != nil {
		return err
	}
	share, err := s.groupOn(on)
	if err != nil {
		return err
	}
	p, err := s.piecesOn(on)
	if err != nil {
		return err
	}
	s.turn.Lock()
	free := s.turn.Unlock
	defer func() { free() }()
	r := s.model.record("update of the weights", on)
	defer r.close()
	r.share, r.stopOnNaN, r.step = share, s.watches(), true
	slots, ofSums, err := s.layouts(r)
	if err != nil {
		return err
	}
	var wanted, values []*Tensor
	var norms *Tensor
	err = xla.Guard(func() {
		defer r.begin()()
		sums := s.sumValues(trained)
		gradients, _ := do(opKey{name: "divide by the last"}, nil, func(_ *trace, in []*node) []*node {
			last := len(in) - 1
			var out []*node
			for _, x := range in[:last] {
				out = append(out, x.With(graph.Div(x.value(), in[last].value())))
			}
			return out
		}, sums, nil, nil)
		s.hooked(r, trained, gradients)
		kept := s.slotValues(trained, p)
		values, wanted, norms = s.update(r, trained, gradients, kept, p)
		s.layOutSlots(r, trained, slots, kept, wanted)
		for k, l := range trained {
			r.layOut(sums[k], ofSums[l.at])
			if p == nil {
				r.assign(s.model.vars[l.at], values[k])
			}
		}
		if norms != nil {
			wanted = append(wanted, norms)
		}
		if p != nil { // they are no parameters' values before they are brought together
			wanted = append(wanted, values...)
		}
	})
	if err != nil {
		return err
	}
	end := free
	free = func() {}
	rest := len(wanted)
	if p != nil {
		rest -= len(trained)
	}
	_, err = r.runWith(ctx, running, nil, wanted, runHooks{
		check: func(out []*Tensor) (err error) {
			if p != nil {
				values, err = s.gatherWeights(ctx, p, trained, out[rest:])
			}
			return err
		},
		commit: func(out []*Tensor) {
			if p != nil {
				vars := make([]*Tensor, len(trained))
				for k, l := range trained {
					vars[k] = s.model.vars[l.at]
				}
				s.model.replace(vars, values)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.install(trained, out[:rest], norms != nil)
			s.sums.free()
		},
		end: end,
	})
	return err
}
