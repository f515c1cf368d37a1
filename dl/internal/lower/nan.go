package lower

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// XLA on the processor loses what is not a number in the largest and smallest of
// several (xla_cpu_enable_fast_min_max), and GoMLX's orders take it for equal to
// everything. PyTorch passes it on: a NaN must not vanish from a loss.

// isNaN tells where x is not a number.
func isNaN(x *graph.Node) *graph.Node { return graph.NotEqual(x, x) }

// losesNaN reports whether reductions of the graph's backend lose what is not a
// number: those of XLA do, those in Go do not.
func losesNaN(g *graph.Graph) bool { return HasLoops(g) }

// Max is the larger of two, or what is not a number.
func Max(a, b *graph.Node) *graph.Node { return eitherNaN(graph.Max(a, b), a, b) }

// Min is the smaller of two, or what is not a number.
func Min(a, b *graph.Node) *graph.Node { return eitherNaN(graph.Min(a, b), a, b) }

func eitherNaN(y, a, b *graph.Node) *graph.Node {
	if !a.DType().IsFloat() {
		return y
	}
	return graph.Where(graph.LogicalOr(isNaN(a), isNaN(b)), graph.Add(a, b), y)
}

// WithNaN returns y, the largest or smallest of x along the axes, as NaN where one
// of these is.
func WithNaN(y, x *graph.Node, axes []int) *graph.Node {
	if !x.DType().IsFloat() || !losesNaN(x.Graph()) {
		return y
	}
	return graph.Where(graph.ReduceLogicalOr(isNaN(x), axes...), graph.Div(graph.ZerosLike(y), graph.ZerosLike(y)), y)
}

// Arg is where along an axis the largest or smallest of x is, by ArgMax or ArgMin,
// or the first that is not a number; as int64.
func Arg(arg func(x *graph.Node, axis int, dtype ...dtypes.DType) *graph.Node, x *graph.Node, axis int) *graph.Node {
	at := arg(x, axis, dtypes.Int64)
	if !x.DType().IsFloat() || !losesNaN(x.Graph()) {
		return at
	}
	first := graph.ArgMax(graph.ConvertDType(isNaN(x), dtypes.Int32), axis, dtypes.Int64)
	return graph.Where(graph.ReduceLogicalOr(isNaN(x), axis), first, at)
}

// Order returns where along an axis the k smallest or largest of x are, in their
// order. Equal ones keep theirs, and what is not a number is larger than all.
func Order(x *graph.Node, k, axis int, ascending bool) *graph.Node {
	dtype := x.DType()
	before := graph.NewClosure(x.Graph(), func(g *graph.Graph) []*graph.Node {
		a, b := graph.Parameter(g, "lhs_val", shapes.Make(dtype)), graph.Parameter(g, "rhs_val", shapes.Make(dtype))
		graph.Parameter(g, "lhs_idx", shapes.Make(dtypes.Int32))
		graph.Parameter(g, "rhs_idx", shapes.Make(dtypes.Int32))
		if !ascending {
			a, b = b, a
		}
		y := graph.LessThan(a, b)
		if dtype.IsFloat() {
			y = graph.LogicalOr(y, graph.LogicalAnd(isNaN(b), graph.Equal(a, a)))
		}
		return []*graph.Node{y}
	})
	places := graph.ConvertDType(graph.IotaLike(x, axis), dtypes.Int32)
	return graph.SliceAxis(graph.SortFunc(before, axis, true, x, places)[1], axis, graph.AxisRange(0, k))
}
