//go:build cgo && unix

package calls

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// plain is the recurrence by its definition: the hidden states and those at the end.
func (r recurrence) plain(gates, bias, matrix, first []float64) (hs, end []float64) {
	width, states, _, _ := r.sizes()
	h := r.hidden
	hs, end = make([]float64, r.steps*r.n*h), slices.Clone(first)
	for i := range r.steps {
		at := i
		if r.backward {
			at = r.steps - 1 - i
		}
		for s := range r.n {
			before := slices.Clone(end[s*h : (s+1)*h])
			given, from := make([]float64, width), make([]float64, width)
			for k := range width {
				given[k] = gates[(at*r.n+s)*width+k] + bias[k]
				if r.gru {
					from[k] = bias[width+k]
				}
				for j := range h {
					from[k] += matrix[k*h+j] * before[j]
				}
			}
			for j := range h {
				sum := func(gate int) float64 { return given[gate*h+j] + from[gate*h+j] }
				now := 0.0
				if r.gru {
					fresh := math.Tanh(given[2*h+j] + sigmoid(sum(0))*from[2*h+j])
					now = fresh + sigmoid(sum(1))*(before[j]-fresh)
				} else {
					c := &end[((states-1)*r.n+s)*h+j]
					*c = sigmoid(sum(1))**c + sigmoid(sum(0))*math.Tanh(sum(2))
					now = sigmoid(sum(3)) * math.Tanh(*c)
				}
				end[s*h+j], hs[(at*r.n+s)*h+j] = now, now
			}
		}
	}
	return hs, end
}

func wide(s []float32) []float64 {
	to := make([]float64, len(s))
	for i, x := range s {
		to[i] = float64(x)
	}
	return to
}

// near fails where numbers are further from those wanted than a share of the largest.
func near(t *testing.T, what string, got []float32, want []float64, share float64) {
	t.Helper()
	most := 0.0
	for _, w := range want {
		most = max(most, math.Abs(w))
	}
	for i := range got {
		if d := math.Abs(float64(got[i]) - want[i]); !(d <= share*most) {
			t.Fatalf("%s: number %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// TestRecurrence compares all forms that the processor has with the definition, and gradients
// with differences of it, in one part and in several.
func TestRecurrence(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, r := range []recurrence{
		{false, false, 5, 3, 16}, {false, true, 4, 17, 16}, {true, false, 5, 3, 16}, {true, true, 4, 17, 16},
		{false, false, 1, 1, 48}, {true, false, 1, 9, 48}, {false, false, 3, 20, 64}, {true, false, 3, 20, 64},
	} {
		width, states, _, biases := r.sizes()
		gates, bias := numbers(random, r.steps*r.n*width), numbers(random, biases*width)
		matrix, first := numbers(random, width*r.hidden), numbers(random, states*r.n*r.hidden)
		for i := range matrix {
			matrix[i] /= 4
		}
		v, vEnd := numbers(random, r.steps*r.n*r.hidden), numbers(random, states*r.n*r.hidden)
		wantHs, wantEnd := r.plain(wide(gates), wide(bias), wide(matrix), wide(first))
		// value is what the gradients are of.
		value := func(gates, bias, matrix, first []float64) (sum float64) {
			hs, end := r.plain(gates, bias, matrix, first)
			for i, x := range hs {
				sum += x * float64(v[i])
			}
			for i, x := range end {
				sum += x * float64(vEnd[i])
			}
			return sum
		}
		all := [][]float64{wide(gates), wide(bias), wide(matrix), wide(first)}
		// slope is the derivative of value for a number of an operand.
		slope := func(operand, i int) float64 {
			const step = 1e-5
			x := &all[operand][i]
			at := *x
			*x = at + step
			above := value(all[0], all[1], all[2], all[3])
			*x = at - step
			below := value(all[0], all[1], all[2], all[3])
			*x = at
			return (above - below) / (2 * step)
		}
		for f, of := range map[form]string{portable: "portable", avx2: "AVX2", avx512: "AVX-512"} {
			if !f.here() {
				continue
			}
			t.Run(fmt.Sprintf("%+v, %s", r, of), func(t *testing.T) {
				hs, end, kept, err := r.compute(gates, bias, matrix, first, f, 1)
				if err != nil {
					t.Fatal(err)
				}
				near(t, "hidden states", hs, wantHs, 2e-6)
				near(t, "states at the end", end, wantEnd, 2e-6)
				forGates, hidden, forFirst, sums, err := r.gradient(kept, matrix, first, hs, v, vEnd, f, 1)
				if err != nil {
					t.Fatal(err)
				}
				// A sum over the sequences, and for the matrix over all places with the states before.
				forBias, forMatrix := make([]float32, biases*width), make([]float32, width*r.hidden)
				for i, x := range sums {
					forBias[i%len(forBias)] += x
				}
				for i := range r.steps {
					at, before := i, i-1
					if r.backward {
						at, before = r.steps-1-i, r.steps-i
					}
					for s := range r.n {
						from := first[s*r.hidden:]
						if i > 0 {
							from = hs[(before*r.n+s)*r.hidden:]
						}
						for k := range width {
							for j := range r.hidden {
								forMatrix[k*r.hidden+j] += hidden[(at*r.n+s)*width+k] * from[j]
							}
						}
					}
				}
				for operand, got := range [][]float32{forGates, forBias, forMatrix, forFirst} {
					most := 0.0
					for _, x := range got {
						most = max(most, math.Abs(float64(x)))
					}
					for range 6 {
						i := random.IntN(len(got))
						if want := slope(operand, i); !(math.Abs(float64(got[i])-want) <= 5e-6*most) {
							t.Errorf("gradient %d of operand %d is %v, want %v", i, operand, got[i], want)
						}
					}
				}
				for _, parts := range []int{2, 5, 1000} {
					hs2, end2, kept2, err := r.compute(gates, bias, matrix, first, f, parts)
					if err != nil || !slices.Equal(hs, hs2) || !slices.Equal(end, end2) || !slices.Equal(kept, kept2) {
						t.Errorf("in %d parts the bits are others, or %v", parts, err)
					}
					g2, h2, f2, s2, err := r.gradient(kept, matrix, first, hs, v, vEnd, f, parts)
					if err != nil || !slices.Equal(forGates, g2) || !slices.Equal(hidden, h2) || !slices.Equal(forFirst, f2) || !slices.Equal(sums, s2) {
						t.Errorf("in %d parts the gradient's bits are others, or %v", parts, err)
					}
				}
			})
		}
	}
}

// TestRecurrenceExtremes gives gates that are far from 0, close to it, and not numbers.
func TestRecurrenceExtremes(t *testing.T) {
	r := recurrence{steps: 1, n: 1, hidden: 16}
	width, states, _, _ := r.sizes()
	for f, of := range map[form]string{portable: "portable", avx2: "AVX2", avx512: "AVX-512"} {
		if !f.here() {
			continue
		}
		for _, x := range []float64{-1e30, -200, -90, -87, -1, -0.625, -1e-3, -1e-20, 0, 1e-30, 1e-4, 0.6, 0.7, 3, 20, 88, 1e5, math.Inf(1), math.Inf(-1)} {
			gates := make([]float32, width)
			for j := range gates {
				gates[j] = float32(x)
			}
			_, _, kept, err := r.compute(gates, make([]float32, width), make([]float32, width*r.hidden), make([]float32, states*r.hidden), f, 1)
			if err != nil {
				t.Fatal(err)
			}
			for gate, want := range []float64{sigmoid(x), sigmoid(x), math.Tanh(float64(float32(x))), sigmoid(x)} {
				got := float64(kept[gate*r.hidden])
				if !(math.Abs(got-want) <= 4e-7*math.Abs(want)+1e-37) {
					t.Errorf("%s: gate %d of %v is %v, want %v", of, gate, x, got, want)
				}
			}
		}
		gates := make([]float32, width)
		gates[3] = float32(math.NaN())
		hs, _, _, err := r.compute(gates, make([]float32, width), make([]float32, width*r.hidden), make([]float32, states*r.hidden), f, 1)
		if err != nil {
			t.Fatal(err)
		}
		for j, h := range hs {
			if nan := h != h; nan != (j == 3) {
				t.Errorf("%s: number %d is %v, where gate 3 is not a number", of, j, h)
			}
		}
	}
}

// BenchmarkRecurrence times 128 sequences of 200 places and a hidden state of 128, in one
// thread, by the least processor time.
func BenchmarkRecurrence(b *testing.B) {
	for f, of := range map[form]string{portable: "portable", avx2: "AVX2", avx512: "AVX-512"} {
		if !f.here() {
			continue
		}
		for cell, r := range map[string]recurrence{"LSTM": {false, false, 200, 128, 128}, "GRU": {true, false, 200, 128, 128}} {
			random := rand.New(rand.NewPCG(1, 2))
			width, states, _, biases := r.sizes()
			gates, bias := numbers(random, r.steps*r.n*width), numbers(random, biases*width)
			matrix, first := numbers(random, width*r.hidden), numbers(random, states*r.n*r.hidden)
			for i := range matrix {
				matrix[i] /= 10
			}
			var hs, kept []float32
			b.Run(of+"/"+cell+"/output", func(b *testing.B) {
				least(b, func() (err error) {
					hs, _, kept, err = r.compute(gates, bias, matrix, first, f, 1)
					return err
				})
			})
			b.Run(of+"/"+cell+"/gradient", func(b *testing.B) {
				least(b, func() error {
					_, _, _, _, err := r.gradient(kept, matrix, first, hs, hs, first, f, 1)
					return err
				})
			})
		}
	}
}
