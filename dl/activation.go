package dl

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
)

// ReLU replaces negative values by 0, as torch.nn.ReLU does. Its gradient at
// 0 is 0. Any shape.
type ReLU struct{ place }

// Forward applies the layer.
func (l ReLU) Forward(x *Tensor) *Tensor { return forward(l, x) }

func (l ReLU) forward(x *node) *node { return l.seen("ReLU()", 0, x.ReLU()) }

// LeakyReLU multiplies negative values by Slope, as torch.nn.LeakyReLU does.
// Any shape.
type LeakyReLU struct {
	Slope float64 // 0 means 0.01

	place
}

// Forward applies the layer.
func (l LeakyReLU) Forward(x *Tensor) *Tensor { return forward(l, x) }

func (l LeakyReLU) forward(x *node) *node {
	fallback(&l.Slope, 0.01)
	return l.seen(fmt.Sprintf("LeakyReLU(negative_slope=%s)", float(l.Slope)), 0, x.LeakyReLU(l.Slope))
}

// ELU bends negative values towards -Alpha, as torch.nn.ELU does: x above 0, else
// Alpha·(eˣ - 1). Any shape. Clevert et al., "Fast and Accurate Deep Network
// Learning by Exponential Linear Units", ICLR 2016.
type ELU struct {
	Alpha float64 // 0 means 1

	place
}

// Forward applies the layer.
func (l ELU) Forward(x *Tensor) *Tensor { return forward(l, x) }

func (l ELU) forward(x *node) *node {
	fallback(&l.Alpha, 1)
	return l.seen(fmt.Sprintf("ELU(alpha=%s)", float(l.Alpha)), 0, x.ELU(l.Alpha))
}

// GELU multiplies each value by the share of a normal distribution that lies
// below it, as torch.nn.GELU does. Any shape. Hendrycks and Gimpel, "Gaussian
// Error Linear Units", arXiv:1606.08415.
type GELU struct {
	Tanh bool // the paper's approximation by tanh, as approximate='tanh', which GPT-2 was trained with

	place
}

// Forward applies the layer.
func (l GELU) Forward(x *Tensor) *Tensor { return forward(l, x) }

func (l GELU) forward(x *node) *node {
	if l.Tanh {
		return l.seen("GELU(approximate='tanh')", 0, x.GELUTanh())
	}
	return l.seen("GELU(approximate='none')", 0, x.GELU())
}

// SiLU multiplies each value by its sigmoid, as torch.nn.SiLU does; also
// called swish. Any shape.
type SiLU struct{ place }

// Forward applies the layer.
func (l SiLU) Forward(x *Tensor) *Tensor { return forward(l, x) }

func (l SiLU) forward(x *node) *node { return l.seen("SiLU()", 0, x.SiLU()) }

// Sigmoid is 1/(1+e⁻ˣ), as torch.nn.Sigmoid. Any shape.
type Sigmoid struct{ place }

// Forward applies the layer.
func (l Sigmoid) Forward(x *Tensor) *Tensor { return forward(l, x) }

func (l Sigmoid) forward(x *node) *node { return l.seen("Sigmoid()", 0, x.Sigmoid()) }

// Tanh is the hyperbolic tangent, as torch.nn.Tanh. Any shape.
type Tanh struct{ place }

// Forward applies the layer.
func (l Tanh) Forward(x *Tensor) *Tensor { return forward(l, x) }

func (l Tanh) forward(x *node) *node { return l.seen("Tanh()", 0, x.Tanh()) }

// Softmax makes the values along an axis positive and their sum 1, as
// torch.nn.Softmax does. Any shape that has the axis. A model that is trained
// with [CrossEntropyLoss] must not end with it.
type Softmax struct {
	Axis int // 0 means the last; others from the last, as -2, the first of [N D]

	place
}

// Forward applies the layer.
func (l Softmax) Forward(x *Tensor) *Tensor { return forward(l, x) }

func (l Softmax) forward(x *node) *node {
	if l.Axis == 0 {
		l.Axis = -1
	}
	return l.seen(fmt.Sprintf("Softmax(dim=%d)", l.Axis), 0, x.With(graph.Softmax(x.value(), x.axis(l.label("Softmax"), l.Axis))))
}

// LogSoftmax is the logarithm of [Softmax], as torch.nn.LogSoftmax, for
// [NLLLoss].
type LogSoftmax struct {
	Axis int // 0 means the last; others from the last, as -2, the first of [N D]

	place
}

// Forward applies the layer.
func (l LogSoftmax) Forward(x *Tensor) *Tensor { return forward(l, x) }

func (l LogSoftmax) forward(x *node) *node {
	if l.Axis == 0 {
		l.Axis = -1
	}
	return l.seen(fmt.Sprintf("LogSoftmax(dim=%d)", l.Axis), 0, x.With(graph.LogSoftmax(x.value(), x.axis(l.label("LogSoftmax"), l.Axis))))
}

// Flatten joins all axes after the first into one, as torch.nn.Flatten does:
// [N C H W] becomes [N C·H·W]. An input without axes is a [*ShapeError].
type Flatten struct{ place }

// Forward applies the layer.
func (l Flatten) Forward(x *Tensor) *Tensor { return forward(l, x) }

func (l Flatten) forward(x *node) *node {
	if x.Rank() == 0 {
		panic(&ShapeError{Op: l.label("Flatten"), Got: x.Shape(), Want: "[N …]"})
	}
	return l.seen("Flatten(start_dim=1, end_dim=-1)", 0, x.Flatten())
}

// ReLU returns max(x, 0).
func (x *node) ReLU() *node {
	// GoMLX gives the gradient of a tie to the first: at 0, to the constant.
	relu := func(x *graph.Node) *graph.Node { return graph.Max(graph.ZerosLike(x), x) }
	if x.last != nil {
		return x.later(relu)
	}
	return x.each(relu)
}

// LeakyReLU returns x where it is above 0, else x·slope.
func (x *node) LeakyReLU(slope float64) *node {
	return x.each(func(x *graph.Node) *graph.Node {
		return graph.Where(graph.GreaterThan(x, graph.ZerosLike(x)), x, graph.MulScalar(x, slope))
	})
}

// ELU returns x where it is above 0, else alpha·(eˣ - 1).
func (x *node) ELU(alpha float64) *node {
	return x.each(func(x *graph.Node) *graph.Node {
		zero := graph.ZerosLike(x)
		above := graph.GreaterThan(x, zero)
		// A large x must not reach the exponential: infinity times the 0 of its gradient is no number.
		below := graph.MulScalar(graph.MinusOne(graph.Exp(graph.Where(above, zero, x))), alpha)
		return graph.Where(above, x, below)
	})
}

// GELU returns x·Φ(x), with Φ the normal distribution.
func (x *node) GELU() *node {
	return x.each(func(x *graph.Node) *graph.Node {
		return graph.Mul(graph.MulScalar(x, 0.5), graph.OnePlus(graph.Erf(graph.MulScalar(x, 1/math.Sqrt2))))
	})
}

// GELUTanh returns the approximation of [Tensor.GELU] by tanh.
func (x *node) GELUTanh() *node {
	return x.each(func(x *graph.Node) *graph.Node {
		cube := graph.Mul(graph.Square(x), x)
		inner := graph.MulScalar(graph.Add(x, graph.MulScalar(cube, 0.044715)), math.Sqrt(2/math.Pi))
		return graph.Mul(graph.MulScalar(x, 0.5), graph.OnePlus(graph.Tanh(inner)))
	})
}

// SiLU returns x·sigmoid(x).
func (x *node) SiLU() *node {
	return x.each(func(x *graph.Node) *graph.Node { return graph.Mul(x, graph.Sigmoid(x)) })
}

// Sigmoid returns 1/(1+e⁻ˣ).
func (x *node) Sigmoid() *node { return x.each(graph.Sigmoid) }

// Tanh returns the hyperbolic tangent.
func (x *node) Tanh() *node { return x.each(graph.Tanh) }

// Softmax returns eˣ over its sum along an axis, so that the values along it
// are positive and sum to 1. Negative axes count from the last.
func (x *node) Softmax(axis int) *node {
	return x.With(graph.Softmax(x.value(), x.axis(x.t.where("Softmax"), axis)))
}

// LogSoftmax returns the logarithm of [Tensor.Softmax], without losing small
// values.
func (x *node) LogSoftmax(axis int) *node {
	return x.With(graph.LogSoftmax(x.value(), x.axis(x.t.where("LogSoftmax"), axis)))
}

// float writes a number as Python does.
func float(v float64) string {
	s := strconv.FormatFloat(v, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}
