package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// node is a value inside a program that is being written. It has a shape and no
// numbers yet. Its methods panic with a [*ShapeError] when shapes do not fit.
type node struct {
	raw  *graph.Node // nil while only last is known
	last *graph.Node // an image's values as [N H W C]; nil where they are not
	t    *trace

	lastFirst bool // raw is made from last
}

// Images are [N C H W] to whoever writes a Forward. Convolutions and poolings
// run faster on [N H W C], so a node keeps that form as long as only they and
// functions of single values use it.

// value returns the node as its shape says.
func (x *node) value() *graph.Node {
	if x.raw == nil {
		x.raw = graph.TransposeAllAxes(x.last, 0, 3, 1, 2)
	}
	return x.raw
}

// channelsLast returns an image [N C H W] as [N H W C].
func (x *node) channelsLast() *graph.Node {
	if x.last == nil {
		x.last = graph.TransposeAllAxes(x.raw, 0, 2, 3, 1)
	}
	return x.last
}

// withLast returns the image whose values are last [N H W C].
func (x *node) withLast(last *graph.Node) *node { return &node{last: last, t: x.t, lastFirst: true} }

// origin returns the form that the other one is made from.
func (x *node) origin() *graph.Node {
	if x.lastFirst {
		return x.last
	}
	return x.raw
}

// stopped returns x for what no gradient goes through.
func (x *node) stopped() *node {
	if x.lastFirst {
		return x.withLast(graph.StopGradient(x.last))
	}
	return x.With(graph.StopGradient(x.raw))
}

// each applies a function of single values.
func (x *node) each(f func(*graph.Node) *graph.Node) *node {
	if x.last != nil {
		return x.withLast(f(x.last))
	}
	return x.With(f(x.raw))
}

// either returns one of the two forms.
func (x *node) either() *graph.Node {
	if x.raw == nil {
		return x.last
	}
	return x.raw
}

// Shape returns the node's axes, outermost first.
func (x *node) Shape() Shape {
	if x.raw == nil {
		d := x.last.Shape().Dimensions
		return Shape{d[0], d[3], d[1], d[2]}
	}
	return append(Shape{}, x.raw.Shape().Dimensions...)
}

// DType returns the type of the node's elements.
func (x *node) DType() DType { return x.either().DType() }

// Rank returns the number of axes.
func (x *node) Rank() int { return x.either().Rank() }

// Dim returns the length of an axis; negative axes count from the last.
func (x *node) Dim(axis int) int { return x.Shape()[x.axis(x.t.where("Dim"), axis)] }

// With returns a node for raw, of the same program.
func (x *node) With(raw *graph.Node) *node { return &node{raw: raw, t: x.t} }

func (x *node) String() string { return fmt.Sprintf("%v %s", x.Shape(), typeName(x.DType())) }

// axis makes a negative axis positive and checks it.
func (x *node) axis(op string, axis int) int {
	n := x.Rank()
	if axis < -n || axis >= n {
		panic(&ShapeError{Op: op, Got: x.Shape(), Want: fmt.Sprintf("at least %d axes", max(axis+1, -axis)),
			Fix: fmt.Sprintf("axis %d does not exist", axis)})
	}
	return (axis + n) % n
}
