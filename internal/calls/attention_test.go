//go:build cgo && unix

package calls

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// plain is the output by its definition, and the gradient of in for v.
func (a attention) plain(in, v []float32) (out, gradient []float64) {
	n, l, h, d := a.sequences, a.length, a.heads, a.size
	out, gradient = make([]float64, n*l*h*d), make([]float64, len(in))
	scale := 1 / math.Sqrt(float64(d))
	for s := range n {
		for head := range h {
			at := func(place, which int) int { return ((s*l+place)*3*h + which*h + head) * d }
			to := func(place int) int { return ((s*l+place)*h + head) * d }
			for i := range l {
				keys := l
				if a.causal {
					keys = i + 1
				}
				p, forP := make([]float64, keys), make([]float64, keys)
				most, sum, common := math.Inf(-1), 0.0, 0.0
				for j := range keys {
					for c := range d {
						p[j] += scale * float64(in[at(i, 0)+c]) * float64(in[at(j, 1)+c])
						forP[j] += float64(v[to(i)+c]) * float64(in[at(j, 2)+c])
					}
					most = max(most, p[j])
				}
				for j := range keys {
					p[j] = math.Exp(p[j] - most)
					sum += p[j]
				}
				for j := range keys {
					p[j] /= sum
					common += p[j] * forP[j]
				}
				for j := range keys {
					forScore := scale * p[j] * (forP[j] - common)
					for c := range d {
						out[to(i)+c] += p[j] * float64(in[at(j, 2)+c])
						gradient[at(i, 0)+c] += forScore * float64(in[at(j, 1)+c])
						gradient[at(j, 1)+c] += forScore * float64(in[at(i, 0)+c])
						gradient[at(j, 2)+c] += p[j] * float64(v[to(i)+c])
					}
				}
			}
		}
	}
	return out, gradient
}

// TestAttention compares all forms that the processor has with the definition, in one part
// and in several.
func TestAttention(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, a := range []attention{
		{2, 64, 2, 32, false}, {1, 64, 2, 32, true}, {2, 1, 1, 16, true}, {1, 7, 3, 16, false}, {1, 17, 1, 48, true},
		{1, 96, 1, 16, true}, {1, 97, 2, 64, false}, {1, 97, 2, 64, true}, {1, 150, 1, 128, true},
	} {
		in, v := numbers(r, a.sequences*a.length*3*a.heads*a.size), numbers(r, a.sequences*a.length*a.heads*a.size)
		out, gradient := a.plain(in, v)
		for f, of := range map[form]string{portable: "portable", avx2: "AVX2", avx512: "AVX-512"} {
			if !f.here() {
				continue
			}
			for what, c := range map[string]struct {
				v    []float32
				want []float64
			}{"output": {nil, out}, "gradient": {v, gradient}} {
				t.Run(fmt.Sprintf("%+v, %s, %s", a, of, what), func(t *testing.T) {
					got, err := a.compute(in, c.v, f, 1)
					if err != nil {
						t.Fatal(err)
					}
					most := 0.0
					for _, w := range c.want {
						most = max(most, math.Abs(w))
					}
					for i := range got {
						if d := math.Abs(float64(got[i]) - c.want[i]); !(d <= 2e-6*most) {
							t.Fatalf("number %d is %v, want %v", i, got[i], c.want[i])
						}
					}
					for _, parts := range []int{2, 5, 1000} {
						if other, err := a.compute(in, c.v, f, parts); err != nil || !slices.Equal(other, got) {
							t.Errorf("in %d parts the bits are others, or %v", parts, err)
						}
					}
				})
			}
		}
	}
}

// TestAttentionExtremes gives scores that are far apart, and some that are not numbers.
func TestAttentionExtremes(t *testing.T) {
	a := attention{1, 20, 1, 16, false}
	for f, of := range map[form]string{portable: "portable", avx2: "AVX2", avx512: "AVX-512"} {
		if !f.here() {
			continue
		}
		in := make([]float32, a.length*3*a.size)
		at := func(place, which int) int { return (place*3 + which) * a.size }
		for i := range a.length {
			in[at(i, 0)], in[at(i, 1)], in[at(i, 2)] = 1e4, float32(i), float32(i)
		}
		got, err := a.compute(in, nil, f, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got[0] != float32(a.length-1) {
			t.Errorf("%s: where one key has all, the value is %v, want %v", of, got[0], a.length-1)
		}
		in[at(3, 0)] = float32(math.NaN())
		if got, err = a.compute(in, nil, f, 1); err != nil {
			t.Fatal(err)
		}
		for i := range a.length {
			if nan := math.IsNaN(float64(got[i*a.size])); nan != (i == 3) {
				t.Errorf("%s: place %d is %v, where the query of place 3 is not a number", of, i, got[i*a.size])
			}
		}
	}
}

// BenchmarkAttention times self-attention of 32 sequences of 64 places in four heads of 32, and
// of 8 of 256, causal, in four of 64, in one thread, by the least processor time.
func BenchmarkAttention(b *testing.B) {
	for f, of := range map[form]string{portable: "portable", avx2: "AVX2", avx512: "AVX-512"} {
		if !f.here() {
			continue
		}
		for _, a := range []attention{{32, 64, 4, 32, false}, {8, 256, 4, 64, true}} {
			r := rand.New(rand.NewPCG(1, 2))
			in, v := numbers(r, a.sequences*a.length*3*a.heads*a.size), numbers(r, a.sequences*a.length*a.heads*a.size)
			for what, v := range map[string][]float32{"output": nil, "gradient": v} {
				b.Run(fmt.Sprintf("%s/%d×%d/%s", of, a.sequences, a.length, what), func(b *testing.B) {
					least(b, func() error {
						_, err := a.compute(in, v, f, 1)
						return err
					})
				})
			}
		}
	}
}
