package dl

import (
	"fmt"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
)

// Linear multiplies by a matrix and adds a bias, as torch.nn.Linear does.
//
//	input   [… In]
//	weight  [Out In]
//	bias    [Out]     absent when NoBias
//	output  [… Out]
//
// Weights and bias start uniform in ±1/√In. An input whose last axis is not
// In is a [*ShapeError].
type Linear struct {
	In     int  // input features; 0 takes what comes
	Out    int  // output features; required
	NoBias bool // leave out the bias

	xavier bool // the weights start uniform in ±√(6/(In+Out)); part of a Transformer

	affine
}

// Forward applies the layer.
func (l Linear) Forward(x *Tensor) *Tensor { return forward(l, x) }

func (l Linear) forward(x *node) *node {
	shape := x.Shape()
	out, err := l.Output(shape)
	if err != nil {
		panic(err)
	}
	in := shape[len(shape)-1]
	if wanted := x.t.built(l.path, "weight"); len(wanted) == 2 && wanted[1] != in {
		panic(l.wrong(shape, wanted[1]))
	}
	first := uniform(in)
	if l.xavier {
		first = xavier(in, l.Out)
	}
	w := x.param(l.place, "Linear", "weight", Shape{l.Out, in}, first)
	y := graph.DotGeneral(x.value(), []int{len(shape) - 1}, nil, w, []int{1}, nil)
	if !l.NoBias {
		b := x.param(l.place, "Linear", "bias", Shape{l.Out}, uniform(in))
		y = graph.Add(y, graph.BroadcastToDims(graph.ExpandLeftToRank(b, len(out)), out...))
	}
	text := fmt.Sprintf("Linear(in_features=%d, out_features=%d, bias=%s)", in, l.Out, map[bool]string{false: "True", true: "False"}[l.NoBias])
	return l.seen(text, out.Size()*in, x.With(y))
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (l Linear) Output(in Shape) (Shape, error) {
	if l.Out <= 0 || l.In < 0 {
		return nil, fmt.Errorf("dl: %s: Out is %d, want above 0; write Linear{Out: 10}", l.label("Linear"), l.Out)
	}
	if len(in) == 0 || l.In > 0 && in[len(in)-1] != l.In {
		return nil, l.wrong(in, l.In)
	}
	out := append(Shape{}, in...)
	out[len(out)-1] = l.Out
	return out, nil
}

// wrong is the error for an input whose last axis is not the wanted one.
func (l Linear) wrong(in Shape, wanted int) error {
	want := "at least one axis"
	if wanted > 0 {
		want = fmt.Sprintf("[%s%d]", strings.Repeat("N ", max(1, min(len(in)-1, 1))), wanted)
	}
	fix := ""
	switch {
	case len(in) == 4 && in[1]*in[2]*in[3] == wanted:
		fix = "put Flatten{} before it"
	case len(in) == 2 && l.In > 0:
		fix = fmt.Sprintf("set In: %d, or leave In out", in[1])
	case len(in) == 2:
		fix = "the model was built for inputs of another size; resize them, or build it anew"
	}
	return &ShapeError{Op: l.label("Linear"), Got: in, Want: want, Fix: fix}
}

// Linear is x·weightᵀ + bias, as torch.nn.functional.linear, for x [… I],
// weight [O I] and bias [O] or nil.
func (x *node) Linear(weight, bias *node) *node {
	a, w := x.Shape(), weight.Shape()
	if len(a) == 0 || len(w) != 2 || a[len(a)-1] != w[1] {
		panic(&ShapeError{Op: "Linear", Got: a, Want: fmt.Sprintf("[… I] for a weight [O I] of %v", w), Fix: "the last axes must be equal"})
	}
	y := x.With(graph.DotGeneral(x.value(), []int{len(a) - 1}, nil, weight.value(), []int{1}, nil))
	if bias == nil {
		return y
	}
	return y.Add(bias)
}
