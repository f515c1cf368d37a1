package dl

import (
	"fmt"

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
