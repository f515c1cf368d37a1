package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// ReLU returns max(x, 0).
func (x *Node) ReLU() *Node {
	// GoMLX gives the gradient of a tie to the first: at 0, to the constant.
	return x.each(func(x *graph.Node) *graph.Node { return graph.Max(graph.ZerosLike(x), x) })
}

// Flatten joins all axes after the first: [N C H W] becomes [N C·H·W].
func (x *Node) Flatten() *Node {
	n := 1
	if x.Rank() > 0 {
		n = x.Dim(0)
	}
	return x.Reshape(n, -1)
}

// Reshape gives the values another shape with as many elements. One axis may
// be -1, which takes what is left.
func (x *Node) Reshape(shape ...int) *Node {
	size, free := 1, -1
	for i, n := range shape {
		if n == -1 && free < 0 {
			free = i
		} else {
			size *= n
		}
	}
	all := x.Shape().Size()
	to := append(Shape{}, shape...)
	if free >= 0 && size > 0 && all%size == 0 {
		to[free] = all / size
	}
	if to.Size() != all {
		panic(&ShapeError{Op: "Reshape", Got: x.Shape(), Want: fmt.Sprintf("as many elements as %v", Shape(shape)),
			Fix: fmt.Sprintf("the input has %d", all)})
	}
	return x.With(graph.Reshape(x.value(), to...))
}

// Transpose puts the axes in the given order: Transpose(0, 3, 1, 2) makes
// [N C H W] of [N H W C].
func (x *Node) Transpose(axes ...int) *Node {
	seen := map[int]bool{}
	var order []int
	for _, axis := range axes {
		axis = x.axis("Transpose", axis)
		seen[axis] = true
		order = append(order, axis)
	}
	if len(axes) != x.Rank() || len(seen) != x.Rank() {
		panic(&ShapeError{Op: "Transpose", Got: x.Shape(), Want: fmt.Sprintf("%d axes, for %v", len(axes), axes), Fix: "name every axis once"})
	}
	return x.With(graph.TransposeAllAxes(x.value(), order...))
}

// Add returns x + y. One of the two may be a scalar, or have axes of length
// 1, or fewer axes, which then repeat.
func (x *Node) Add(y *Node) *Node { return x.binary("Add", y, graph.Add) }

// Sub returns x - y, with shapes as for Add.
func (x *Node) Sub(y *Node) *Node { return x.binary("Sub", y, graph.Sub) }

// Mul returns x · y value by value, with shapes as for Add.
func (x *Node) Mul(y *Node) *Node { return x.binary("Mul", y, graph.Mul) }

// Div returns x / y value by value, with shapes as for Add.
func (x *Node) Div(y *Node) *Node { return x.binary("Div", y, graph.Div) }

// binary spreads two shapes over one another from the last axis on, as NumPy
// and PyTorch do, and applies f.
func (x *Node) binary(op string, y *Node, f func(a, b *graph.Node) *graph.Node) *Node {
	a, b := x.Shape(), y.Shape()
	rank := max(len(a), len(b))
	out := make(Shape, rank)
	for i := range rank {
		m, n := 1, 1
		if j := i - rank + len(a); j >= 0 {
			m = a[j]
		}
		if j := i - rank + len(b); j >= 0 {
			n = b[j]
		}
		if m != n && m != 1 && n != 1 {
			panic(&ShapeError{Op: op, Got: a, Want: fmt.Sprintf("a shape that fits %v", b), Fix: "axes must be equal or 1, from the last on"})
		}
		out[i] = max(m, n)
		if m == 0 || n == 0 {
			out[i] = 0
		}
	}
	if x.last != nil && y.last != nil && a.Equal(b) {
		return x.withLast(f(x.last, y.last))
	}
	spread := func(n *graph.Node) *graph.Node {
		if out.Equal(Shape(n.Shape().Dimensions)) {
			return n
		}
		return graph.BroadcastToDims(graph.ExpandLeftToRank(n, rank), out...)
	}
	return x.With(f(spread(x.value()), spread(y.value())))
}

// Scale returns x multiplied by a number.
func (x *Node) Scale(by float64) *Node {
	return x.each(func(x *graph.Node) *graph.Node { return graph.MulScalar(x, by) })
}

// MatMul multiplies matrices: [… M K] by [K N] gives [… M N].
func (x *Node) MatMul(y *Node) *Node {
	a, b := x.Shape(), y.Shape()
	if len(a) < 1 || len(b) != 2 || a[len(a)-1] != b[0] {
		panic(&ShapeError{Op: "MatMul", Got: a, Want: fmt.Sprintf("[… K] for a [K N] of %v", b), Fix: "the last axis must be the other's first"})
	}
	return x.With(graph.DotGeneral(x.value(), []int{len(a) - 1}, nil, y.value(), []int{0}, nil))
}

// Sigmoid returns 1/(1+e⁻ˣ).
func (x *Node) Sigmoid() *Node { return x.each(graph.Sigmoid) }

// Tanh returns the hyperbolic tangent.
func (x *Node) Tanh() *Node { return x.each(graph.Tanh) }

// Exp returns eˣ.
func (x *Node) Exp() *Node { return x.each(graph.Exp) }

// Log returns the natural logarithm.
func (x *Node) Log() *Node { return x.each(graph.Log) }

// Sqrt returns the square root.
func (x *Node) Sqrt() *Node { return x.each(graph.Sqrt) }

// Softmax returns eˣ over its sum along an axis, so that the values along it
// are positive and sum to 1. Negative axes count from the last.
func (x *Node) Softmax(axis int) *Node {
	return x.With(graph.Softmax(x.value(), x.axis("Softmax", axis)))
}

// LogSoftmax returns the logarithm of [Node.Softmax], without losing small
// values.
func (x *Node) LogSoftmax(axis int) *Node {
	return x.With(graph.LogSoftmax(x.value(), x.axis("LogSoftmax", axis)))
}

// Argmax returns where along an axis the largest value is, the first if there
// are several. The axis goes away; the result is int64.
func (x *Node) Argmax(axis int) *Node {
	return x.With(graph.ArgMax(x.value(), x.axis("Argmax", axis), Int64))
}

// Sum adds up along the axes, which go away; all of them if none is named.
func (x *Node) Sum(axes ...int) *Node {
	return x.With(graph.ReduceSum(x.value(), x.axes("Sum", axes)...))
}

// Mean averages along the axes, which go away; all of them if none is named.
func (x *Node) Mean(axes ...int) *Node {
	return x.With(graph.ReduceMean(x.value(), x.axes("Mean", axes)...))
}

// Max takes the largest along the axes, which go away; all of them if none is
// named.
func (x *Node) Max(axes ...int) *Node {
	return x.With(graph.ReduceMax(x.value(), x.axes("Max", axes)...))
}

func (x *Node) axes(op string, axes []int) []int {
	out := make([]int, len(axes))
	for i, axis := range axes {
		out[i] = x.axis(op, axis)
	}
	return out
}
