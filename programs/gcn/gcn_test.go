package gcn

import (
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

func TestLikePyTorch(t *testing.T) {
	const nodes, features = 30, 12
	gcn := New(features, 16, 3)
	model, err := dl.Build(gcn, dl.Shape{nodes, features}, dl.Shape{nodes, nodes})
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	model.Eval() // without dropout, whose random numbers are others in PyTorch
	half := reference.Tensor("edges", 1, nodes, nodes).Greater(dl.Full(0.8)).Float32s()
	graph := dl.FromSlice(half, nodes, nodes)
	edges := Normalize(graph.Maximum(graph.Transpose(1, 0)))
	opt := dl.Adam{LR: 0.01, WeightDecay: 5e-4}.For(model)
	step := dl.Compile(func(x, edges, known, labels *dl.Tensor) *dl.Tensor {
		loss := gcn.Loss(x, edges, known, labels)
		loss.Backward()
		opt.Step()
		return loss
	})
	known := dl.FromSlice([]int64{0, 3, 7, 12, 21, 28})
	var losses []float64
	for range 10 {
		losses = append(losses, step.Call(reference.Tensor("x", 1, nodes, features), edges, known, reference.Labels("labels", 3, 6)).Item())
	}
	reference.Check(t, map[string][]float64{"losses": losses, "edges": edges.Sum(1).Float64s()})
}
