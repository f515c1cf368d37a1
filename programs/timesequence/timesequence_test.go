package timesequence

import (
	"math"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

// TestLikePyTorch compares the loss at the first ten calls of L-BFGS's function, for
// four waves of 1000 values, and how the waves go on before it. PyTorch's example and
// its numbers are of float64, ours of float32.
func TestLikePyTorch(t *testing.T) {
	const waves, length = 4, 1000
	values := make([]float32, waves*length)
	for i := range values {
		values[i] = float32(math.Sin(float64(i%length+7*(i/length)) / 20))
	}
	all := dl.FromSlice(values, waves, length)
	s := New()
	model, err := dl.Build(s, dl.Shape{waves, length - 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	var future *dl.Tensor
	dl.NoGrad(func() { future = s.Future(all, 5) })
	opt := dl.LBFGS{LR: 0.8, MaxIter: 10}.For(model)
	var losses []float64
	opt.Step(func() *dl.Tensor {
		opt.ZeroGrad()
		loss := s.Loss(all)
		loss.Backward()
		losses = append(losses, loss.Item())
		return loss
	})
	reference.Check(t, map[string][]float64{"losses": losses, "future": future.Reshape(-1).Float64s()})
}
