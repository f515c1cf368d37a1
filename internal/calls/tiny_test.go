//go:build cgo && unix

package calls

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// plain is the convolution by its definition.
func (t tiny) plain(x, w []float32) []float64 {
	y := make([]float64, t.images*t.side*t.side*t.out)
	for n := range t.images {
		for p := range t.side * t.side {
			for q := range t.side * t.side {
				tap := (q/t.side-p/t.side+1)*3 + q%t.side - p%t.side + 1
				if t.turned {
					tap = 8 - tap
				}
				for o := range t.out {
					for i := range t.in {
						filter := o*t.in + i
						if t.first {
							filter = i*t.out + o
						}
						y[(n*t.side*t.side+p)*t.out+o] += float64(x[(n*t.side*t.side+q)*t.in+i]) * float64(w[filter*9+tap])
					}
				}
			}
		}
	}
	return y
}

// TestTiny compares all forms that the processor has with the definition, in one part and in
// several.
func TestTiny(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []tiny{{16, 2, 40, 32, false, false}, {5, 2, 7, 13, false, true}, {33, 2, 12, 5, true, false}, {20, 1, 30, 17, false, false},
		{3, 1, 9, 24, true, true}, {1, 2, 1, 1, true, true}} {
		x, w := numbers(r, c.images*c.side*c.side*c.in), numbers(r, c.in*c.out*9)
		inAllForms(t, fmt.Sprint(c), c.plain(x, w), func(f form, parts int) ([]float32, error) { return c.compute(x, w, f, parts) })
	}
}

// BenchmarkTiny times a convolution of ResNet18's last block with 16 pictures of 64×64, and its
// gradient for the picture, in one thread, by the least processor time.
func BenchmarkTiny(b *testing.B) {
	for f, of := range map[form]string{portable: "portable", avx2: "AVX2", avx512: "AVX-512"} {
		if !f.here() {
			continue
		}
		for _, t := range []tiny{{16, 2, 512, 512, false, false}, {16, 2, 512, 512, true, true}} {
			b.Run(fmt.Sprintf("%s/%v", of, t.first), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 2))
				x, w := numbers(r, t.images*t.side*t.side*t.in), numbers(r, t.in*t.out*9)
				least(b, func() error {
					_, err := t.compute(x, w, f, 1)
					return err
				})
			})
		}
	}
}
