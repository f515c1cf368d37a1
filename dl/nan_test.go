package dl_test

import (
	"math"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// TestNaNGoesOn has what takes the largest or smallest of several pass on what is
// not a number, as PyTorch does: on XLA, in Go, and on GoMLX's backend.
func TestNaNGoesOn(t *testing.T) {
	nan := math.NaN()
	x := dl.FromSlice([]float32{1, float32(nan), 3, 2, 5, 4, -1, float32(math.Inf(1)), float32(nan), float32(math.Inf(-1)), 0, 7}, 3, 4)
	y := dl.FromSlice([]float32{2, 2, 2, float32(nan)})
	sorted := func(v, _ *dl.Tensor) *dl.Tensor { return v }
	ops := map[string]struct {
		f    func(x *dl.Tensor) *dl.Tensor
		want []float64
	}{
		"Max":        {func(x *dl.Tensor) *dl.Tensor { return x.Max(1) }, []float64{nan, math.Inf(1), nan}},
		"Min":        {func(x *dl.Tensor) *dl.Tensor { return x.Min(1) }, []float64{nan, -1, nan}},
		"Max of all": {func(x *dl.Tensor) *dl.Tensor { return x.Max() }, []float64{nan}},
		"Argmax":     {func(x *dl.Tensor) *dl.Tensor { return x.Argmax(1) }, []float64{1, 3, 0}},
		"Argmin":     {func(x *dl.Tensor) *dl.Tensor { return x.Argmin(0) }, []float64{2, 0, 1, 0}},
		"Maximum":    {func(x *dl.Tensor) *dl.Tensor { return x.Maximum(y) }, []float64{2, nan, 3, nan, 5, 4, 2, nan, nan, 2, 2, nan}},
		"Minimum":    {func(x *dl.Tensor) *dl.Tensor { return x.Minimum(y) }, []float64{1, nan, 2, nan, 2, 2, -1, nan, nan, math.Inf(-1), 0, nan}},
		"ReLU":       {func(x *dl.Tensor) *dl.Tensor { return x.ReLU().Narrow(0, 2, 1) }, []float64{nan, 0, 0, 7}},
		"LeakyReLU":  {func(x *dl.Tensor) *dl.Tensor { return x.LeakyReLU(0.5).Narrow(0, 0, 1) }, []float64{1, nan, 3, 2}},
		"Clamp":      {func(x *dl.Tensor) *dl.Tensor { return x.Clamp(0, 4).Narrow(0, 0, 1) }, []float64{1, nan, 3, 2}},
		"Sort":       {func(x *dl.Tensor) *dl.Tensor { return sorted(x.Sort(1)).Narrow(0, 0, 1) }, []float64{1, 2, 3, nan}},
		"TopK":       {func(x *dl.Tensor) *dl.Tensor { return sorted(x.TopK(2, 1)).Narrow(0, 0, 1) }, []float64{nan, 3}},
		"MaxPool2d": {func(x *dl.Tensor) *dl.Tensor {
			return x.Reshape(1, 1, 3, 4).MaxPool2d(dl.MaxPool2d{Kernel: 2, Stride: 1})
		}, []float64{nan, nan, math.Inf(1), nan, 4, math.Inf(1)}},
		"MaxPool2d of tiles": {func(x *dl.Tensor) *dl.Tensor {
			return x.Reshape(1, 1, 3, 4).MaxPool2d(dl.MaxPool2d{KernelHW: dl.HW{3, 2}})
		}, []float64{nan, math.Inf(1)}},
		"Softmax":   {func(x *dl.Tensor) *dl.Tensor { return x.Softmax(1).Narrow(0, 0, 1) }, []float64{nan, nan, nan, nan}},
		"LogSumExp": {func(x *dl.Tensor) *dl.Tensor { return x.LogSumExp(1).Narrow(0, 0, 1) }, []float64{nan}},
	}
	for _, way := range []string{"XLA", "Go", "GoMLX"} {
		t.Run(way, func(t *testing.T) {
			on(t, map[string]string{"XLA": "cpu", "Go": "go", "GoMLX": "go"}[way])
			dl.AlwaysXLA(way != "Go")
			defer dl.AlwaysXLA(false)
			for name, op := range ops {
				got := op.f(x).Float64s()
				for i, want := range op.want {
					if len(got) != len(op.want) || got[i] != want && !(math.IsNaN(got[i]) && math.IsNaN(want)) {
						t.Errorf("%s is %v, want %v", name, got, op.want)
						break
					}
				}
			}
		})
	}
}
