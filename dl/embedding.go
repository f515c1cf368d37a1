package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// Embedding looks up a vector for each number, as torch.nn.Embedding does.
//
//	input   [… ]      integers, 0 to In-1
//	weight  [In Out]
//	output  [… Out]
//
// Weights start normal with mean 0 and variance 1. The vector of PaddingIdx
// starts at 0 and is never trained. A model that begins with an Embedding is
// built for integers: dl.Build(net, dl.Shape{8, 20}, dl.Int64). Any other
// input is an error. Numbers outside of 0 to In-1 are an error where the
// layer gets the model's input itself.
type Embedding struct {
	In         int  // how many vectors there are; required
	Out        int  // length of a vector; required
	PaddingIdx *int // the number whose vector stays 0, as new(0); nil for none

	affine
}

// Forward applies the layer.
func (e Embedding) Forward(x *Tensor) *Tensor { return forward(e, x) }

func (e Embedding) forward(x *node) *node {
	if _, err := e.Output(x.Shape()); err != nil {
		panic(err)
	}
	if !x.DType().IsInt() {
		panic(fmt.Errorf("dl: %s: input is %v, want integers; build the model for them: dl.Build(net, %#v, dl.Int64)",
			e.label("Embedding"), x, x.Shape()))
	}
	first := initializer(normal)
	text := fmt.Sprintf("Embedding(%d, %d)", e.In, e.Out)
	if e.PaddingIdx != nil {
		pad := *e.PaddingIdx
		if pad < 0 {
			pad += e.In
		}
		first = func(random func() float64, values []float32) {
			normal(random, values)
			clear(values[pad*e.Out : (pad+1)*e.Out])
		}
		text = fmt.Sprintf("Embedding(%d, %d, padding_idx=%d)", e.In, e.Out, pad)
	}
	w := x.param(e.place, "Embedding", "weight", Shape{e.In, e.Out}, first)
	if e.PaddingIdx != nil {
		pad := make([]bool, e.In)
		pad[(*e.PaddingIdx+e.In)%e.In] = true
		w = graph.Where(graph.Const(w.Graph(), pad), graph.StopGradient(w), w)
	}
	x.t.ids = e.In
	y := graph.Gather(w, graph.InsertAxes(x.value(), -1))
	return e.seen(text, 0, x.With(y))
}

// Output returns the shape that the layer makes of an input, or an error for
// settings that cannot work.
func (e Embedding) Output(in Shape) (Shape, error) {
	if e.In <= 0 || e.Out <= 0 {
		return nil, fmt.Errorf("dl: %s: In is %d and Out %d, want both above 0; write Embedding{In: 10000, Out: 64}", e.label("Embedding"), e.In, e.Out)
	}
	if p := e.PaddingIdx; p != nil && (*p < -e.In || *p >= e.In) {
		return nil, fmt.Errorf("dl: %s: PaddingIdx is %d, want 0 to %d", e.label("Embedding"), *p, e.In-1)
	}
	return append(append(Shape{}, in...), e.Out), nil
}

// Embedding looks up a row of weight [In Out] for each integer.
func (x *node) Embedding(weight *node) *node {
	if w := weight.Shape(); len(w) != 2 || !x.DType().IsInt() {
		panic(fmt.Errorf("dl: Embedding: input is %v and the weight %v, want integers and [In Out]", x, w))
	}
	x.t.ids = weight.Shape()[0]
	return x.With(graph.Gather(weight.value(), graph.InsertAxes(x.value(), -1)))
}
