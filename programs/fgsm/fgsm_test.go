package fgsm

import (
	"fmt"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

func TestLikePyTorch(t *testing.T) {
	net := New()
	model, err := dl.Build(net, dl.Shape{4, 1, 28, 28})
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	model.Eval()
	attack := dl.Compile(func(x, labels *dl.Tensor, epsilon float64) (before, after *dl.Tensor) {
		changed := net.Attack(x, labels, epsilon)
		return net.Forward(x).Loss(dl.NLLLoss{}, labels), net.Forward(changed).Loss(dl.NLLLoss{}, labels)
	})
	lists := map[string][]float64{}
	for i := range 10 {
		x := reference.Tensor(fmt.Sprint("x", i), 0.5, 4, 1, 28, 28).Shift(0.5)
		before, after := attack.Call(x, reference.Labels(fmt.Sprint("labels", i), 10, 4), 0.03*float64(i))
		lists["before"] = append(lists["before"], before.Item())
		lists["after"] = append(lists["after"], after.Item())
	}
	reference.Check(t, lists)
}
