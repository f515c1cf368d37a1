package dl

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/xla"
	"github.com/holt-dl/holt/internal/collective"
)

// With ZeRO1, processes of one device each keep a piece of what the optimizer does: of the numbers
// of each parameter in their order, as many as of FSDP's flat parameters. A process gets its pieces
// of the gradients' sums, updates its pieces of the weights, and the new weights are brought together.
// Dl's optimizers treat each number by itself. An optimizer of the user's may not, and what it
// keeps is whole in each process, as is that of parameters with fewer numbers than there are
// processes.

// pieces says which part of what an optimizer keeps a process has. A nil pieces has all.
type pieces struct{ rank, processes int }

// piecesOn returns how the processes of the job divide what the optimizer keeps, where they do, and
// an error for what cannot be divided between them.
func (s *Step) piecesOn(on *xla.Device) (*pieces, error) {
	o, w, n := s.options, thisJob().world, s.options.localDevices(on)
	switch {
	case o.Devices != All || o.Shard == NoShard || w.Size == 1 || o.batchParts(n) > 1:
		return nil, nil
	case n > 1:
		return nil, fmt.Errorf("Options: Shard is %v and TensorParallel %d, and this is one of %d processes that use %d of their devices each; what the optimizer keeps is divided between devices that share a batch, or processes of one device; leave one of the two out", o.Shard, o.TensorParallel, w.Size, n)
	case o.Shard == FSDP:
		return nil, fmt.Errorf("Options: Shard is FSDP, and this is one of %d processes that use one of their devices each; weights are divided between the devices of a process, and between processes what the optimizer keeps; use dl.ZeRO1, or start one process on each host", w.Size)
	}
	return &pieces{w.Rank, w.Size}, nil
}

// of reports whether processes divide what an optimizer keeps for a parameter.
func (p *pieces) of(sp spec, r rule) bool {
	_, own := r.(ownRule)
	return p != nil && !own && sp.dtype == Float32 && sp.shape.Size() >= p.processes
}

// needsGradients reports whether this process needs more of the gradients' sums than its pieces:
// for their lengths, and for functions of [Tensor.OnGrad].
func (s *Step) needsGradients(trained []learner) bool {
	return s.options.GradNorms || s.options.ClipNorm > 0 || slices.ContainsFunc(trained, func(l learner) bool {
		return len(s.model.vars[l.at].gradHooks()) > 0
	})
}

// key tells programs of different pieces apart.
func (p *pieces) key() string { return fmt.Sprintf("piece %d of %d", p.rank, p.processes) }

// size is how many of n numbers are in this process's piece.
func (p *pieces) size(n int) int {
	from, to := collective.Piece(n, p.rank, p.processes)
	return to - from
}

// cut is a tensor of this process's piece of numbers.
func (p *pieces) cut(all []float32) *Tensor {
	from, to := collective.Piece(len(all), p.rank, p.processes)
	return newTensor(append([]float32(nil), all[from:to]...), Shape{to - from})
}

// write cuts this process's piece of a node of n numbers, where it has all of them.
func (p *pieces) write(x *graph.Node, n int) *graph.Node {
	if x.Shape().Size() != n {
		return x
	}
	from, to := collective.Piece(n, p.rank, p.processes)
	return graph.SliceAxis(graph.Reshape(x, n), 0, graph.AxisRange(from, to))
}

// gather brings tensors together of which each process has a piece, and gives them shapes.
func (p *pieces) gather(ctx context.Context, g *collective.Group, text string, mine []*Tensor, shapes []Shape) ([]*Tensor, error) {
	arrays := make([][]float32, len(mine))
	for i, t := range mine {
		arrays[i] = make([]float32, shapes[i].Size())
		from, _ := collective.Piece(len(arrays[i]), p.rank, p.processes)
		copy(arrays[i][from:], t.Float32s())
	}
	if err := g.AllGather(ctx, text, arrays...); err != nil {
		return nil, &sharedError{err}
	}
	whole := make([]*Tensor, len(mine))
	for i, x := range arrays {
		whole[i] = newTensor(x, shapes[i])
	}
	return whole, nil
}

// gatherWeights returns the new values of the trained parameters, of which a step has made this
// process's pieces where the processes divide them. The caller has the turn.
func (s *Step) gatherWeights(ctx context.Context, p *pieces, trained []learner, made []*Tensor) ([]*Tensor, error) {
	g, err := s.group(ctx)
	if err != nil {
		return nil, err
	}
	var mine []*Tensor
	var shapes []Shape
	for i, l := range trained {
		if sp := s.model.specs[l.at]; p.of(sp, s.groups[l.group].rule) {
			mine, shapes = append(mine, made[i]), append(shapes, sp.shape)
		}
	}
	whole, err := p.gather(ctx, g, fmt.Sprintf("the weights of step %d", s.N()+1), mine, shapes)
	if err != nil {
		return nil, err
	}
	values := make([]*Tensor, len(made))
	for i, l := range trained {
		values[i] = made[i]
		if p.of(s.model.specs[l.at], s.groups[l.group].rule) {
			values[i], whole = whole[0], whole[1:]
			made[i].Free()
		}
	}
	return values, nil
}

// wholeSlots returns what the optimizer keeps, whole: where the processes of the job divide it, all
// must call it. The caller has the turn.
func (s *Step) wholeSlots(ctx context.Context) (map[string][]*Tensor, error) {
	if len(s.inPieces) == 0 {
		return s.kept, nil
	}
	g, err := thisJob().join(ctx)
	if err != nil {
		return nil, err
	}
	var mine []*Tensor
	var shapes []Shape
	for _, sp := range s.model.specs {
		if shape, ok := s.inPieces[sp.name]; ok {
			for _, t := range s.kept[sp.name] {
				mine, shapes = append(mine, t), append(shapes, shape)
			}
		}
	}
	w := thisJob().world
	whole, err := (&pieces{w.Rank, w.Size}).gather(ctx, g, fmt.Sprintf("the training state after step %d", s.N()), mine, shapes)
	if err != nil {
		return nil, err
	}
	all := map[string][]*Tensor{}
	for _, sp := range s.model.specs {
		n := len(s.kept[sp.name])
		if _, ok := s.inPieces[sp.name]; !ok || n == 0 {
			all[sp.name] = s.kept[sp.name]
			continue
		}
		all[sp.name], whole = whole[:n:n], whole[n:]
	}
	return all, nil
}

var errInPieces = errors.New("what the optimizer keeps is divided between the processes of the job, as Options.Shard had it; keep that, or save the state, and load it into a step that has other options")
