package stn

import (
	"fmt"
	"math"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

func TestLikePyTorch(t *testing.T) {
	net := New()
	model, err := dl.Build(net, dl.Shape{8, 1, 28, 28})
	if err != nil {
		t.Fatal(err)
	}
	net.InitWeights()
	x := reference.Tensor("x", 1, 2, 1, 28, 28)
	for i, v := range net.Transform(x).Sub(x).Float32s() {
		if math.Abs(float64(v)) > 1e-5 { // places between pixels are rounded
			t.Fatalf("pixel %d moves at first", i)
		}
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	model.Eval() // PyTorch's dropout draws other numbers
	opt := dl.SGD{LR: 0.01}.For(model)
	step := dl.Compile(func(x, y *dl.Tensor) *dl.Tensor {
		loss := model.Call(x).Loss(dl.NLLLoss{}, y)
		loss.Backward()
		opt.Step()
		return loss
	})
	var losses []float64
	for i := range 10 {
		x := reference.Tensor(fmt.Sprint("x", i), 1, 8, 1, 28, 28)
		losses = append(losses, step.Call(x, reference.Labels(fmt.Sprint("y", i), 10, 8)).Item())
	}
	reference.Check(t, map[string][]float64{
		"losses": losses, "map": model.Param("fc_loc.2.bias").Float64s(), "moved": net.Transform(x).Mean(2).Reshape(-1).Float64s(),
	})
}
