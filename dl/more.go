package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// Further operations, with PyTorch's names and meaning.

// Sin returns the sine, of radians.
func (t *Tensor) Sin() *Tensor { return t.each("sin", graph.Sin) }

// Cos returns the cosine, of radians.
func (t *Tensor) Cos() *Tensor { return t.each("cos", graph.Cos) }

// Sign returns -1, 0 or 1. Its gradient is 0.
func (t *Tensor) Sign() *Tensor { return t.each("sign", graph.Sign) }

// Floor rounds down. Its gradient is 0.
func (t *Tensor) Floor() *Tensor {
	return t.each("floor", func(x *graph.Node) *graph.Node { return graph.StopGradient(graph.Floor(x)) })
}

// Ceil rounds up. Its gradient is 0.
func (t *Tensor) Ceil() *Tensor {
	return t.each("ceil", func(x *graph.Node) *graph.Node { return graph.StopGradient(graph.Ceil(x)) })
}

// Round rounds to the nearest whole number, and halves to the even one. Its
// gradient is 0.
func (t *Tensor) Round() *Tensor {
	return t.each("round", func(x *graph.Node) *graph.Node { return graph.StopGradient(graph.Round(x)) })
}

// Tan returns the tangent, of radians.
func (t *Tensor) Tan() *Tensor {
	return t.each("tan", func(x *graph.Node) *graph.Node { return graph.Div(graph.Sin(x), graph.Cos(x)) })
}

// Erf is the error function.
func (t *Tensor) Erf() *Tensor { return t.each("erf", graph.Erf) }

// Log1p returns log(1+t), exactly for small t too.
func (t *Tensor) Log1p() *Tensor { return t.each("log1p", graph.Log1p) }

// Expm1 returns eˣ - 1, exactly for small t too.
func (t *Tensor) Expm1() *Tensor {
	return t.each("expm1", func(x *graph.Node) *graph.Node {
		// Of graph.Expm1, GoMLX v0.28.5 has no gradient. tanh(x/2) = (eˣ-1)/(eˣ+1), and
		// is 1 where eˣ is large.
		return graph.Mul(graph.Tanh(graph.MulScalar(x, 0.5)), graph.OnePlus(graph.Exp(x)))
	})
}

// Rsqrt returns 1/√t.
func (t *Tensor) Rsqrt() *Tensor {
	return t.each("rsqrt", func(x *graph.Node) *graph.Node { return graph.Reciprocal(graph.Sqrt(x)) })
}

// Reciprocal returns 1/t.
func (t *Tensor) Reciprocal() *Tensor { return t.each("reciprocal", graph.Reciprocal) }

// Softplus returns log(1 + eˣ), without overflow.
func (t *Tensor) Softplus() *Tensor { return t.each("softplus", graph.Softplus) }

// each runs a function of single values.
func (t *Tensor) each(name string, f func(x *graph.Node) *graph.Node) *Tensor {
	return t.unary(name, func(x *node) *node { return x.each(f) })
}

// Std is the standard deviation along the axes, the root of [Tensor.Var].
func (t *Tensor) Std(axes ...int) *Tensor { return t.Var(axes...).Sqrt() }

// Norm is the Euclidean length along the axes, which go away; of all values if none
// is named.
func (t *Tensor) Norm(axes ...int) *Tensor { return t.Square().Sum(axes...).Sqrt() }

// LogSumExp is the logarithm of the sum of eˣ along an axis, which goes away,
// without overflow.
func (t *Tensor) LogSumExp(axis int) *Tensor {
	return t.with("logsumexp", axis, func(x *node) *node {
		at := x.axis(x.t.where("LogSumExp"), axis)
		raw := x.value()
		most := graph.StopGradient(graph.ReduceAndKeep(raw, graph.ReduceMax, at))
		away := graph.Sub(raw, graph.BroadcastToDims(most, raw.Shape().Dimensions...))
		sum := graph.Log(graph.ReduceSum(graph.Exp(away), at))
		return x.With(graph.Add(sum, graph.Reshape(most, sum.Shape().Dimensions...)))
	})
}

// BMM multiplies batches of matrices: [B M K] by [B K N] gives [B M N].
func (t *Tensor) BMM(u *Tensor) *Tensor {
	return t.binary("bmm", u, func(x, y *node) *node {
		a, b := x.Shape(), y.Shape()
		if len(a) != 3 || len(b) != 3 || a[0] != b[0] || a[2] != b[1] {
			panic(&ShapeError{Op: x.t.where("BMM"), Got: a, Want: fmt.Sprintf("[B M K] for a [B K N] of %v", b)})
		}
		return x.With(graph.DotGeneral(x.value(), []int{2}, []int{0}, y.value(), []int{1}, []int{0}))
	})
}
