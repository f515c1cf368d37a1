package dl

import (
	"fmt"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/lower"
)

// Operations that look for values, or pick them by their numbers.

// Gather picks along an axis: with axis 1, result[i][j] = t[i][index[i][j]]. The
// index is of integers, has as many axes as t, and along the others at most its
// lengths; the result has its shape. Numbers outside of the axis panic.
func (t *Tensor) Gather(axis int, index *Tensor) *Tensor {
	checkIndex("Gather", t, index)
	return several("gather", axis, func(in []*node) []*node {
		x := in[1]
		at := x.axis(x.t.where("Gather"), axis)
		x.t.ids = x.Dim(at)
		return []*node{x.With(graph.Gather(x.value(), places(in[0].value(), at)))}
	}, index, t)[0]
}

// ScatterAdd adds the values of from to t, at places along an axis: with axis 1,
// result[i][index[i][j]] += from[i][j]. The index is as in [Tensor.Gather], and
// from has its shape. Numbers outside of the axis panic.
func (t *Tensor) ScatterAdd(axis int, index, from *Tensor) *Tensor {
	checkIndex("ScatterAdd", t, index)
	if !Shape(from.shape).Equal(index.shape) {
		panic(&ShapeError{Op: "ScatterAdd", Got: from.shape, Want: fmt.Sprintf("%v, as the index", index.shape)})
	}
	return several("scatteradd", axis, func(in []*node) []*node {
		x, add := in[1], in[2]
		at := x.axis(x.t.where("ScatterAdd"), axis)
		x.t.ids = x.Dim(at)
		x, add = alike(x, add)
		return []*node{x.With(graph.ScatterSum(x.value(), places(in[0].value(), at), add.value(), false, false))}
	}, index, t, from)[0]
}

func checkIndex(op string, t, index *Tensor) {
	if !index.dtype.IsInt() || len(index.shape) != len(t.shape) || len(t.shape) == 0 {
		panic(fmt.Errorf("dl: %s: the index is %v %s, want integers with as many axes as the tensor, which is %v", op, index.shape, typeName(index.dtype), t.shape))
	}
}

// places makes of numbers along an axis the places of the elements, [… rank].
func places(index *graph.Node, axis int) *graph.Node {
	size := index.Shape().Dimensions
	one := append(append([]int{}, size...), 1)
	parts := make([]*graph.Node, len(size))
	for i := range size {
		part := graph.ConvertDType(index, Int64)
		if i != axis {
			part = graph.Iota(index.Graph(), shapes.Make(Int64, size...), i)
		}
		parts[i] = graph.Reshape(part, one...)
	}
	return graph.Concatenate(parts, len(size))
}

// Argmin returns where along an axis the smallest value is, as int64; -1 is the
// last axis.
func (t *Tensor) Argmin(axis int) *Tensor {
	return t.with("argmin", axis, func(x *node) *node {
		return x.With(graph.StopGradient(lower.Arg(graph.ArgMin, x.value(), x.axis(x.t.where("Argmin"), axis))))
	})
}

// TopK returns the k largest values along an axis, the largest first, and where
// they are, as int64. Of equal values the first comes first, and what is not a number
// before all.
func (t *Tensor) TopK(k, axis int) (values, index *Tensor) {
	n := t.Dim(axis)
	if k < 1 || k > n {
		panic(fmt.Errorf("dl: TopK: k is %d, want 1 to %d, the length of axis %d", k, n, axis))
	}
	return t.sorted("topk", k, axis, false)
}

// Sort returns the values along an axis, the smallest first, and where they were,
// as int64. Equal values keep their order, and what is not a number comes last. x.TopK(x.Dim(axis), axis) has the
// largest first.
func (t *Tensor) Sort(axis int) (values, index *Tensor) {
	n := t.Dim(axis)
	if n == 0 {
		return t, ZerosLike(t).As(Int64)
	}
	return t.sorted("sort", n, axis, true)
}

// Argsort returns where the values along an axis are, the smallest first, as
// int64.
func (t *Tensor) Argsort(axis int) *Tensor {
	_, index := t.Sort(axis)
	return index
}

// sorted finds the k first, the smallest or the largest. The gradient goes through the
// choice of the values, not through that of their places.
func (t *Tensor) sorted(name string, k, axis int, ascending bool) (values, index *Tensor) {
	index = t.Detach().with(name, [2]int{k, axis}, func(x *node) *node {
		return x.With(graph.ConvertDType(lower.Order(x.value(), k, x.axis(name, axis), ascending), Int64))
	})
	return t.Gather(axis, index), index
}

// Cumsum adds up along an axis: each value is the sum of all up to it.
func (t *Tensor) Cumsum(axis int) *Tensor {
	return t.with("cumsum", axis, func(x *node) *node {
		return x.With(graph.CumSum(x.value(), x.axis(x.t.where("Cumsum"), axis)))
	})
}

// Prod multiplies the values along the axes, which go away; all of them if none is
// named.
func (t *Tensor) Prod(axes ...int) *Tensor {
	return t.with("prod", intsOf(axes), func(x *node) *node {
		along := map[int]bool{}
		for _, a := range x.axes("Prod", axes) {
			along[a] = true
		}
		// The axes go last and become one, which is halved until 1 is left: the
		// gradient is right where values are 0, unlike that by division.
		var order []int
		var rest Shape
		n := 1
		for i, size := range x.Shape() {
			if len(axes) > 0 && !along[i] {
				order, rest = append(order, i), append(rest, size)
			}
		}
		for i, size := range x.Shape() {
			if len(axes) == 0 || along[i] {
				order, n = append(order, i), n*size
			}
		}
		raw := graph.Reshape(graph.TransposeAllAxes(x.value(), order...), append(append([]int{}, rest...), n)...)
		last := len(rest)
		if n == 0 {
			return x.With(graph.Ones(raw.Graph(), shapes.Make(raw.DType(), rest...)))
		}
		for n > 1 {
			half := n / 2
			y := graph.Mul(graph.SliceAxis(raw, last, graph.AxisRange(0, half)), graph.SliceAxis(raw, last, graph.AxisRange(half, 2*half)))
			if n%2 == 1 {
				y = graph.Concatenate([]*graph.Node{y, graph.SliceAxis(raw, last, graph.AxisRange(n-1, n))}, last)
			}
			raw, n = y, half+n%2
		}
		return x.With(graph.Reshape(raw, rest...))
	})
}

// IndexSelect takes elements along an axis, by their numbers [K], which may repeat.
// Numbers outside of the axis panic.
func (t *Tensor) IndexSelect(axis int, index *Tensor) *Tensor {
	if len(index.shape) != 1 || !index.dtype.IsInt() {
		panic(fmt.Errorf("dl: IndexSelect: the index is %v %s, want [K] integers", index.shape, typeName(index.dtype)))
	}
	out := several("indexselect", axis, func(in []*node) []*node {
		x := in[1]
		at := x.axis(x.t.where("IndexSelect"), axis)
		x.t.ids = x.Dim(at)
		raw := x.value()
		order := make([]int, x.Rank())
		for i := range order {
			order[i] = i
		}
		order[0], order[at] = at, 0
		first := graph.Gather(graph.TransposeAllAxes(raw, order...), graph.InsertAxes(in[0].value(), -1))
		return []*node{x.With(graph.TransposeAllAxes(first, order...))}
	}, index, t)
	return out[0]
}

// OneHot makes of integers [ … ] rows [ … n] of float32 that are 1 at the number
// and 0 elsewhere.
func (t *Tensor) OneHot(n int) *Tensor {
	if !t.dtype.IsInt() || n <= 0 {
		panic(fmt.Errorf("dl: OneHot: the tensor is %v %s and n is %d, want integers and n above 0", t.shape, typeName(t.dtype), n))
	}
	return t.with("onehot", n, func(x *node) *node { return x.With(graph.OneHot(x.value(), n, Float32)) })
}
