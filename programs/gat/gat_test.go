package gat

import (
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

func TestLikePyTorch(t *testing.T) {
	const nodes, features = 30, 12
	lists := map[string][]float64{}
	for name, concat := range map[string]bool{"averaged": false, "joined": true} {
		gat := New(features, 16, 4, 3, concat)
		model, err := dl.Build(gat, dl.Shape{nodes, features}, dl.Shape{nodes, nodes}, dl.Bool)
		if err != nil {
			t.Fatal(err)
		}
		if err := reference.Fill(model); err != nil {
			t.Fatal(err)
		}
		model.Eval() // without dropout, whose random numbers are others in PyTorch
		edges := reference.Tensor("edges", 1, nodes, nodes).Add(dl.Eye(nodes)).Greater(dl.Full(0.8))
		opt := dl.Adam{LR: 0.005, WeightDecay: 5e-4}.For(model)
		step := dl.Compile(func(x, edges, known, labels *dl.Tensor) *dl.Tensor {
			loss := gat.Loss(x, edges, known, labels)
			loss.Backward()
			opt.Step()
			return loss
		})
		known := dl.FromSlice([]int64{0, 3, 7, 12, 21, 28})
		for range 10 {
			loss := step.Call(reference.Tensor("x", 1, nodes, features), edges, known, reference.Labels("labels", 3, 6)).Item()
			lists[name] = append(lists[name], loss)
		}
	}
	reference.Check(t, lists)
}
