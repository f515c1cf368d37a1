package visiontransformer

import (
	"fmt"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

func TestLikePyTorch(t *testing.T) {
	vit := New(16, 4, 24, 4, 2, 10)
	model, err := dl.Build(vit, dl.Shape{6, 3, 16, 16})
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	model.Eval() // without dropout, whose random numbers are others in PyTorch
	opt := dl.Adam{LR: 1e-3, WeightDecay: 0.03}.For(model)
	step := dl.Compile(func(x, labels *dl.Tensor) *dl.Tensor {
		loss := vit.Forward(x).CrossEntropy(labels)
		loss.Backward()
		opt.Step()
		return loss
	})
	var losses []float64
	for i := range 10 {
		x := reference.Tensor(fmt.Sprint("x", i), 1, 6, 3, 16, 16)
		losses = append(losses, step.Call(x, reference.Labels(fmt.Sprint("labels", i), 10, 6)).Item())
	}
	attend := dl.Compile(func(x *dl.Tensor) *dl.Tensor {
		_, weights := vit.Attend(x)
		return weights
	})
	weights := attend.Call(reference.Tensor("x", 1, 1, 3, 16, 16))
	reference.Check(t, map[string][]float64{"losses": losses, "attention": weights.Float64s()})
}
