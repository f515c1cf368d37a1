package mnistrnn

import (
	"fmt"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

// TestLikePyTorch compares the first ten losses.
func TestLikePyTorch(t *testing.T) {
	model, err := dl.Build(New(), dl.Shape{16, 1, 28, 28})
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	model.Eval("dropout1", "dropout2") // PyTorch draws other numbers
	opt := dl.Adadelta{LR: 0.1}.For(model)
	step := dl.Compile(func(x, y *dl.Tensor) *dl.Tensor {
		loss := model.Call(x).Loss(dl.NLLLoss{}, y)
		loss.Backward()
		opt.Step()
		return loss
	})
	var losses []float64
	for i := range 10 {
		x := reference.Tensor(fmt.Sprint("x", i), 1, 16, 1, 28, 28)
		losses = append(losses, step.Call(x, reference.Labels(fmt.Sprint("y", i), 10, 16)).Item())
	}
	reference.Check(t, map[string][]float64{"losses": losses})
}
