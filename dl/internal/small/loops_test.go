package small

import (
	"math"
	"testing"

	"github.com/gomlx/compute"
)

// TestFloat32Loops compares functions in float32 with those of package math.
func TestFloat32Loops(t *testing.T) {
	for _, f := range []struct {
		op   compute.OpType
		want func(float64) float64
	}{
		{compute.OpTypeExp, math.Exp},
		{compute.OpTypeTanh, math.Tanh},
		{compute.OpTypeLogistic, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
	} {
		loop, worst, where := float32Loop(f.op), 0.0, 0.0
		in, out := make([]float32, 1), make([]float32, 1)
		for x := -86.0; x < 86; x += 0.00173 {
			for _, x := range []float64{x, x / 100, x / 1e6} {
				in[0] = float32(x)
				loop(out, in)
				if e := math.Abs(float64(out[0])/f.want(float64(in[0])) - 1); e > worst {
					worst, where = e, x
				}
			}
		}
		if !(worst < 4e-7) {
			t.Errorf("%v differs by %.2g of its size at %v", f.op, worst, where)
		}
		for _, x := range []float64{math.Inf(1), math.Inf(-1), math.NaN(), 90, -90, 120, -120, 0, math.Copysign(0, -1)} {
			in[0] = float32(x)
			loop(out, in)
			if want := float32(f.want(x)); out[0] != want && (want == want || out[0] == out[0]) || math.Signbit(float64(out[0])) != math.Signbit(float64(want)) && want == want {
				t.Errorf("%v of %v is %v, want %v", f.op, x, out[0], want)
			}
		}
	}
}
