package dl

import (
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/lower"
)

// Flatten joins all axes after the first: [N C H W] becomes [N C·H·W].
func (x *node) Flatten() *node {
	n := 1
	if x.Rank() > 0 {
		n = x.Dim(0)
	}
	return x.Reshape(n, -1)
}

// Reshape gives the values another shape with as many elements. One axis may
// be -1, which takes what is left.
func (x *node) Reshape(shape ...int) *node {
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
	if free >= 0 && slices.Contains(to[free+1:], -1) {
		panic(&ShapeError{Op: x.t.where("Reshape"), Got: x.Shape(), Want: fmt.Sprintf("one -1 at most, not %v", Shape(shape)),
			Fix: "only one axis can take what is left"})
	}
	if to.Size() != all {
		panic(&ShapeError{Op: x.t.where("Reshape"), Got: x.Shape(), Want: fmt.Sprintf("as many elements as %v", Shape(shape)),
			Fix: fmt.Sprintf("the input has %d", all)})
	}
	return x.With(graph.Reshape(x.value(), to...))
}

// Transpose puts the axes in the given order: Transpose(0, 3, 1, 2) makes
// [N C H W] of [N H W C].
func (x *node) Transpose(axes ...int) *node {
	seen := map[int]bool{}
	var order []int
	for _, axis := range axes {
		axis = x.axis(x.t.where("Transpose"), axis)
		seen[axis] = true
		order = append(order, axis)
	}
	if len(axes) != x.Rank() || len(seen) != x.Rank() {
		panic(&ShapeError{Op: x.t.where("Transpose"), Got: x.Shape(), Want: fmt.Sprintf("%d axes, for %v", len(axes), axes), Fix: "name every axis once"})
	}
	return x.With(graph.TransposeAllAxes(x.value(), order...))
}

// concat joins nodes along an axis; their other axes must be equal.
func concat(axis int, xs ...*node) *node {
	if len(xs) == 0 {
		panic(&ShapeError{Op: "Concat", Want: "at least one tensor"})
	}
	first := xs[0]
	at := first.axis(first.t.where("Concat"), axis)
	var raw []*graph.Node
	for _, x := range xs {
		a, b := x.Shape(), first.Shape()
		if len(a) == len(b) {
			a[at], b[at] = 0, 0
		}
		if !a.Equal(b) {
			panic(&ShapeError{Op: first.t.where("Concat"), Got: x.Shape(), Want: fmt.Sprintf("%v but for axis %d", first.Shape(), at)})
		}
		raw = append(raw, x.value())
	}
	return first.With(graph.Concatenate(raw, at))
}

// Narrow takes n elements along an axis, beginning with the one at from, as
// torch.narrow does.
func (x *node) Narrow(axis, from, n int) *node {
	at := x.axis(x.t.where("Narrow"), axis)
	if size := x.Dim(at); from < 0 || n < 0 || from+n > size {
		panic(&ShapeError{Op: x.t.where("Narrow"), Got: x.Shape(), Want: fmt.Sprintf("at least %d along axis %d", from+n, at)})
	}
	return x.With(graph.SliceAxis(x.value(), at, graph.AxisRange(from, from+n)))
}

// Unsqueeze adds an axis of length 1, the axis-th of the result; -1 is the
// last.
func (x *node) Unsqueeze(axis int) *node {
	n := x.Rank()
	if axis < -n-1 || axis > n {
		panic(&ShapeError{Op: x.t.where("Unsqueeze"), Got: x.Shape(), Want: fmt.Sprintf("at least %d axes", max(axis, -axis-1))})
	}
	if axis < 0 {
		axis += n + 1
	}
	return x.Reshape(slices.Insert(x.Shape(), axis, 1)...)
}

// Squeeze removes an axis of length 1.
func (x *node) Squeeze(axis int) *node {
	at := x.axis(x.t.where("Squeeze"), axis)
	if x.Dim(at) != 1 {
		panic(&ShapeError{Op: x.t.where("Squeeze"), Got: x.Shape(), Want: fmt.Sprintf("length 1 along axis %d", at)})
	}
	return x.Reshape(slices.Delete(x.Shape(), at, at+1)...)
}

// Add returns x + y. One of the two may be a scalar, or have axes of length
// 1, or fewer axes, which then repeat.
func (x *node) Add(y *node) *node { return x.binary("Add", y, graph.Add) }

// Sub returns x - y, with shapes as for Add.
func (x *node) Sub(y *node) *node { return x.binary("Sub", y, graph.Sub) }

// Mul returns x · y value by value, with shapes as for Add.
func (x *node) Mul(y *node) *node { return x.binary("Mul", y, graph.Mul) }

// Div returns x / y value by value, with shapes as for Add.
func (x *node) Div(y *node) *node { return x.binary("Div", y, graph.Div) }

// binary spreads two shapes over one another from the last axis on, as NumPy
// and PyTorch do, and applies f.
func (x *node) binary(op string, y *node, f func(a, b *graph.Node) *graph.Node) *node {
	a, b := x.Shape(), y.Shape()
	out := x.spread(op, a, b, b)
	rank := len(out)
	x, y = alike(x, y)
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

// spread returns the shape of two that spread over one another from the last axis
// on. With what does not fit it names all of y's shape.
func (x *node) spread(op string, a, b, y Shape) Shape {
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
			panic(&ShapeError{Op: x.t.where(op), Got: x.Shape(), Want: fmt.Sprintf("a shape that fits %v", y), Fix: "axes must be equal or 1, from the last on"})
		}
		out[i] = max(m, n)
		if m == 0 || n == 0 {
			out[i] = 0
		}
	}
	return out
}

// alike converts one of two nodes to the other's type where they differ: to
// the floating-point one, else to the larger.
func alike(x, y *node) (*node, *node) {
	a, b := x.DType(), y.DType()
	switch {
	case a == b:
		return x, y
	case a.IsFloat() != b.IsFloat():
		if a.IsFloat() {
			return x, y.to(a)
		}
		return x.to(b), y
	case a.Size() < b.Size():
		return x.to(b), y
	}
	return x, y.to(a)
}

// MatMul multiplies matrices: [… M K] by [K N] gives [… M N]; by a vector [K]
// it gives [… M]. Axes in front of [K N] number further matrices, and spread over
// those of x as for Add.
func (x *node) MatMul(y *node) *node {
	a, b := x.Shape(), y.Shape()
	at := max(len(b)-2, 0) // the axis of y that is added up along
	if len(a) < 1 || len(b) < 1 || a[len(a)-1] != b[at] {
		want, fix := "[… K] for a [K N] of %v", "the last axis must be the other's first"
		if len(b) > 2 {
			want, fix = "[… K] for a [… K N] of %v", "the last axis must be the other's last but one"
		}
		panic(&ShapeError{Op: x.t.where("MatMul"), Got: a, Want: fmt.Sprintf(want, b), Fix: fix})
	}
	x, y = alike(x, y)
	if len(b) <= 2 {
		return x.With(graph.DotGeneral(x.value(), []int{len(a) - 1}, nil, y.value(), []int{at}, nil))
	}
	if len(a) == 1 { // a row, and the axis that it had goes away
		z := x.Reshape(1, a[0]).MatMul(y)
		return z.Squeeze(z.Rank() - 2)
	}
	many := x.spread("MatMul", a[:len(a)-2], b[:at], b)
	axes := make([]int, len(many))
	for i := range axes {
		axes[i] = i
	}
	n := len(many)
	full := func(raw *graph.Node, shape Shape) *graph.Node {
		to := append(slices.Clone(many), shape[len(shape)-2:]...)
		if to.Equal(shape) {
			return raw
		}
		return graph.BroadcastToDims(graph.ExpandLeftToRank(raw, len(to)), to...)
	}
	return x.With(graph.DotGeneral(full(x.value(), a), []int{n + 1}, axes, full(y.value(), b), []int{n}, axes))
}

// Neg returns -x.
func (x *node) Neg() *node { return x.each(graph.Neg) }

// Abs returns |x|. Its gradient at 0 is 0.
func (x *node) Abs() *node { return x.each(absolute) }

// Square returns x².
func (x *node) Square() *node { return x.each(graph.Square) }

// Pow returns x to a power.
func (x *node) Pow(exponent float64) *node {
	return x.each(func(x *graph.Node) *graph.Node { return graph.PowScalar(x, exponent) })
}

// Clamp returns x, but low where it is below that and high where above. The
// gradient there is 0.
func (x *node) Clamp(low, high float64) *node {
	return x.each(func(x *graph.Node) *graph.Node {
		l, h := graph.MulScalar(graph.OnesLike(x), low), graph.MulScalar(graph.OnesLike(x), high)
		return graph.Where(graph.LessThan(x, l), l, graph.Where(graph.GreaterThan(x, h), h, x))
	})
}

// Exp returns eˣ.
func (x *node) Exp() *node { return x.each(graph.Exp) }

// Log returns the natural logarithm.
func (x *node) Log() *node { return x.each(graph.Log) }

// Sqrt returns the square root.
func (x *node) Sqrt() *node { return x.each(graph.Sqrt) }

// Argmax returns where along an axis the largest value is, the first if there
// are several, or the first that is not a number. The axis goes away; the result is int64.
func (x *node) Argmax(axis int) *node {
	return x.With(graph.StopGradient(lower.Arg(graph.ArgMax, x.value(), x.axis(x.t.where("Argmax"), axis))))
}

// Sum adds up along the axes, which go away; all of them if none is named.
func (x *node) Sum(axes ...int) *node {
	return x.With(lower.Sum(x.value(), x.axes("Sum", axes)...))
}

// Mean averages along the axes, which go away; all of them if none is named.
func (x *node) Mean(axes ...int) *node {
	raw := x.value()
	sum := lower.Sum(raw, x.axes("Mean", axes)...)
	return x.With(graph.MulScalar(sum, float64(sum.Shape().Size())/float64(raw.Shape().Size())))
}

// Max takes the largest along the axes, which go away; all of them if none is
// named. Several largest share the gradient evenly, as torch.amax has it.
func (x *node) Max(axes ...int) *node { return x.extreme("Max", axes, graph.ReduceMax) }

// Min takes the smallest along the axes, as [Tensor.Max] does the largest.
func (x *node) Min(axes ...int) *node { return x.extreme("Min", axes, graph.ReduceMin) }

// extreme is Max or Min. GoMLX v0.28.5 gives each of several largest the whole
// gradient (core/graph/rev_autodiff.go: reduceMaxVJP).
func (x *node) extreme(op string, axes []int, reduce func(*graph.Node, ...int) *graph.Node) *node {
	along := x.axes(op, axes)
	keep := x.Shape()
	for i := range keep {
		if len(along) == 0 || slices.Contains(along, i) {
			keep[i] = 1
		}
	}
	raw := x.value()
	var best *graph.Node
	spread := func(v *graph.Node) *graph.Node {
		return graph.BroadcastToDims(graph.Reshape(v, keep...), raw.Shape().Dimensions...)
	}
	return x.With(lower.CustomGradient(raw, func(in *graph.Node) *graph.Node {
		best = lower.WithNaN(reduce(in, along...), in, along)
		return best
	}, func(v *graph.Node) *graph.Node {
		hit := graph.ConvertDType(graph.Equal(raw, spread(best)), v.DType())
		share := graph.Div(v, graph.ReduceSum(hit, along...))
		return graph.Mul(hit, spread(share))
	}))
}

// Var is the variance along the axes, which go away; all of them if none is
// named. It divides by n-1, as torch.var does.
func (x *node) Var(axes ...int) *node {
	along := x.axes("Var", axes)
	raw := x.value()
	n, dims := 1, raw.Shape().Dimensions
	for i, size := range dims {
		if len(along) == 0 || slices.Contains(along, i) {
			n *= size
		}
	}
	mean := graph.MulScalar(graph.ReduceAndKeep(raw, lower.Sum, along...), 1/float64(n))
	away := graph.Sub(raw, graph.BroadcastToDims(mean, dims...))
	return x.With(graph.MulScalar(lower.Sum(graph.Square(away), along...), 1/float64(n-1)))
}

func (x *node) axes(op string, axes []int) []int {
	out := make([]int, len(axes))
	for i, axis := range axes {
		out[i] = x.axis(x.t.where(op), axis)
	}
	return out
}
