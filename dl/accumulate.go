package dl

import (
	"context"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// gathered is what the batches since the last step add up to, with
// Options.Accumulate. The gradients are those of the sum of the loss's terms,
// and are divided by the sum of its weights in the end, so that batches of any
// sizes count as one batch of all their examples.
type gathered struct {
	of      map[string]*Tensor // gradients by parameter
	total   *Tensor            // what to divide by
	batches int
}

func (s *gathered) free() {
	for _, t := range s.of {
		t.Free()
	}
	if s.total != nil {
		s.total.Free()
	}
	*s = gathered{}
}

// full tells whether enough batches are added up for a step.
func (s *Step) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sums.batches >= s.options.Accumulate && !s.dry
}

// Flush does the step for batches that are added up so far, fewer than
// Options.Accumulate: at the end of the data. Without such batches it does
// nothing.
func (s *Step) Flush() error {
	ctx := callerContext()
	return s.flush(ctx, ctx)
}

func (s *Step) flush(ctx, running context.Context) error {
	if !s.pending() {
		return nil
	}
	if err := s.apply(ctx, running); err != nil {
		return during("training step", err)
	}
	return nil
}

// gather returns the program that adds a batch's gradients to the sums.
func (s *Step) gather(ctx context.Context, on *device, batch Batch, size int) (pass, error) {
	m := s.model
	trained, err := s.learners()
	if err != nil {
		return pass{}, err
	}
	share, err := s.options.spread(on)
	if err != nil {
		return pass{}, err
	}
	key := s.key("gather "+batch.key(size, s.loss), on, trained)
	p, err := m.programs.get(key, func() (*program, error) {
		lay := layout{trained: trained}
		var needs limits
		p, err := compileOn(ctx, on, share, "training step", batch.of(size), func(g *graph.Graph) []*graph.Node {
			t := m.forward(g, true)
			t.precision = s.options.precision()
			var sums []*graph.Node
			for _, l := range trained {
				sums = append(sums, parameter(g, Float32, m.specs[l.at].shape))
			}
			total := parameter(g, Float32, nil)
			n := t.loss(m, s.loss, batch, size)
			needs = n.needs
			for i, gradient := range graph.Gradient(n.sum, t.weights(trained)...) {
				sums[i] = graph.Add(sums[i], gradient)
			}
			if n.counted {
				total = graph.Add(total, n.total)
			} else {
				total = graph.OnesLike(total)
			}
			var after []*graph.Node
			lay.buffers, after = t.changed()
			return append(append(append(sums, total), after...), n.score)
		})
		if err == nil {
			p.layout, p.limits = lay, needs
			p.split = len(m.specs) + len(trained) + 1 // after the sums and their total
		}
		return p, err
	})
	if err != nil {
		return pass{}, err
	}
	return pass{p.limits, func(full Batch, rows int) ([]float32, error) {
		values, release := m.snapshot()
		defer release()
		inputs := append(slices.Clone(values), s.sumValues(trained)...)
		inputs = append(inputs, full.Inputs, full.Labels, Scalar(float32(rows)), randomKey(s.seed, uint64(s.seen)))
		out, err := p.run(inputs...)
		if err != nil {
			return nil, err
		}
		last := len(out) - 1
		score := out[last].Float32s() // first, as in a whole step
		batches := s.sums.batches + 1
		s.sums.free()
		s.sums = gathered{of: map[string]*Tensor{}, total: out[len(trained)], batches: batches}
		for k, l := range trained {
			s.sums.of[m.specs[l.at].name] = out[k]
		}
		out = out[len(trained)+1 : last]
		if s.dry {
			return score, nil
		}
		next := slices.Clone(m.values)
		for k, i := range p.layout.buffers {
			next[i] = out[k]
		}
		m.replace(next)
		return score, nil
	}}, nil
}

// sumValues are the sums so far, 0 for a parameter that has none. The caller
// holds mu.
func (s *Step) sumValues(trained []learner) []*Tensor {
	var all []*Tensor
	for _, l := range trained {
		sp := s.model.specs[l.at]
		t := s.sums.of[sp.name]
		if t == nil {
			t = newTensor(make([]float32, sp.shape.Size()), sp.shape)
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
	m := s.model
	on, err := m.on()
	if err != nil {
		return err
	}
	trained, err := s.learners()
	if err != nil {
		return err
	}
	share, err := s.options.spread(on)
	if err != nil {
		return err
	}
	p, err := m.programs.get(s.key("apply", on, trained), func() (*program, error) {
		lay := layout{trained: trained}
		p, err := compileOn(ctx, on, share, "update of the weights", nil, func(g *graph.Graph) []*graph.Node {
			var weights, gradients []*graph.Node
			for _, l := range trained {
				weights = append(weights, parameter(g, Float32, m.specs[l.at].shape))
			}
			for _, l := range trained {
				gradients = append(gradients, parameter(g, Float32, m.specs[l.at].shape))
			}
			total := parameter(g, Float32, nil)
			for i, sum := range gradients {
				gradients[i] = graph.Div(sum, total)
			}
			slots := s.slotInputs(g, trained)
			values, kept, norms := s.update(trained, weights, gradients, slots, s.scalarInputs(g))
			values = append(values, kept...)
			if lay.norms = norms != nil; lay.norms {
				values = append(values, norms)
			}
			return values
		})
		if err == nil {
			p.layout, p.split = lay, whole
		}
		return p, err
	})
	if err != nil {
		return err
	}
	return await(running, func() error {
		m.train.Lock()
		defer m.train.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		values, release := m.snapshot()
		defer release()
		var inputs []*Tensor
		for _, l := range trained {
			inputs = append(inputs, values[l.at])
		}
		inputs = append(append(inputs, s.sumValues(trained)...), s.slotValues(trained)...)
		out, err := p.run(append(inputs, s.scalarValues()...)...)
		if err != nil {
			return err
		}
		s.install(p.layout, out)
		s.sums.free()
		return nil
	})
}
