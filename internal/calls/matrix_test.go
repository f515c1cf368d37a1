//go:build cgo && unix

package calls

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// plain is the product by its definition.
func (p matrices) plain(a, b []float32) []float64 {
	y := make([]float64, p.m*p.n)
	for i := range p.m {
		for j := range p.n {
			for l := range p.k {
				x, z := a[i*p.k+l], b[l*p.n+j]
				if p.first {
					x = a[l*p.m+i]
				}
				if p.last {
					z = b[j*p.k+l]
				}
				y[i*p.n+j] += float64(x) * float64(z)
			}
		}
	}
	return y
}

// TestProduct compares all forms that the processor has with the definition, in one part and in
// several.
func TestProduct(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, sizes := range [][3]int{{64, 64, 100}, {64, 10, 64}, {5, 33, 17}, {1, 1, 1}, {13, 7, 3}, {4, 96, 16}, {37, 1, 50}, {1, 40, 129}} {
		for _, of := range [][2]bool{{false, false}, {true, false}, {false, true}} {
			p := matrices{sizes[0], sizes[1], sizes[2], of[0], of[1]}
			a, b := numbers(r, p.m*p.k), numbers(r, p.k*p.n)
			inAllForms(t, fmt.Sprint(p), p.plain(a, b), func(f form, parts int) ([]float32, error) { return p.compute(a, b, f, parts) })
		}
	}
}

func TestTranspose(t *testing.T) {
	for _, sizes := range [][3]int{{1, 1, 1}, {3, 3, 100}, {2, 64, 16}, {5, 17, 33}, {1, 50, 1}} {
		n, rows, columns := sizes[0], sizes[1], sizes[2]
		x := numbers(rand.New(rand.NewPCG(1, 2)), n*rows*columns)
		for _, parts := range []int{1, 2, 7, 100} {
			y := transpose(x, n, rows, columns, parts)
			for i := range n {
				for r := range rows {
					for c := range columns {
						if got, want := y[(i*columns+c)*rows+r], x[(i*rows+r)*columns+c]; got != want {
							t.Fatalf("%v in %d parts: [%d %d %d] is %v, want %v", sizes, parts, i, c, r, got, want)
						}
					}
				}
			}
		}
	}
}

// BenchmarkProduct times the products of the tutorial network's Linear(1024, 64) with 64 rows,
// forward and for both gradients, in one thread, by the least processor time.
func BenchmarkProduct(b *testing.B) {
	for f, of := range map[form]string{portable: "portable", avx2: "AVX2", avx512: "AVX-512"} {
		if !f.here() {
			continue
		}
		for name, p := range map[string]matrices{"output": {64, 64, 1024, false, true}, "input": {64, 1024, 64, false, false}, "weight": {64, 1024, 64, true, false}} {
			b.Run(of+"/"+name, func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 2))
				x, w := numbers(r, p.m*p.k), numbers(r, p.k*p.n)
				least(b, func() error {
					_, err := p.compute(x, w, f, 1)
					return err
				})
			})
		}
	}
}

// BenchmarkTranspose times what stands before a Linear after the tutorial network's last pooling,
// and a batch of its pictures, in one thread, by the least processor time.
func BenchmarkTranspose(b *testing.B) {
	for name, sizes := range map[string][3]int{"flatten": {64, 16, 64}, "pictures": {64, 3, 1024}} {
		b.Run(name, func(b *testing.B) {
			x := numbers(rand.New(rand.NewPCG(1, 2)), sizes[0]*sizes[1]*sizes[2])
			least(b, func() error {
				transpose(x, sizes[0], sizes[1], sizes[2], 1)
				return nil
			})
		})
	}
}
