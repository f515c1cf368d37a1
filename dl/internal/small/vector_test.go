package small

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// edges are numbers at which loops may part ways.
var edges = []float32{0, float32(math.Copysign(0, -1)), 1, -1, 3.25, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32,
	float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}

// TestVectorLoops compares a processor's loops with Go's, bit by bit, for lengths that leave
// something over and for all pairs of edges. Every NaN counts as the same.
func TestVectorLoops(t *testing.T) {
	if vector.loops == nil {
		t.Skip("this processor has no AVX2 with FMA")
	}
	var x, y []float32
	for _, v := range edges {
		for _, w := range edges {
			x, y = append(x, v), append(y, w)
		}
	}
	for op, loop := range vector.loops {
		plain := floatsLoop[float32](op)
		for n := range len(x) + 1 {
			const guard = 42
			got, want := make([]float32, n+1), make([]float32, n)
			got[n] = guard
			loop(got[:n], x[:n], y[:n])
			plain(want, x[:n], y[:n])
			for i, v := range want {
				if math.Float32bits(got[i]) != math.Float32bits(v) && (v == v || got[i] == got[i]) {
					t.Errorf("%v of %v and %v is %v in element %d of %d, want %v", op, x[i], y[i], got[i], i, n, v)
				}
			}
			if got[n] != guard {
				t.Errorf("%v of %d numbers writes beyond them", op, n)
			}
		}
	}
}

// TestVectorSigns compares a processor's signs with Go's, bit by bit.
func TestVectorSigns(t *testing.T) {
	if vector.sign == nil {
		t.Skip("this processor has no AVX2 with FMA")
	}
	all := append(slices.Clone(edges), edges...)
	for n := range len(all) + 1 {
		const guard = 42
		got, want := make([]float32, n+1), make([]float32, n)
		got[n] = guard
		vector.sign(got[:n], all[:n])
		signs(want, all[:n])
		for i, v := range want {
			if math.Float32bits(got[i]) != math.Float32bits(v) {
				t.Errorf("the sign of %v is %v in element %d of %d, want %v", all[i], got[i], i, n, v)
			}
		}
		if got[n] != guard {
			t.Errorf("the signs of %d numbers are written beyond them", n)
		}
	}
}

// TestVectorSums adds whole numbers, whose sums are exact.
func TestVectorSums(t *testing.T) {
	if vector.sum == nil {
		t.Skip("this processor has no AVX2 with FMA")
	}
	for n := range 70 {
		a, sums, want := make([]float32, n), make([]float64, n), 0.0
		for i := range a {
			a[i], sums[i] = float32(i*i-500), 0.5
			want += float64(a[i])
		}
		if got := vector.sum(a); got != want {
			t.Errorf("the sum of %d numbers is %v, want %v", n, got, want)
		}
		vector.addWide(sums, a)
		for i, v := range sums {
			if v != 0.5+float64(a[i]) {
				t.Errorf("sum %d of %d is %v, want %v", i, n, v, 0.5+a[i])
			}
		}
	}
}

// TestProducts multiplies matrices of whole numbers, so that all orders of addition give the same:
// two pairs each, with the common axis last or not, by the processor's loops and by Go's.
func TestProducts(t *testing.T) {
	have := vector
	defer func() { vector = have }()
	four := have
	four.eightRows = nil
	for _, vector = range []vectors{have, four, {}} {
		for _, size := range [][3]int{{1, 1, 1}, {1, 7, 16}, {1, 40, 33}, {2, 300, 20}, {3, 8, 5}, {4, 16, 16}, {5, 17, 31},
			{9, 260, 18}, {21, 260, 40}, {8, 600, 64}, {11, 5, 112}, {64, 128, 48}, {7, 3, 2}, {5, 1, 7}, {5, 9, 3}, {2, 9, 3}, {6, 0, 4}} {
			for layout := range 4 {
				m, k, n := size[0], size[1], size[2]
				left, right := []int{2, m, k}, []int{2, k, n} // the first axis is that of the pairs
				over := [2]int{2, 1}
				if layout&1 != 0 {
					left, over[0] = []int{2, k, m}, 1
				}
				if layout&2 != 0 {
					right, over[1] = []int{2, n, k}, 2
				}
				a, b := make([]float32, 2*m*k), make([]float32, 2*k*n)
				for i := range a {
					a[i] = float32(i*7919%11 - 5)
				}
				for i := range b {
					b[i] = float32(i*104729%13 - 6)
				}
				at := func(dims, index []int) int { return (index[0]*dims[1]+index[1])*dims[2] + index[2] }
				want := make([]float32, 2*m*n)
				for pair := range 2 {
					for i := range m {
						for j := range n {
							for l := range k {
								x, y := []int{pair, i, l}, []int{pair, l, j}
								if layout&1 != 0 {
									x = []int{pair, l, i}
								}
								if layout&2 != 0 {
									y = []int{pair, j, l}
								}
								want[(pair*m+i)*n+j] += a[at(left, x)] * b[at(right, y)]
							}
						}
					}
				}
				f := &function{}
				x, _ := f.Parameter("", shapes.Make(dtypes.Float32, left...), nil)
				y, _ := f.Parameter("", shapes.Make(dtypes.Float32, right...), nil)
				z, err := f.DotGeneral(x, over[:1], []int{0}, y, over[1:], []int{0}, compute.DotGeneralConfig{})
				if err != nil {
					t.Fatal(err)
				}
				if err := f.Return([]compute.Value{z}, nil); err != nil {
					t.Fatal(err)
				}
				p, err := f.compile()
				if err != nil {
					t.Fatal(err)
				}
				got, err := p.Run([]any{a, b})
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got[0].([]float32), want) {
					t.Errorf("%v by %v over axes %v, vectors %t: %v, want %v", left, right, over, vector.product != nil, got[0], want)
				}
			}
		}
	}
}
