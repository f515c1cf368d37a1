package dl

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// Options says how a step computes. The zero value is the plain step.
type Options struct {
	// ClipNorm, if above 0, makes all gradients smaller together where their
	// common length is greater, as torch.nn.utils.clip_grad_norm_.
	ClipNorm float64
	// ClipValue, if above 0, cuts each element of the gradients to
	// ±ClipValue, as torch.nn.utils.clip_grad_value_. It comes before
	// ClipNorm.
	ClipValue float64
	// Accumulate is the number of batches whose gradients are added up for one
	// step; 0 means 1. The weights then change as they would by one batch of
	// all those examples, in the memory of a small one. Batch normalization
	// still sees each batch by itself.
	Accumulate int
	// Precision is the type of the forward and the backward pass: BFloat16
	// takes half the memory and, on GPUs, much less time. Weights, gradients'
	// sums, losses and normalizations stay float32. 0 means Float32.
	Precision DType
	// StopOnNaN has a step fail where its loss or a gradient is NaN or infinite,
	// with an error that names where that begins, and the weights as they were:
	// see the function [StopOnNaN].
	StopOnNaN bool
	// GradNorms keeps the gradients' lengths for [Step.GradNorms].
	GradNorms bool
	// Devices is the number of devices that share each batch, beginning with
	// the one in use; 0 means 1. The result is that of one device, but for
	// rounding. The batch size should be a multiple of it.
	//
	// [All] means all devices of this process's job, over all its processes and
	// hosts. Each process reads whole batches and computes its rows of them; the
	// gradients are then added up, so that losses and weights are those of one
	// process. As with DistributedDataParallel, a normalization over the batch
	// sees the rows of its own process, dropout is drawn by each, and files are
	// written by rank 0 alone. All processes must run the same cells; one that
	// does something else, or is lost, is an error of all, which names it.
	Devices int
	// Shard has each device keep a part of the optimizer's state and, with [FSDP], of the
	// weights, where otherwise it has all. With Devices [All] in a job of several processes each
	// process has all, and its devices a part each, as with FSDP's HYBRID_SHARD. Where a process
	// has one device, the processes have a part each with [ZeRO1], and all must call [Step.Save];
	// [FSDP] is an error there. What reads the weights, such as Item and Save, brings them
	// together on the host; [Model.Predict] and [Evaluate] use them as they are.
	Shard Sharding
	// TensorParallel is the number of devices, among Devices, that divide the weights which
	// [Model.Parallelize] names, and work on the same rows of a batch; 0 means 1. Devices is a
	// multiple of it, so many groups of them share the batch.
	TensorParallel int
}

func (o Options) check() error {
	if !(o.ClipNorm >= 0) || !(o.ClipValue >= 0) || o.Accumulate < 0 || o.Devices < All {
		return fmt.Errorf("dl: Options: ClipNorm is %v, ClipValue %v, Accumulate %d and Devices %d, want nothing negative; 0 means off",
			o.ClipNorm, o.ClipValue, o.Accumulate, o.Devices)
	}
	if o.Precision != 0 && o.Precision != Float32 && o.Precision != BFloat16 {
		return fmt.Errorf("dl: Options: Precision is %s, want float32 or bfloat16; XLA has no float16 on every device", typeName(o.Precision))
	}
	return o.checkSharding()
}

// padded returns the next size of a batch that the devices of this process can share.
func (o Options) padded(size int, on *xla.Device) int {
	n := o.batchParts(o.localDevices(on))
	return (size + n - 1) / n * n
}

// precision is what the pass converts to; 0 for nothing.
func (o Options) precision() DType {
	if o.Precision == Float32 {
		return 0
	}
	return o.Precision
}

// clip writes what ClipValue and ClipNorm do to gradients.
func (o Options) clip(gradients []*graph.Node) []*graph.Node {
	gradients = slices.Clone(gradients)
	if v := o.ClipValue; v > 0 {
		for i, g := range gradients {
			gradients[i] = graph.ClipScalar(g, -v, v)
		}
	}
	if o.ClipNorm > 0 {
		all := graph.Sqrt(graph.ReduceAllSum(graph.Square(lengths(gradients))))
		// The 1e-6 is clip_grad_norm_'s.
		factor := graph.MinScalar(graph.Div(graph.Scalar(all.Graph(), Float32, o.ClipNorm), graph.AddScalar(all, 1e-6)), 1.0)
		for i, g := range gradients {
			gradients[i] = graph.Mul(g, factor)
		}
	}
	return gradients
}

// lengths returns the Euclidean length of each tensor, in one vector.
func lengths(xs []*graph.Node) *graph.Node {
	var all []*graph.Node
	for _, x := range xs {
		all = append(all, graph.ReduceAllSum(graph.Square(x)))
	}
	return graph.Sqrt(graph.Stack(all, 0))
}

// Gradients are the gradients of a loss for a model's trained parameters, by
// the parameters' names: what PyTorch has in p.grad after loss.backward().
// [Model.Gradients] makes them.
type Gradients map[string]*Tensor

// Norms returns the Euclidean length of each gradient.
func (g Gradients) Norms() map[string]float64 {
	norms := map[string]float64{}
	for name, t := range g {
		sum := 0.0
		for _, v := range t.Float64s() {
			sum += v * v
		}
		norms[name] = math.Sqrt(sum)
	}
	return norms
}

// Norm returns the length of all gradients taken as one vector.
func (g Gradients) Norm() float64 { return total(g.Norms()) }

// total is the length of a vector whose parts have the given lengths. They
// are added in the order of their names, so that the sum is always the same.
func total(norms map[string]float64) float64 {
	sum := 0.0
	for _, name := range slices.Sorted(maps.Keys(norms)) {
		sum += norms[name] * norms[name]
	}
	return math.Sqrt(sum)
}

// Gradients returns the gradients of a batch's loss, as a training step would
// find them, and changes nothing. A nil loss means [CrossEntropyLoss]. Frozen
// parameters have none.
func (m *Model) Gradients(batch Batch, loss Loss) (Gradients, error) {
	g, _, err := m.gradients(batch, loss, nextSeed())
	return g, err
}

// gradients also returns what the batch's loss is. Random numbers begin at a
// seed.
func (m *Model) gradients(batch Batch, loss Loss, seed uint64) (Gradients, Result, error) {
	s := &Step{model: m, loss: loss, seed: seed, kept: map[string][]*Tensor{}, options: Options{Accumulate: 2}}
	if loss == nil {
		s.loss = CrossEntropyLoss{}
	}
	if err := s.prepare(SGD{LR: 1}); err != nil {
		return nil, Result{}, err
	}
	s.onlyGradients = true
	found, err := s.Run(batch)
	if err != nil {
		return nil, Result{}, err
	}
	defer s.sums.free()
	g := Gradients{}
	by := 1 / s.sums.total.Item()
	for name, t := range s.sums.of {
		values := t.Float32s()
		for i := range values {
			values[i] = float32(float64(values[i]) * by)
		}
		g[name] = newTensor(values, t.shape)
	}
	return g, found, nil
}
