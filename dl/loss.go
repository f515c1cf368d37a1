package dl

import (
	"fmt"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Loss says how wrong a model's output is. Its value is Σ terms / Σ weights
// over the examples of a batch, so that a batch filled up to its size with
// rows of weight 0 has the loss of the rows that count.
type Loss interface {
	// Terms returns the loss of each example and its weight, both [N], for
	// an output [N …] and labels [N …].
	Terms(output, labels *Node) (terms, weights *Node)
}

// CrossEntropyLoss is the mean over the batch of -log of the probability that
// softmax gives to the right class, as torch.nn.CrossEntropyLoss. It is the
// loss where none is named.
//
//	output  [N C]  scores of C classes, not probabilities
//	labels  [N]    int64, 0 to C-1
//
// Other shapes are a [*ShapeError].
type CrossEntropyLoss struct{}

// Terms returns the loss of each example, with weights 1.
func (CrossEntropyLoss) Terms(output, labels *Node) (terms, weights *Node) {
	shape := output.Shape()
	if len(shape) != 2 {
		fix := ""
		if len(shape) == 4 {
			fix = "end the model with Flatten{} and Linear{Out: classes}"
		}
		panic(&ShapeError{Op: "CrossEntropyLoss", Got: shape, Want: "[N classes]", Fix: fix})
	}
	if l := labels.Shape(); len(l) != 1 || l[0] != shape[0] || !labels.DType().IsInt() {
		panic(fmt.Errorf("dl: CrossEntropyLoss: labels are %v, want [%d] int64; give the number of the class, not a row of ones and zeros", labels, shape[0]))
	}
	logp := graph.LogSoftmax(output.value(), 1)
	hit := graph.Equal(graph.BroadcastToDims(graph.Reshape(labels.value(), shape[0], 1), shape...),
		graph.Iota(logp.Graph(), shapes.Make(labels.DType(), shape...), 1))
	picked := graph.ReduceSum(graph.Where(hit, logp, graph.ZerosLike(logp)), 1)
	return output.With(graph.Neg(picked)), output.With(graph.OnesLike(picked))
}
