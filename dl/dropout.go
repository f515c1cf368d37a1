package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// Dropout sets values to 0 with probability P and divides the others by 1-P,
// as torch.nn.Dropout does. Any shape. It does so in training only; what it
// drops follows from [Seed], the step and the layer's place.
//
// Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from
// Overfitting", JMLR 2014.
type Dropout struct {
	P float64 // in [0, 1]; 0 means 0.5

	place
}

// Forward applies the layer.
func (d Dropout) Forward(x *Tensor) *Tensor { return forward(d, x) }

func (d Dropout) forward(x *node) *node {
	fallback(&d.P, 0.5)
	if d.P < 0 || d.P > 1 {
		panic(fmt.Errorf("dl: %s: P is %v, want 0 to 1; try Dropout{P: 0.5}", d.label("Dropout"), d.P))
	}
	y := x
	if x.t.training && d.P > 0 {
		y = x.each(func(raw *graph.Node) *graph.Node { return x.t.drop(raw, d.P) })
	}
	return d.seen(fmt.Sprintf("Dropout(p=%s, inplace=False)", float(d.P)), 0, y)
}

// Dropout2d sets whole channels of images to 0 with probability P and divides the
// others by 1-P, as torch.nn.Dropout2d does, in training only.
//
//	input   [N C H W]
//	output  as the input
//
// An input of another rank is a [*ShapeError].
//
// Tompson et al., "Efficient Object Localization Using Convolutional Networks",
// CVPR 2015.
type Dropout2d struct {
	P float64 // in [0, 1]; 0 means 0.5

	place
}

// Forward applies the layer.
func (d Dropout2d) Forward(x *Tensor) *Tensor { return forward(d, x) }

func (d Dropout2d) forward(x *node) *node {
	in, err := d.Output(x.Shape())
	if err != nil {
		panic(err)
	}
	fallback(&d.P, 0.5)
	y := x
	if x.t.training {
		raw := x.channelsLast()
		one := graph.ConvertDType(graph.BroadcastToDims(graph.Const(x.t.graph, float32(1)), in[0], 1, 1, in[1]), raw.DType())
		y = x.withLast(graph.Mul(raw, graph.BroadcastToDims(x.t.drop(one, d.P), raw.Shape().Dimensions...)))
	}
	return d.seen(fmt.Sprintf("Dropout2d(p=%s, inplace=False)", float(d.P)), 0, y)
}

// Output returns the input's shape, or a [*ShapeError].
func (d Dropout2d) Output(in Shape) (Shape, error) {
	if d.P < 0 || d.P > 1 {
		return nil, fmt.Errorf("dl: %s: P is %v, want 0 to 1; try Dropout2d{P: 0.5}", d.label("Dropout2d"), d.P)
	}
	if len(in) != 4 {
		return nil, wrongPool(d.label("Dropout2d"), in)
	}
	return in, nil
}
