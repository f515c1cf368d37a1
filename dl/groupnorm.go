package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// GroupNorm gives the values of each example in each group of channels mean 0 and
// variance 1, then scales and moves each channel, as torch.nn.GroupNorm does.
//
//	input         [N C …]
//	weight, bias  [C]   start at 1 and 0; absent when NoAffine
//	output        as the input
//
// Groups must divide the channels. An input of another channel count, or without one,
// is a [*ShapeError].
//
// Wu and He, "Group Normalization", arXiv:1803.08494.
type GroupNorm struct {
	Groups   int     // groups of channels; required
	In       int     // channels; 0 takes what comes
	Epsilon  float64 // added to the variance; 0 means 1e-5
	NoAffine bool    // leave out weight and bias, as affine=False

	affine
}

// Forward applies the layer.
func (l GroupNorm) Forward(x *Tensor) *Tensor { return forward(l, x) }

func (l GroupNorm) forward(x *node) *node {
	in, err := l.Output(x.Shape())
	if err != nil {
		panic(err)
	}
	const kind = "GroupNorm"
	fallback(&l.Epsilon, 1e-5)
	c := in[1]
	if wanted := x.t.built(l.path, "weight"); len(wanted) == 1 && wanted[0] != c {
		panic(l.wrong(in, wanted[0]))
	}
	each := in.Size() / max(in[0]*l.Groups, 1) // values of a group
	raw := graph.Reshape(graph.ConvertDType(x.value(), Float32), in[0], l.Groups, each)
	mean := func(a *graph.Node) *graph.Node {
		a = graph.MulScalar(graph.ReduceAndKeep(a, graph.ReduceSum, 2), 1/float64(each))
		return graph.BroadcastToDims(a, in[0], l.Groups, each)
	}
	away := graph.Sub(raw, mean(raw))
	y := graph.Reshape(graph.Div(away, graph.Sqrt(graph.AddScalar(mean(graph.Square(away)), l.Epsilon))), in...)
	if !l.NoAffine {
		like := func(a *graph.Node) *graph.Node { return overChannels(graph.ConvertDType(a, Float32), in) }
		y = graph.Mul(y, like(x.param(l.place, kind, "weight", Shape{c}, constant(1))))
		y = graph.Add(y, like(x.param(l.place, kind, "bias", Shape{c}, constant(0))))
	}
	text := fmt.Sprintf("GroupNorm(%d, %d, eps=%s, affine=%s, bias=%[4]s)", l.Groups, c, float(l.Epsilon), python(!l.NoAffine))
	return l.seen(text, 0, x.With(graph.ConvertDType(y, x.DType())))
}

// overChannels repeats a number for each channel over [N C …].
func overChannels(a *graph.Node, in Shape) *graph.Node {
	dims := make([]int, len(in))
	for i := range dims {
		dims[i] = 1
	}
	dims[1] = -1
	return graph.BroadcastToDims(graph.Reshape(a, dims...), in...)
}

// Output returns the input's shape, or a [*ShapeError].
func (l GroupNorm) Output(in Shape) (Shape, error) {
	if l.Groups <= 0 {
		return nil, fmt.Errorf("dl: %s: Groups is %d, want above 0; write GroupNorm{Groups: 8}", l.label("GroupNorm"), l.Groups)
	}
	if len(in) < 2 || l.In > 0 && in[1] != l.In {
		return nil, l.wrong(in, l.In)
	}
	if in[1]%l.Groups != 0 {
		return nil, fmt.Errorf("dl: %s: Groups is %d, want a divisor of the %d channels", l.label("GroupNorm"), l.Groups, in[1])
	}
	return in, nil
}

func (l GroupNorm) wrong(in Shape, channels int) error {
	want, fix := "[N C …]", ""
	if channels > 0 {
		want = fmt.Sprintf("[N %d …]", channels)
	}
	if len(in) > 1 {
		fix = fmt.Sprintf("set In: %d, or leave In out", in[1])
	}
	return &ShapeError{Op: l.label("GroupNorm"), Got: in, Want: want, Fix: fix}
}

// RMSNorm divides the values of each example, or of each place of a sequence, by the
// root of their mean square, then scales them, as torch.nn.RMSNorm does.
//
//	input   [… D]
//	weight  [D]   starts at 1; absent when NoAffine
//	output  as the input
//
// With Shape, the mean is over as many last axes as that has, which must be Shape. An
// input that does not end so is a [*ShapeError].
//
// Zhang and Sennrich, "Root Mean Square Layer Normalization", arXiv:1910.07467.
type RMSNorm struct {
	Shape    Shape   // the last axes; nil means the last axis, as long as it comes
	Epsilon  float64 // added to the mean square; 0 means 2⁻²³, as eps=None has it for float32
	NoAffine bool    // leave out the weight, as elementwise_affine=False

	affine
}

// Forward applies the layer.
func (l RMSNorm) Forward(x *Tensor) *Tensor { return forward(l, x) }

func (l RMSNorm) forward(x *node) *node {
	in, err := l.Output(x.Shape())
	if err != nil {
		panic(err)
	}
	if l.Shape == nil {
		l.Shape = in[len(in)-1:]
	}
	if err := l.endsIn("RMSNorm", in, x.t.built(l.path, "weight")); err != nil {
		panic(err)
	}
	epsilon := "None"
	if l.Epsilon != 0 {
		epsilon = float(l.Epsilon)
	}
	fallback(&l.Epsilon, 0x1p-23)
	raw := graph.ConvertDType(x.value(), Float32)
	axes := lastAxes(len(in), len(l.Shape))
	like := func(a *graph.Node) *graph.Node {
		return graph.BroadcastToDims(graph.ExpandLeftToRank(a, len(in)), in...)
	}
	square := graph.MulScalar(graph.ReduceAndKeep(graph.Square(raw), graph.ReduceSum, axes...), 1/float64(l.Shape.Size()))
	y := graph.Div(raw, like(graph.Sqrt(graph.AddScalar(square, l.Epsilon))))
	if !l.NoAffine {
		y = graph.Mul(y, like(graph.ConvertDType(x.param(l.place, "RMSNorm", "weight", l.Shape, constant(1)), Float32)))
	}
	text := fmt.Sprintf("RMSNorm(%s, eps=%s, elementwise_affine=%s)", tuple(l.Shape), epsilon, python(!l.NoAffine))
	return l.seen(text, 0, x.With(graph.ConvertDType(y, x.DType())))
}

// Output returns the input's shape, or a [*ShapeError].
func (l RMSNorm) Output(in Shape) (Shape, error) {
	if err := l.endsIn("RMSNorm", in, l.Shape); err != nil {
		return nil, err
	}
	return in, nil
}

// PReLU multiplies negative values by a slope that is learnt, as torch.nn.PReLU does.
//
//	input   [N C …], or any shape with one slope
//	weight  [Slopes]   starts at Start
//	output  as the input
//
// With Slopes there is one for each channel, the second axis. An input of another
// channel count is a [*ShapeError].
//
// He et al., "Delving Deep into Rectifiers", arXiv:1502.01852.
type PReLU struct {
	Slopes int     // 0 means 1, for all values; else as many as channels
	Start  float64 // 0 means 0.25

	affine
}

// Forward applies the layer.
func (l PReLU) Forward(x *Tensor) *Tensor { return forward(l, x) }

func (l PReLU) forward(x *node) *node {
	fallback(&l.Start, 0.25)
	in, n := x.Shape(), max(l.Slopes, 1)
	if n > 1 && (len(in) < 2 || in[1] != n) {
		panic(&ShapeError{Op: l.label("PReLU"), Got: in, Want: fmt.Sprintf("[N %d …]", n), Fix: "there is one slope for each channel; leave Slopes out for one for all"})
	}
	raw := x.value()
	slope := graph.ConvertDType(x.param(l.place, "PReLU", "weight", Shape{n}, constant(float32(l.Start))), raw.DType())
	if n == 1 {
		slope = graph.BroadcastToDims(graph.Reshape(slope), in...)
	} else {
		slope = overChannels(slope, in)
	}
	y := graph.Where(graph.GreaterThan(raw, graph.ZerosLike(raw)), raw, graph.Mul(raw, slope))
	return l.seen(fmt.Sprintf("PReLU(num_parameters=%d)", n), 0, x.With(y))
}
