package dl

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/dtypes/float16"
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

// Stack joins tensors of one shape and type along a new outermost axis: n
// tensors of [C H W] become one of [n C H W], on the host where no gradient goes
// through them. No tensors, or
// tensors that differ, panic with a [*ShapeError].
func Stack(ts []*Tensor) *Tensor {
	if len(ts) == 0 {
		panic(&ShapeError{Op: "Stack", Want: "at least one tensor"})
	}
	first := ts[0]
	for i, t := range ts {
		if !t.shape.Equal(first.shape) || t.dtype != first.dtype {
			panic(&ShapeError{Op: fmt.Sprintf("Stack: tensor %d", i), Got: t.shape,
				Want: fmt.Sprintf("%v %s, as the first", first.shape, typeName(first.dtype)),
				Fix:  "resize or crop the pictures to one size"})
		}
	}
	if recordingOf(ts) != nil || slices.ContainsFunc(ts, func(t *Tensor) bool { return t.learns() || t.tape != nil }) && !gradientsOff() {
		parts := make([]*Tensor, len(ts))
		for i, t := range ts {
			parts[i] = t.Unsqueeze(0)
		}
		return Concat(0, parts...)
	}
	shape := append(Shape{len(ts)}, first.shape...)
	var host any
	switch first.flat().(type) {
	case []float32:
		host = stack[float32](ts)
	case []float64:
		host = stack[float64](ts)
	case []int64:
		host = stack[int64](ts)
	case []int32:
		host = stack[int32](ts)
	case []int16:
		host = stack[int16](ts)
	case []int8:
		host = stack[int8](ts)
	case []uint64:
		host = stack[uint64](ts)
	case []uint32:
		host = stack[uint32](ts)
	case []uint16:
		host = stack[uint16](ts)
	case []uint8:
		host = stack[uint8](ts)
	case []bool:
		host = stack[bool](ts)
	case []bfloat16.BFloat16:
		host = stack[bfloat16.BFloat16](ts)
	case []float16.Float16:
		host = stack[float16.Float16](ts)
	default:
		panic(fmt.Errorf("dl: Stack: cannot stack tensors of %s", typeName(first.dtype)))
	}
	return hostTensor(first.dtype, shape, host)
}

func stack[T any](ts []*Tensor) []T {
	all := make([]T, 0, len(ts)*ts[0].Size())
	for _, t := range ts {
		all = append(all, t.flat().([]T)...)
	}
	return all
}

// cut returns a part of a flat slice, which it shares.
func cut(flat any, from, to int) any {
	return reflect.ValueOf(flat).Slice3(from, to, to).Interface()
}

// Expand repeats axes of length 1, and adds axes in front, so that the shape is
// the given one; -1 keeps an axis.
func (t *Tensor) Expand(shape ...int) *Tensor {
	to := append(Shape{}, shape...)
	for i := range to {
		if j := i - len(to) + len(t.shape); to[i] == -1 && j >= 0 {
			to[i] = t.shape[j]
		}
	}
	for i := range to {
		j := i - len(to) + len(t.shape)
		if to[i] < 0 || j >= 0 && t.shape[j] != 1 && t.shape[j] != to[i] || len(to) < len(t.shape) {
			panic(&ShapeError{Op: "Expand", Got: t.shape, Want: fmt.Sprintf("a shape that %v repeats", Shape(shape)), Fix: "only axes of length 1 repeat"})
		}
	}
	return t.with("expand", intsOf(to), func(x *node) *node {
		return x.With(graph.BroadcastToDims(graph.ExpandLeftToRank(x.value(), len(to)), to...))
	})
}

// first returns the first rows along the first axis, without copying.
func (t *Tensor) first(rows int) *Tensor {
	n := t.Size() / t.shape[0]
	return hostTensor(t.dtype, append(Shape{rows}, t.shape[1:]...), cut(t.flat(), 0, rows*n))
}
