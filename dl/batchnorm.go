package dl

import (
	"fmt"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/lower"
	"github.com/holt-dl/holt/dl/internal/xla"
)

// BatchNorm2d gives each channel of a batch of images mean 0 and variance 1,
// then scales and moves it, as torch.nn.BatchNorm2d does.
//
//	input                [N C H W]
//	weight, bias         [C]   start at 1 and 0; absent when NoAffine; NoBias leaves out the bias
//	running_mean         [C]   starts at 0
//	running_var          [C]   starts at 1
//	num_batches_tracked  []    int64
//	output               as the input
//
// In training, mean and variance are the batch's, and the running ones move
// towards them by Momentum; otherwise the running ones are used. Examples
// that only fill up a last batch do not count. An input of another rank or
// channel count is a [*ShapeError], and so is training on one value for each
// channel.
//
// Ioffe and Szegedy, "Batch Normalization", ICML 2015.
type BatchNorm2d struct {
	In         int     // channels; 0 takes what comes
	Epsilon    float64 // added to the variance; 0 means 1e-5
	Momentum   float64 // how much of a batch goes into the running values; 0 means 0.1
	Cumulative bool    // average over all batches instead, as momentum=None
	NoAffine   bool    // leave out weight and bias
	NoBias     bool    // leave out the bias
	NoRunning  bool    // always use the batch's own mean and variance, as track_running_stats=False

	affine
}

// Forward applies the layer.
func (b BatchNorm2d) Forward(x *Tensor) *Tensor { return forward(b, x) }

func (b BatchNorm2d) forward(x *node) *node {
	if _, err := b.Output(x.Shape()); err != nil {
		panic(err)
	}
	return batchNorm{b, "BatchNorm2d"}.forward(x)
}

// Output returns the input's shape, or a [*ShapeError].
func (b BatchNorm2d) Output(in Shape) (Shape, error) {
	if len(in) != 4 || b.In > 0 && in[1] != b.In {
		return nil, batchNorm{b, "BatchNorm2d"}.wrong(in, "[N %s H W]", b.In, len(in) == 4)
	}
	return in, nil
}

// BatchNorm1d is [BatchNorm2d] for vectors, or for sequences of them, as
// torch.nn.BatchNorm1d.
//
//	input   [N C] or [N C L]
//	output  as the input
type BatchNorm1d struct {
	In         int     // channels; 0 takes what comes
	Epsilon    float64 // added to the variance; 0 means 1e-5
	Momentum   float64 // how much of a batch goes into the running values; 0 means 0.1
	Cumulative bool    // average over all batches instead, as momentum=None
	NoAffine   bool    // leave out weight and bias
	NoBias     bool    // leave out the bias
	NoRunning  bool    // always use the batch's own mean and variance, as track_running_stats=False

	affine
}

// Forward applies the layer.
func (b BatchNorm1d) Forward(x *Tensor) *Tensor { return forward(b, x) }

func (b BatchNorm1d) forward(x *node) *node {
	if _, err := b.Output(x.Shape()); err != nil {
		panic(err)
	}
	return batchNorm{BatchNorm2d(b), "BatchNorm1d"}.forward(x)
}

// Output returns the input's shape, or a [*ShapeError].
func (b BatchNorm1d) Output(in Shape) (Shape, error) {
	if fits := len(in) == 2 || len(in) == 3; !fits || b.In > 0 && in[1] != b.In {
		return nil, batchNorm{BatchNorm2d(b), "BatchNorm1d"}.wrong(in, "[N %s] or [N %[1]s L]", b.In, fits)
	}
	return in, nil
}

// batchNorm is what the two have in common.
type batchNorm struct {
	BatchNorm2d
	kind string
}

// wrong is the error for an input that does not have the pattern's shape.
func (b batchNorm) wrong(in Shape, pattern string, channels int, rank bool) error {
	c, fix := "C", ""
	if channels > 0 {
		c = fmt.Sprint(channels)
	}
	switch {
	case rank:
		fix = fmt.Sprintf("set In: %d, or leave In out", in[1])
	case b.kind == "BatchNorm2d" && (len(in) == 2 || len(in) == 3):
		fix = "use BatchNorm1d"
	case b.kind == "BatchNorm1d" && len(in) == 4:
		fix = "use BatchNorm2d"
	}
	return &ShapeError{Op: b.label(b.kind), Got: in, Want: fmt.Sprintf(pattern, c), Fix: fix}
}

func (b batchNorm) forward(x *node) *node {
	fallback(&b.Epsilon, 1e-5)
	fallback(&b.Momentum, 0.1)
	in := x.Shape()
	c := in[1]
	if wanted := x.t.built(b.path, "weight"); len(wanted) == 1 && wanted[0] != c {
		panic(b.wrong(in, "%s channels", wanted[0], false))
	}
	n := lower.Normalization{Epsilon: b.Epsilon, Axis: 1}
	raw := x.either()
	if len(in) == 4 {
		raw, n.Axis = x.channelsLast(), 3
	}
	kind := raw.DType()
	raw = graph.ConvertDType(raw, Float32) // sums of many small numbers
	if !b.NoAffine {
		n.Weight = graph.ConvertDType(x.param(b.place, b.kind, "weight", Shape{c}, constant(1)), Float32)
		if !b.NoBias {
			n.Bias = graph.ConvertDType(x.param(b.place, b.kind, "bias", Shape{c}, constant(0)), Float32)
		}
	}
	var mean, variance, batches *graph.Node
	if !b.NoRunning {
		mean = x.buffer(b.place, b.kind, "running_mean", Float32, Shape{c}, constant(0))
		variance = x.buffer(b.place, b.kind, "running_var", Float32, Shape{c}, constant(1))
		batches = x.buffer(b.place, b.kind, "num_batches_tracked", Int64, Shape{}, constant(0))
	}
	var y *graph.Node
	if trains := x.t.training; trains || b.NoRunning {
		count := in.Size() / c
		if trains && count == 1 {
			panic(&ShapeError{Op: b.label(b.kind), Got: in, Want: "more than one value for each channel in training", Fix: "use larger batches, or set DropLast"})
		}
		n.Count, n.Mask = x.t.counted(raw, count)
		y = n.OfBatch(raw)
		if trains && !b.NoRunning {
			batches = graph.AddScalar(batches, 1)
			share := graph.Scalar(raw.Graph(), Float32, b.Momentum)
			if b.Cumulative {
				share = graph.Reciprocal(graph.ConvertDType(batches, Float32))
			}
			toward := func(old, now *graph.Node) *graph.Node {
				return graph.Add(graph.Mul(old, graph.OneMinus(share)), graph.Mul(now, share))
			}
			// The running variance is the unbiased one.
			unbiased := graph.Mul(n.Variance, graph.Div(n.Count, graph.AddScalar(n.Count, -1)))
			x.update(b.place, "running_mean", toward(mean, n.Mean))
			x.update(b.place, "running_var", toward(variance, unbiased))
			x.update(b.place, "num_batches_tracked", batches)
		}
	} else {
		y = n.With(raw, mean, variance)
	}
	y = graph.ConvertDType(y, kind)
	momentum := float(b.Momentum)
	if b.Cumulative {
		momentum = "None"
	}
	text := fmt.Sprintf("%s(%d, eps=%s, momentum=%s, affine=%s, bias=%s, track_running_stats=%s)",
		b.kind, c, float(b.Epsilon), momentum, python(!b.NoAffine), python(!b.NoAffine && !b.NoBias), python(!b.NoRunning))
	out := x.With(y)
	if len(in) == 4 {
		out = x.withLast(y)
	}
	return b.seen(text, 0, out)
}

// counted returns how many values of each channel count in a batch of count
// of them, and which examples do: a mask that spreads over raw, nil where all
// do. The first axis of raw holds the examples, or as many parts of each.
func (t *trace) counted(raw *graph.Node, count int) (n, mask *graph.Node) {
	g := raw.Graph()
	size := raw.Shape().Dimensions[0]
	if t.batch == 0 || size%t.batch != 0 {
		return graph.Scalar(g, Float32, float64(count)), nil
	}
	if t.usesRows = true; t.rows == nil { // it is being described
		t.rows = xla.Parameter(t.graph, Float32, nil)
	}
	dims := make([]int, raw.Rank())
	for i := range dims {
		dims[i] = 1
	}
	dims[0] = size
	parts := size / t.batch
	mask = graph.LessThan(graph.Iota(g, shapes.Make(Float32, dims...), 0), graph.MulScalar(t.rows, parts))
	return graph.MulScalar(t.rows, float64(count)/float64(t.batch)), mask
}
