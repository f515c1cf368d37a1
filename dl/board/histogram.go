package board

import (
	"fmt"
	"math"
	"sort"
)

// Array is a tensor of package dl, or anything else with a shape and numbers
// in row-major order.
type Array interface {
	Shape() []int
	Float32s() []float32
}

// bounds are the edges between TensorBoard's buckets: 0, and powers of 1.1
// from 1e-12 to 1e20 on both sides of it, as bins="tensorflow".
var bounds = func() []float64 {
	var up []float64
	for v := 1e-12; v < 1e20; v *= 1.1 {
		up = append(up, v)
	}
	n := len(up)
	all := make([]float64, 2*n+1)
	for i, v := range up {
		all[n-1-i], all[n+1+i] = -v, v
	}
	return all
}()

// AddHistogram adds the distribution of an array's values, such as the weights of a
// layer. Values that are NaN or infinite do not count. An array without any
// others is an error.
func (w *Writer) AddHistogram(tag string, values Array, step int) error {
	if values == nil {
		return fmt.Errorf("board: AddHistogram: %s: the array is nil, want a tensor", tag)
	}
	flat := values.Float32s()
	h, n := histogramOf(flat)
	if n == 0 {
		return fmt.Errorf("board: AddHistogram: %s: none of %d values is finite, want at least one; look for NaN where they come from", tag, len(flat))
	}
	return w.summary(tag, message(nil).bytes(valueHisto, h), step)
}

// histogramOf writes a HistogramProto, and returns the number of values that
// count.
func histogramOf(flat []float32) (m message, n int) {
	low, high, sum, squares := math.Inf(1), math.Inf(-1), 0.0, 0.0
	counts := make([]float64, len(bounds)-1)
	for _, f := range flat {
		v := float64(f)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			continue
		}
		low, high, sum, squares, n = min(low, v), max(high, v), sum+v, squares+v*v, n+1
		// The bucket i holds bounds[i] ≤ v < bounds[i+1]. What is larger than
		// all bounds counts in n only, as numpy.histogram does it.
		if i := sort.Search(len(bounds), func(i int) bool { return bounds[i] > v }) - 1; i >= 0 && i < len(counts) {
			counts[i]++
		}
	}
	if n == 0 {
		return nil, 0
	}
	// TensorBoard is told the right edges of buckets only, from the empty one
	// before the first that is not empty, for its left edge.
	from, to := 0, len(counts)
	for from < to && counts[from] == 0 {
		from++
	}
	for to > from && counts[to-1] == 0 {
		to--
	}
	var edges, in []float64
	if from < to {
		edges, in = append(edges, bounds[from:to+1]...), append(append(in, 0), counts[from:to]...)
	}
	m = m.double(1, low).double(2, high).double(3, float64(n)).double(4, sum).double(5, squares)
	return m.doubles(6, edges).doubles(7, in), n
}
