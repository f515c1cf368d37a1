package vae

import (
	"fmt"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

func TestLikePyTorch(t *testing.T) {
	vae := New()
	model, err := dl.Build(vae, dl.Shape{16, 784})
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	opt := dl.Adam{LR: 1e-3}.For(model)
	step := dl.Compile(func(x, noise *dl.Tensor) *dl.Tensor {
		loss := vae.Loss(x, noise)
		loss.Backward()
		opt.Step()
		return loss
	})
	var losses []float64
	for i := range 10 {
		x := reference.Tensor(fmt.Sprint("x", i), 0.5, 16, 784).Shift(0.5)
		losses = append(losses, step.Call(x, reference.Tensor(fmt.Sprint("noise", i), 1.5, 16, 20)).Item())
	}
	reference.Check(t, map[string][]float64{"losses": losses})
}
