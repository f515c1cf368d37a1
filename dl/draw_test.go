package dl_test

import (
	"math"
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// TestMultinomial counts what is drawn, at once and in a program.
func TestMultinomial(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		dl.Seed(5)
		p := []float64{0.1, 0, 0.6, 0.3}
		rows := dl.FromSlice([]float32{1, 0, 6, 3}, 1, 4).Expand(20000, 4)
		for name, draw := range map[string]func(p *dl.Tensor, n int) *dl.Tensor{
			"at once": (*dl.Tensor).Multinomial, "compiled": dl.Compile((*dl.Tensor).Multinomial).Call,
		} {
			first := draw(rows, 2)
			if got := first.Shape(); !slices.Equal(got, []int{20000, 2}) || first.DType() != dl.Int64 {
				t.Fatalf("%s: %v %v", name, got, first.DType())
			}
			if slices.Equal(first.Int64s(), draw(rows, 2).Int64s()) {
				t.Errorf("%s: two draws are the same", name)
			}
			firsts, seconds, n := make([]float64, 4), make([]float64, 4), first.Int64s()
			for i := 0; i < len(n); i += 2 {
				if n[i] == n[i+1] {
					t.Fatalf("%s: class %d was drawn twice", name, n[i])
				}
				firsts[n[i]]++
				seconds[n[i+1]]++
			}
			for c := range p {
				second := 0.0 // another class came first
				for d := range p {
					if d != c {
						second += p[d] * p[c] / (1 - p[d])
					}
				}
				// Four standard deviations of a share of 20,000.
				if a, b := firsts[c]/20000, seconds[c]/20000; math.Abs(a-p[c]) > 0.014 || math.Abs(b-second) > 0.014 {
					t.Errorf("%s: class %d was first in %v of the draws, want %v, and second in %v, want %v", name, c, a, p[c], b, second)
				}
			}
		}
		if got := dl.FromSlice([]float32{0, 0, 2}).Multinomial(1).Int64s(); !slices.Equal(got, []int64{2}) {
			t.Errorf("of one possible class %v was drawn", got)
		}
	})
}

func TestMultinomialErrors(t *testing.T) {
	on(t, "go")
	for _, c := range []struct {
		p    *dl.Tensor
		n    int
		want string
	}{
		{dl.FromSlice([]float32{0.5, -0.5}), 1, "dl: Multinomial: the probability of class 1 in row 0 is -0.5, want finite numbers of at least 0; make them of scores with Softmax(-1)"},
		{dl.FromSlice([]float32{1, 1, 0, 0}, 2, 2), 1, "dl: Multinomial: row 1 has 0 classes with a probability above 0, want at least n, which is 1"},
		{dl.FromSlice([]float32{1, 1}), 3, "dl: Multinomial: n is 3, want 1 to 2, the number of classes"},
		{dl.FromSlice([]int64{1, 1}), 1, "dl: Multinomial: input is [2], want floating-point probabilities, [C] or [N C]; make them of scores with Softmax(-1)"},
	} {
		if got := panics(func() { c.p.Multinomial(c.n) }); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}
