package dl_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// TestSumDigits checks that XLA's sums of many numbers have the digits that PyTorch's have, whose
// error is below 3e-7 for these.
func TestSumDigits(t *testing.T) {
	on(t, "cpu")
	rng := rand.New(rand.NewPCG(1, 2))
	for _, shape := range []dl.Shape{{64, 3, 32, 32}, {64, 64, 32, 32}, {1000, 1000}, {1 << 20}, {7, 1, 5000, 3, 2}} {
		values := make([]float32, shape.Size())
		var sum, squares float64
		for i := range values {
			values[i] = rng.Float32()
			sum += float64(values[i])
		}
		n := float64(len(values))
		for _, v := range values {
			squares += (float64(v) - sum/n) * (float64(v) - sum/n)
		}
		x := dl.FromSlice(values, shape...)
		for _, tt := range []struct {
			name      string
			got, want float64
		}{{"Sum", float64(x.Sum().Item()), sum}, {"Mean", float64(x.Mean().Item()), sum / n}, {"Var", float64(x.Var().Item()), squares / (n - 1)}} {
			if off := math.Abs(tt.got-tt.want) / tt.want; !(off < 1e-6) {
				t.Errorf("%s of %v is %v, want %v: off by %.1e", tt.name, shape, tt.got, tt.want, off)
			}
		}
		if len(shape) != 4 {
			continue
		}
		channels := make([]float64, shape[1])
		for i, v := range values {
			channels[i/(shape[2]*shape[3])%shape[1]] += float64(v)
		}
		for c, got := range x.Sum(0, 2, 3).Float32s() {
			if off := math.Abs(float64(got)-channels[c]) / channels[c]; !(off < 1e-6) {
				t.Errorf("Sum of channel %d of %v is %v, want %v: off by %.1e", c, shape, got, channels[c], off)
			}
		}
	}
}
