package small

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
)

// One returns a slice that holds the number 1, in a floating-point type.
func One(t dtypes.DType) any {
	switch t {
	case dtypes.Float32:
		return []float32{1}
	case dtypes.Float64:
		return []float64{1}
	}
	panic(fmt.Errorf("no number of %v", t))
}

// Copy returns a copy of a slice of floating-point numbers.
func Copy(flat any) any { return copied(flat) }

// AddTo adds the numbers of one slice to those of another of the same type and length.
func AddTo(to, flat any) {
	switch to := to.(type) {
	case []float32:
		add(to, to, flat.([]float32))
	case []float64:
		add(to, to, flat.([]float64))
	default:
		panic(fmt.Errorf("no sum of %T", to))
	}
}
