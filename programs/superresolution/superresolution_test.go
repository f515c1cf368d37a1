package superresolution

import (
	"fmt"
	"math"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

func TestLikePyTorch(t *testing.T) {
	net := New(3)
	model, err := dl.Build(net, dl.Shape{4, 1, 17, 17})
	if err != nil {
		t.Fatal(err)
	}
	net.InitWeights()
	if length := net.Conv2.Weight.Index(5).Norm().Item(); math.Abs(length-math.Sqrt2) > 1e-5 { // float32
		t.Errorf("a filter's length is %v at first, want √2", length)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	opt := dl.Adam{LR: 0.01}.For(model)
	step := dl.Compile(func(x, y *dl.Tensor) *dl.Tensor {
		loss := net.Forward(x).Loss(dl.MSELoss{}, y)
		loss.Backward()
		opt.Step()
		return loss
	})
	var losses []float64
	for i := range 10 {
		x := reference.Tensor(fmt.Sprint("x", i), 0.5, 4, 1, 17, 17).Shift(0.5)
		y := reference.Tensor(fmt.Sprint("y", i), 0.5, 4, 1, 51, 51).Shift(0.5)
		losses = append(losses, step.Call(x, y).Item())
	}
	reference.Check(t, map[string][]float64{"losses": losses})
}
