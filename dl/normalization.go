package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// LayerNorm gives the values of each example, or of each place of a sequence,
// mean 0 and variance 1, then scales and moves them, as torch.nn.LayerNorm
// does.
//
//	input         [… D]
//	weight, bias  [D]   start at 1 and 0
//	output        as the input
//
// With Shape, the mean is over as many last axes as that has, which must be
// Shape. An input that does not end so is a [*ShapeError].
//
// Ba, Kiros and Hinton, "Layer Normalization", arXiv:1607.06450.
type LayerNorm struct {
	Shape    Shape   // the last axes; nil means the last axis, as long as it comes
	Epsilon  float64 // added to the variance; 0 means 1e-5
	NoAffine bool    // leave out weight and bias, as elementwise_affine=False
	NoBias   bool    // leave out the bias

	affine
}

// Forward applies the layer.
func (l LayerNorm) Forward(x *Tensor) *Tensor { return forward(l, x) }

func (l LayerNorm) forward(x *node) *node {
	in, err := l.Output(x.Shape())
	if err != nil {
		panic(err)
	}
	if l.Shape == nil {
		l.Shape = in[len(in)-1:]
	}
	if err := l.endsIn("LayerNorm", in, x.t.built(l.path, "weight")); err != nil {
		panic(err)
	}
	fallback(&l.Epsilon, 1e-5)
	raw := graph.ConvertDType(x.value(), Float32)
	axes := lastAxes(len(in), len(l.Shape))
	share := 1 / float64(l.Shape.Size())
	mean := func(a *graph.Node) *graph.Node {
		return graph.MulScalar(graph.ReduceAndKeep(a, graph.ReduceSum, axes...), share)
	}
	like := func(a *graph.Node) *graph.Node { return graph.BroadcastToDims(a, in...) }
	away := graph.Sub(raw, like(mean(raw)))
	factor := graph.Reciprocal(graph.Sqrt(graph.AddScalar(mean(graph.Square(away)), l.Epsilon)))
	y := graph.Mul(away, like(factor))
	if !l.NoAffine {
		w := graph.ConvertDType(x.param(l.place, "LayerNorm", "weight", l.Shape, constant(1)), Float32)
		y = graph.Mul(y, like(graph.ExpandLeftToRank(w, len(in))))
		if !l.NoBias {
			b := graph.ConvertDType(x.param(l.place, "LayerNorm", "bias", l.Shape, constant(0)), Float32)
			y = graph.Add(y, like(graph.ExpandLeftToRank(b, len(in))))
		}
	}
	y = graph.ConvertDType(y, x.DType())
	text := fmt.Sprintf("LayerNorm(%s, eps=%s, elementwise_affine=%s", tuple(l.Shape), float(l.Epsilon), python(!l.NoAffine))
	return l.seen(text+fmt.Sprintf(", bias=%s)", python(!l.NoAffine && !l.NoBias)), 0, x.With(y))
}

// Output returns the input's shape, or a [*ShapeError].
func (l LayerNorm) Output(in Shape) (Shape, error) {
	if err := l.endsIn("LayerNorm", in, l.Shape); err != nil {
		return nil, err
	}
	return in, nil
}

// endsIn returns a [*ShapeError] unless the last axes of a layer's input are shape.
func (a affine) endsIn(kind string, in, shape Shape) error {
	if n := len(in) - len(shape); len(in) > 0 && n >= 0 && Shape(in[n:]).Equal(shape) {
		return nil
	}
	want, fix := "at least one axis", ""
	if len(shape) > 0 {
		want = "[… " + fmt.Sprint([]int(shape))[1:]
		fix = "set Shape to the last axes, or leave it out to take the last"
	}
	return &ShapeError{Op: a.label(kind), Got: in, Want: want, Fix: fix}
}

// lastAxes are the numbers of the last n axes of rank.
func lastAxes(rank, n int) (axes []int) {
	for i := rank - n; i < rank; i++ {
		axes = append(axes, i)
	}
	return axes
}

// InstanceNorm2d gives each channel of each image mean 0 and variance 1, as
// torch.nn.InstanceNorm2d does. With Affine it then scales and moves each
// channel.
//
//	input                      [N C H W]
//	weight, bias               [C]   start at 1 and 0; only with Affine
//	running_mean, running_var  [C]   start at 0 and 1; only with Running
//	output                     as the input
//
// With Running, running values move towards the images' by Momentum in training
// and are used otherwise. An input of another rank or channel count is a
// [*ShapeError], and so is one of a single pixel.
//
// Ulyanov, Vedaldi and Lempitsky, "Instance Normalization: The Missing Ingredient
// for Fast Stylization", arXiv:1607.08022.
type InstanceNorm2d struct {
	In       int     // channels; 0 takes what comes
	Epsilon  float64 // added to the variance; 0 means 1e-5
	Affine   bool    // with weight and bias, as affine=True
	Running  bool    // with running values, as track_running_stats=True
	Momentum float64 // how much of a batch goes into the running values; 0 means 0.1

	affine
}

// Forward applies the layer.
func (l InstanceNorm2d) Forward(x *Tensor) *Tensor { return forward(l, x) }

func (l InstanceNorm2d) forward(x *node) *node {
	in, err := l.Output(x.Shape())
	if err != nil {
		panic(err)
	}
	fallback(&l.Epsilon, 1e-5)
	fallback(&l.Momentum, 0.1)
	const kind = "InstanceNorm2d"
	c, pixels := in[1], in[2]*in[3]
	if wanted := x.t.built(l.path, "weight"); len(wanted) == 1 && wanted[0] != c {
		panic(l.wrong(in, wanted[0]))
	}
	raw := graph.ConvertDType(x.channelsLast(), Float32) // sums of many numbers
	like := func(a *graph.Node) *graph.Node {            // of [N 1 1 C] or [C]
		return graph.BroadcastToDims(graph.ExpandLeftToRank(a, 4), raw.Shape().Dimensions...)
	}
	average := func(a *graph.Node, axes ...int) *graph.Node {
		n := 1
		for _, i := range axes {
			n *= a.Shape().Dimensions[i]
		}
		return graph.MulScalar(graph.ReduceAndKeep(a, graph.ReduceSum, axes...), 1/float64(n))
	}
	var weight, bias *graph.Node
	if l.Affine {
		weight = graph.ConvertDType(x.param(l.place, kind, "weight", Shape{c}, constant(1)), Float32)
		bias = graph.ConvertDType(x.param(l.place, kind, "bias", Shape{c}, constant(0)), Float32)
	}
	var runningMean, runningVar, batches *graph.Node
	if l.Running {
		runningMean = x.buffer(l.place, kind, "running_mean", Float32, Shape{c}, constant(0))
		runningVar = x.buffer(l.place, kind, "running_var", Float32, Shape{c}, constant(1))
		batches = x.buffer(l.place, kind, "num_batches_tracked", Int64, Shape{}, constant(0))
	}
	mean, variance := runningMean, runningVar
	if x.t.training || !l.Running {
		if pixels == 1 {
			panic(&ShapeError{Op: l.label(kind), Got: in, Want: "images of more than one pixel, which have a variance", Fix: "use larger pictures, or less pooling before it"})
		}
		mean = average(raw, 1, 2)
		variance = average(graph.Square(graph.Sub(raw, like(mean))), 1, 2)
	}
	if l.Running && x.t.training {
		toward := func(old, now *graph.Node) *graph.Node {
			now = graph.StopGradient(graph.Reshape(average(now, 0), c))
			return graph.Add(graph.MulScalar(old, 1-l.Momentum), graph.MulScalar(now, l.Momentum))
		}
		// The running variance is the unbiased one.
		unbiased := graph.MulScalar(variance, float64(pixels)/float64(pixels-1))
		x.update(l.place, "running_mean", toward(runningMean, mean))
		x.update(l.place, "running_var", toward(runningVar, unbiased))
		x.update(l.place, "num_batches_tracked", batches) // PyTorch does not count here
	}
	factor := graph.Reciprocal(graph.Sqrt(graph.AddScalar(variance, l.Epsilon)))
	y := graph.Mul(graph.Sub(raw, like(mean)), like(factor))
	if l.Affine {
		y = graph.Add(graph.Mul(y, like(weight)), like(bias))
	}
	text := fmt.Sprintf("InstanceNorm2d(%d, eps=%s, momentum=%s, affine=%s, bias=%[4]s, track_running_stats=%[5]s)",
		c, float(l.Epsilon), float(l.Momentum), python(l.Affine), python(l.Running))
	return l.seen(text, 0, x.withLast(graph.ConvertDType(y, x.DType())))
}

// Output returns the input's shape, or a [*ShapeError].
func (l InstanceNorm2d) Output(in Shape) (Shape, error) {
	if len(in) != 4 || l.In > 0 && in[1] != l.In {
		return nil, l.wrong(in, l.In)
	}
	return in, nil
}

func (l InstanceNorm2d) wrong(in Shape, channels int) error {
	want, fix := "[N C H W]", ""
	if channels > 0 {
		want = fmt.Sprintf("[N %d H W]", channels)
	}
	switch len(in) {
	case 3:
		fix = "add the batch axis: Reshape(1, …)"
	case 4:
		fix = fmt.Sprintf("set In: %d, or leave In out", in[1])
	}
	return &ShapeError{Op: l.label("InstanceNorm2d"), Got: in, Want: want, Fix: fix}
}
