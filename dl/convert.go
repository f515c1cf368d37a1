package dl

import (
	"fmt"

	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/dtypes/float16"
)

type number interface{ float32 | float64 | int64 }

// convert copies a flat slice of any element type.
func convert[D number](flat any) []D {
	switch s := flat.(type) {
	case []float32:
		return cast[D](s)
	case []float64:
		return cast[D](s)
	case []int64:
		return cast[D](s)
	case []int32:
		return cast[D](s)
	case []int16:
		return cast[D](s)
	case []int8:
		return cast[D](s)
	case []uint64:
		return cast[D](s)
	case []uint32:
		return cast[D](s)
	case []uint16:
		return cast[D](s)
	case []uint8:
		return cast[D](s)
	case []bool:
		out := make([]D, len(s))
		for i, v := range s {
			if v {
				out[i] = 1
			}
		}
		return out
	case []bfloat16.BFloat16:
		out := make([]D, len(s))
		for i, v := range s {
			out[i] = D(v.Float32())
		}
		return out
	case []float16.Float16:
		out := make([]D, len(s))
		for i, v := range s {
			out[i] = D(v.Float32())
		}
		return out
	}
	panic(fmt.Errorf("dl: Tensor: values of type %T have no number; use a real type", flat))
}

func cast[D, S number | int32 | int16 | int8 | uint64 | uint32 | uint16 | uint8](s []S) []D {
	out := make([]D, len(s))
	if same, ok := any(s).([]D); ok {
		copy(out, same)
		return out
	}
	for i, v := range s {
		out[i] = D(v)
	}
	return out
}
