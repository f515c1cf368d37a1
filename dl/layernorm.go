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
	if wanted := x.t.built(l.path, "weight"); wanted != nil && !wanted.Equal(l.Shape) {
		panic(l.wrong(in, wanted))
	}
	if l.Epsilon == 0 {
		l.Epsilon = 1e-5
	}
	raw := graph.ConvertDType(x.value(), Float32)
	var axes []int
	for i := range l.Shape {
		axes = append(axes, len(in)-len(l.Shape)+i)
	}
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
	if len(in) == 0 || len(in) < len(l.Shape) || !Shape(in[len(in)-len(l.Shape):]).Equal(l.Shape) {
		return nil, l.wrong(in, l.Shape)
	}
	return in, nil
}

func (l LayerNorm) wrong(in, shape Shape) error {
	want, fix := "at least one axis", ""
	if len(shape) > 0 {
		want = "[… " + fmt.Sprint([]int(shape))[1:]
		fix = "set Shape to the last axes, or leave it out to take the last"
	}
	return &ShapeError{Op: l.label("LayerNorm"), Got: in, Want: want, Fix: fix}
}

// tuple writes a shape as Python does.
func tuple(s Shape) string {
	if len(s) == 1 {
		return fmt.Sprintf("(%d,)", s[0])
	}
	text := "("
	for i, n := range s {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprint(n)
	}
	return text + ")"
}
