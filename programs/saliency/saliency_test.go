package saliency

import (
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

func TestLikePyTorch(t *testing.T) {
	net := New(10)
	model, err := dl.Build(net, dl.Shape{2, 3, 16, 16})
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	x := reference.Tensor("x", 1, 2, 3, 16, 16)
	s := dl.Compile(net.Saliency).Call(x)
	c := net.GradCAM(x) // at once
	reference.Check(t, map[string][]float64{
		"saliency": s.Index(1).Index(5).Float64s(), "saliency sums": s.Sum(1, 2).Float64s(),
		"gradcam": c.Index(0).Float64s(), "gradcam sums": c.Sum(1, 2).Float64s(),
	})
}
