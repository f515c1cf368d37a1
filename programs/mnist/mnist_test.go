package mnist

import (
	"fmt"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

func TestLikePyTorch(t *testing.T) {
	model, err := dl.Build(New(), dl.Shape{8, 1, 28, 28})
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	model.Eval("dropout1", "dropout2") // PyTorch draws other numbers
	opt := dl.Adadelta{LR: 1}.For(model)
	schedule, err := opt.Schedule(dl.StepLR{StepSize: 1, Gamma: 0.7})
	if err != nil {
		t.Fatal(err)
	}
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
		if i%3 == 2 {
			schedule.Step()
		}
	}
	reference.Check(t, map[string][]float64{"losses": losses})
}
