package forwardforward

import (
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

func TestLikePyTorch(t *testing.T) {
	net := New(500, 500)
	model, err := dl.Build(net, dl.Shape{32, 784})
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	x := reference.Tensor("x", 1, 32, 784)
	pos, neg := Overlay(x, reference.Labels("right", 10, 32)), Overlay(x, reference.Labels("wrong", 10, 32))
	var losses []float64
	net.Train(pos, neg, 5, func(_, _ int, loss float64) { losses = append(losses, loss) })
	reference.Check(t, map[string][]float64{"losses": losses, "predicted": net.Predict(x).Float64s()})
}
