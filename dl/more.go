package dl

import (
	"fmt"
	"math"

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

// Maximum returns the larger of t and u, value by value, with shapes as for Add.
func (t *Tensor) Maximum(u *Tensor) *Tensor {
	return t.binary("maximum", u, func(x, y *node) *node { return x.binary("Maximum", y, graph.Max) })
}

// Minimum returns the smaller of t and u, value by value, with shapes as for Add.
func (t *Tensor) Minimum(u *Tensor) *Tensor {
	return t.binary("minimum", u, func(x, y *node) *node { return x.binary("Minimum", y, graph.Min) })
}

// Equal tells where t and u are equal, as a tensor of bools, with shapes as for
// Add.
func (t *Tensor) Equal(u *Tensor) *Tensor { return t.compare("Equal", u, graph.Equal) }

// Greater tells where t is greater than u, as a tensor of bools, with shapes as
// for Add.
func (t *Tensor) Greater(u *Tensor) *Tensor { return t.compare("Greater", u, graph.GreaterThan) }

// Less tells where t is less than u, as a tensor of bools, with shapes as for Add.
func (t *Tensor) Less(u *Tensor) *Tensor { return t.compare("Less", u, graph.LessThan) }

func (t *Tensor) compare(name string, u *Tensor, f func(a, b *graph.Node) *graph.Node) *Tensor {
	return t.binary(name, u, func(x, y *node) *node {
		return x.binary(name, y, func(a, b *graph.Node) *graph.Node { return graph.StopGradient(f(a, b)) })
	})
}

// Where takes the values of a where cond, a tensor of bools, is true, and those of
// b elsewhere. Shapes spread over one another as for Add.
func Where(cond, a, b *Tensor) *Tensor {
	if cond.dtype != Bool {
		panic(fmt.Errorf("dl: Where: the condition is %v %s, want bools; make them with x.Greater(y), x.Equal(y) or x.Less(y)", cond.shape, typeName(cond.dtype)))
	}
	return several("where", nil, func(in []*node) []*node {
		cond, a, b := in[0], in[1], in[2]
		a, b = alike(a, b)
		shape := a.binary("Where", b, graph.Add).Shape()
		like := func(x *node) *graph.Node {
			return graph.BroadcastToDims(graph.ExpandLeftToRank(x.value(), len(shape)), shape...)
		}
		return []*node{a.With(graph.Where(like(cond), like(a), like(b)))}
	}, cond, a, b)[0]
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

// Full makes a float32 tensor of one value.
func Full(value float64, shape ...int) *Tensor { return filled(shape, float32(value)) }

// Eye makes the unit matrix [N N]: 1 where row and column are the same, else 0.
func Eye(n int) *Tensor {
	values := make([]float32, n*n)
	for i := range n {
		values[i*n+i] = 1
	}
	return FromSlice(values, n, n)
}

// Arange makes the numbers 0 to n-1 as int64.
func Arange(n int) *Tensor {
	values := make([]int64, n)
	for i := range values {
		values[i] = int64(i)
	}
	return FromSlice(values)
}

// Rand makes a tensor of random numbers that are evenly distributed in [0, 1).
// They follow from [Seed], and are others at each call, also inside of a compiled
// function.
func Rand(shape ...int) *Tensor { return randomTensor("rand", shape, (*trace).uniform) }

// Randn makes a tensor of random numbers with mean 0 and deviation 1, as [Rand].
func Randn(shape ...int) *Tensor { return randomTensor("randn", shape, (*trace).gaussian) }

// RandLike is [Rand] in the shape of a tensor.
func RandLike(t *Tensor) *Tensor { return Rand(t.shape...) }

// RandnLike is [Randn] in the shape of a tensor.
func RandnLike(t *Tensor) *Tensor { return Randn(t.shape...) }

func randomTensor(name string, shape Shape, f func(t *trace, shape Shape) *graph.Node) *Tensor {
	to := append(Shape{}, shape...)
	for _, n := range to {
		if n < 0 {
			panic(&ShapeError{Op: name, Got: to, Want: "no negative axis"})
		}
	}
	out, _ := do(opKey{name: name, settings: intsOf(to)}, nil, func(t *trace, _ []*node) []*node {
		return []*node{{raw: f(t, to), t: t}}
	}, nil, nil, nil)
	return out[0]
}

// uniform writes random numbers in [0, 1), multiples of 2⁻²⁴.
func (t *trace) uniform(shape Shape) *graph.Node {
	like := graph.BroadcastToDims(graph.Const(t.graph, uint32(0)), shape...)
	bits := graph.BitwiseShiftRightLogical(t.random(like), graph.BroadcastToDims(graph.Const(t.graph, uint32(8)), shape...))
	return graph.MulScalar(graph.ConvertDType(bits, Float32), 1.0/(1<<24))
}

// gaussian writes normally distributed random numbers. Box and Muller, "A Note on
// the Generation of Random Normal Deviates", 1958.
func (t *trace) gaussian(shape Shape) *graph.Node {
	one := graph.BroadcastToDims(graph.Const(t.graph, float32(1)), shape...)
	length := graph.Sqrt(graph.MulScalar(graph.Log(graph.Sub(one, t.uniform(shape))), -2))
	return graph.Mul(length, graph.Cos(graph.MulScalar(t.uniform(shape), 2*math.Pi)))
}
