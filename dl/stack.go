package dl

import (
	"fmt"
	"reflect"

	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/dtypes/float16"
)

// Stack joins tensors of one shape and type along a new outermost axis: n
// tensors of [C H W] become one of [n C H W], on the host. No tensors, or
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

// cut returns a part of a flat slice, which it shares.
func cut(flat any, from, to int) any {
	return reflect.ValueOf(flat).Slice3(from, to, to).Interface()
}

func stack[T any](ts []*Tensor) []T {
	all := make([]T, 0, len(ts)*ts[0].Size())
	for _, t := range ts {
		all = append(all, t.flat().([]T)...)
	}
	return all
}
