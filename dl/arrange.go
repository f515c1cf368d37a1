package dl

import (
	"fmt"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Operations that put values elsewhere, with PyTorch's names and meaning. Their
// gradients go the same way back.

// Flip turns the order of the values around along the axes.
func (t *Tensor) Flip(axes ...int) *Tensor {
	return t.with("flip", intsOf(axes), func(x *node) *node {
		return x.With(graph.Reverse(x.value(), x.axes("Flip", axes)...))
	})
}

// Roll moves the values along an axis by a number of places; those that leave at
// one end come in at the other.
func (t *Tensor) Roll(by, axis int) *Tensor {
	return t.with("roll", [2]int{by, axis}, func(x *node) *node {
		at := x.axis(x.t.where("Roll"), axis)
		n := x.Dim(at)
		if n == 0 {
			return x
		}
		first := ((-by)%n + n) % n
		if first == 0 {
			return x
		}
		raw := x.value()
		return x.With(graph.Concatenate([]*graph.Node{
			graph.SliceAxis(raw, at, graph.AxisRange(first, n)), graph.SliceAxis(raw, at, graph.AxisRange(0, first)),
		}, at))
	})
}

// Split cuts t into parts of the given length along an axis; the last is shorter
// where the length does not divide the axis.
func (t *Tensor) Split(size, axis int) []*Tensor {
	n := t.Dim(axis)
	if size <= 0 {
		panic(fmt.Errorf("dl: Split: the length of a part is %d, want above 0", size))
	}
	var parts []*Tensor
	for from := 0; from < n; from += size {
		parts = append(parts, t.Narrow(axis, from, min(size, n-from)))
	}
	return parts
}

// Chunk cuts t into n parts along an axis, fewer where it is too short. All have
// the same length but for the last, which may be shorter.
func (t *Tensor) Chunk(n, axis int) []*Tensor {
	if n <= 0 {
		panic(fmt.Errorf("dl: Chunk: the number of parts is %d, want above 0", n))
	}
	return t.Split(max(1, (t.Dim(axis)+n-1)/n), axis)
}

// Repeat puts copies of t beside one another, so many along each axis. More
// numbers than axes add axes in front: for a tensor [2 3], Repeat(4, 1, 2) gives
// [4 2 6].
func (t *Tensor) Repeat(times ...int) *Tensor {
	for _, n := range times {
		if n < 0 || len(times) < len(t.shape) {
			panic(&ShapeError{Op: "Repeat", Got: t.shape, Want: fmt.Sprintf("at most as many axes as the numbers %v, which are 0 or more", times)})
		}
	}
	if len(times) < len(t.shape) {
		panic(&ShapeError{Op: "Repeat", Got: t.shape, Want: "a number for each axis"})
	}
	return t.with("repeat", intsOf(times), func(x *node) *node {
		rank := len(times)
		raw := graph.ExpandLeftToRank(x.value(), rank)
		size := raw.Shape().Dimensions
		var between, spread, joined []int // [T0 D0 T1 D1 …]
		for i, n := range times {
			between, spread = append(between, 1, size[i]), append(spread, n, size[i])
			joined = append(joined, n*size[i])
		}
		return x.With(graph.Reshape(graph.BroadcastToDims(graph.Reshape(raw, between...), spread...), joined...))
	})
}

// Tril keeps the lower triangle of matrices [… M N] and sets the rest to 0. The
// k-th diagonal is the last that is kept: 0 is the main one, 1 that above it.
func (t *Tensor) Tril(k int) *Tensor { return t.triangle("Tril", k, graph.GreaterOrEqual) }

// Triu keeps the upper triangle of matrices [… M N] and sets the rest to 0. The
// k-th diagonal is the first that is kept: 0 is the main one, 1 that above it.
func (t *Tensor) Triu(k int) *Tensor { return t.triangle("Triu", k, graph.LessOrEqual) }

func (t *Tensor) triangle(op string, k int, keeps func(row, column *graph.Node) *graph.Node) *Tensor {
	return t.with(op, k, func(x *node) *node {
		n := x.Rank()
		if n < 2 {
			panic(&ShapeError{Op: x.t.where(op), Got: x.Shape(), Want: "matrices [… M N]"})
		}
		raw := x.value()
		at := shapes.Make(Int64, raw.Shape().Dimensions...)
		row, column := graph.Iota(raw.Graph(), at, n-2), graph.Iota(raw.Graph(), at, n-1)
		return x.With(graph.Where(keeps(graph.AddScalar(row, k), column), raw, graph.ZerosLike(raw)))
	})
}

// Diag returns the main diagonal of a matrix [M N], or the matrix [N N] with t [N]
// on its diagonal and zeros elsewhere.
func (t *Tensor) Diag() *Tensor {
	return t.unary("diag", func(x *node) *node {
		shape, raw := x.Shape(), x.value()
		g := raw.Graph()
		if len(shape) != 1 && len(shape) != 2 {
			panic(&ShapeError{Op: x.t.where("Diag"), Got: shape, Want: "[N] or [M N]"})
		}
		n := shape[0]
		if len(shape) == 2 {
			n = min(n, shape[1])
			at := graph.Iota(g, shapes.Make(Int64, n, 1), 0)
			return x.With(graph.Gather(raw, graph.Concatenate([]*graph.Node{at, at}, 1)))
		}
		at := shapes.Make(Int64, n, n)
		on := graph.Equal(graph.Iota(g, at, 0), graph.Iota(g, at, 1))
		all := graph.BroadcastToDims(graph.Reshape(raw, 1, n), n, n)
		return x.With(graph.Where(on, all, graph.ZerosLike(all)))
	})
}
