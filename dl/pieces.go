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
// of the gradients' sums, updates its pieces of the weights, and the new weights are brought
// together. Dl's optimizers treat each number by itself. An optimizer of the user's may not, and
// what it keeps is whole in each process, as is that of parameters with fewer numbers than there
// are processes.

// pieces says which part of what an optimizer keeps a process has. A nil pieces has all.
type pieces struct {
	rank, processes int
	within          bool // a piece stays in its place among all numbers, on the GPU where NCCL brings them together
}

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
	return &pieces{w.Rank, w.Size, s.onGPUs()}, nil
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
func (p *pieces) key() string {
	return fmt.Sprintf("piece %d of %d, %t", p.rank, p.processes, p.within)
}

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

// put is the new values of a parameter, of which this process has made its piece: the piece, or all
// with the piece in its place.
func (p *pieces) put(piece, old *graph.Node) *graph.Node {
	if !p.within {
		return piece
	}
	n := old.Shape().Size()
	from, to := collective.Piece(n, p.rank, p.processes)
	flat := graph.Reshape(old, n)
	parts := []*graph.Node{piece}
	if from > 0 {
		parts = append([]*graph.Node{graph.SliceAxis(flat, 0, graph.AxisRange(0, from))}, piece)
	}
	if to < n {
		parts = append(parts, graph.SliceAxis(flat, 0, graph.AxisRange(to, n)))
	}
	return graph.Reshape(graph.Concatenate(parts, 0), old.Shape().Dimensions...)
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
	whole, err := s.adder(g).gather(ctx, fmt.Sprintf("the weights of step %d", s.N()+1), p, mine, shapes)
	if err != nil {
		return nil, err
	}
	values := make([]*Tensor, len(made))
	for i, l := range trained {
		values[i] = made[i]
		if p.of(s.model.specs[l.at], s.groups[l.group].rule) {
			values[i], whole = whole[0], whole[1:]
			if values[i] != made[i] {
				made[i].Free()
			}
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
	whole, err := ring{g}.gather(ctx, fmt.Sprintf("the training state after step %d", s.N()), &pieces{rank: w.Rank, processes: w.Size}, mine, shapes)
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
