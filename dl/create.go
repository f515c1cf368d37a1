package dl

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Zeros makes a float32 tensor of zeros: Zeros(2, 3) has the shape [2 3].
func Zeros(shape ...int) *Tensor { return Full(0, shape...) }

// Ones makes a float32 tensor of ones.
func Ones(shape ...int) *Tensor { return Full(1, shape...) }

// ZerosLike makes zeros in the shape and type of a tensor.
func ZerosLike(t *Tensor) *Tensor { return Zeros(t.shape...).As(t.dtype) }

// OnesLike makes ones in the shape and type of a tensor.
func OnesLike(t *Tensor) *Tensor { return Ones(t.shape...).As(t.dtype) }

// FullLike makes a tensor of one value in the shape and type of another.
func FullLike(t *Tensor, value float64) *Tensor { return Full(value, t.shape...).As(t.dtype) }

// Linspace makes n float32 numbers with equal distances, the first of them from
// and the last to.
func Linspace(from, to float64, n int) *Tensor {
	if n < 0 {
		panic(&ShapeError{Op: "Linspace", Got: Shape{n}, Want: "no negative axis"})
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(from)
		if i > 0 {
			values[i] = float32(from + (to-from)*float64(i)/float64(n-1))
		}
	}
	return FromSlice(values)
}

// RandInt makes a tensor of random whole numbers from low to high-1, all equally
// likely, as int64. They follow from [Seed], as those of [Rand].
func RandInt(low, high int, shape ...int) *Tensor {
	if low >= high || high-low > 1<<31 {
		panic(fmt.Errorf("dl: RandInt: low is %d and high %d, want low below high by at most 2³¹; high itself is not drawn", low, high))
	}
	to := append(Shape{}, shape...)
	return randomTensor(fmt.Sprintf("randint %d %d", low, high), to, func(t *trace, shape Shape) *graph.Node {
		bits := t.random(graph.Zeros(t.graph, shapes.Make(keyType, shape...)))
		// 64 bits of which the upper ones count: number·n/2³², without a bias that shows.
		wide := graph.Mul(graph.ConvertDType(bits, Int64), graph.Scalar(t.graph, Int64, int64(high-low)))
		return graph.AddScalar(graph.BitwiseShiftRightLogicalScalar(wide, int64(32)), int64(low))
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
