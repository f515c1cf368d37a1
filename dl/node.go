package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// Node is a value inside a program that is being written: what a Forward
// method gets and returns. It has a shape and no numbers yet. Its methods
// panic with a [*ShapeError] when shapes do not fit; [Build], [TrainStep] and
// their kind return that as an error.
type Node struct {
	raw  *graph.Node // nil while only last is known
	last *graph.Node // an image's values as [N H W C]; nil where they are not
	t    *trace
}

// Images are [N C H W] to whoever writes a Forward. Convolutions and poolings
// run faster on [N H W C], so a node keeps that form as long as only they and
// functions of single values use it.

// value returns the node as its shape says.
func (x *Node) value() *graph.Node {
	if x.raw == nil {
		x.raw = graph.TransposeAllAxes(x.last, 0, 3, 1, 2)
	}
	return x.raw
}

// channelsLast returns an image [N C H W] as [N H W C].
func (x *Node) channelsLast() *graph.Node {
	if x.last == nil {
		x.last = graph.TransposeAllAxes(x.raw, 0, 2, 3, 1)
	}
	return x.last
}

// withLast returns the image whose values are last [N H W C].
func (x *Node) withLast(last *graph.Node) *Node { return &Node{last: last, t: x.t} }

// each applies a function of single values.
func (x *Node) each(f func(*graph.Node) *graph.Node) *Node {
	if x.last != nil {
		return x.withLast(f(x.last))
	}
	return x.With(f(x.raw))
}

// either returns one of the two forms.
func (x *Node) either() *graph.Node {
	if x.raw == nil {
		return x.last
	}
	return x.raw
}

// Shape returns the node's axes, outermost first.
func (x *Node) Shape() Shape {
	if x.raw == nil {
		d := x.last.Shape().Dimensions
		return Shape{d[0], d[3], d[1], d[2]}
	}
	return append(Shape{}, x.raw.Shape().Dimensions...)
}

// DType returns the type of the node's elements.
func (x *Node) DType() DType { return x.either().DType() }

// Rank returns the number of axes.
func (x *Node) Rank() int { return x.either().Rank() }

// Dim returns the length of an axis; negative axes count from the last.
func (x *Node) Dim(axis int) int { return x.Shape()[x.axis(x.t.where("Dim"), axis)] }

// GoMLX returns the node of GoMLX's graph package that x stands for, for
// operations that dl does not have.
func (x *Node) GoMLX() *graph.Node { return x.value() }

// With returns a node for raw, which must be made from nodes of the same
// program. It is the way back from [Node.GoMLX].
func (x *Node) With(raw *graph.Node) *Node { return &Node{raw: raw, t: x.t} }

// Training tells whether the program is one for training, and the model as a
// whole in training mode: dropout drops and batch normalization learns only
// there.
func (x *Node) Training() bool { return x.t.trains("") }

func (x *Node) String() string { return fmt.Sprintf("%v %s", x.Shape(), typeName(x.DType())) }

// Constant returns a node that holds fixed values, a Tensor, a Go number or
// slice of numbers, or slice of such slices, in the program of x.
func (x *Node) Constant(values any) *Node {
	g := x.either().Graph()
	if t, ok := values.(*Tensor); ok {
		return x.With(graph.Reshape(graph.Const(g, t.flat()), t.shape...))
	}
	return x.With(graph.Const(g, values))
}

// axis makes a negative axis positive and checks it.
func (x *Node) axis(op string, axis int) int {
	n := x.Rank()
	if axis < -n || axis >= n {
		panic(&ShapeError{Op: op, Got: x.Shape(), Want: fmt.Sprintf("at least %d axes", max(axis+1, -axis)),
			Fix: fmt.Sprintf("axis %d does not exist", axis)})
	}
	return (axis + n) % n
}
