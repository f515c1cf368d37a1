package dl

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// lossNodes is a loss in a program.
type lossNodes struct {
	output     *Node       // of the model
	sum, total *graph.Node // the loss is sum/total
	counted    bool        // total grows with the batch; else it is 1
	score      *graph.Node // a [tally]'s numbers
	needs      limits
}

func (n lossNodes) mean() *graph.Node { return graph.Div(n.sum, n.total) }

// loss writes the model's forward pass and loss for a batch of size rows, of
// which an input says how many count.
func (t *trace) loss(m *Model, loss Loss, batch Batch, size int) lossNodes {
	g := t.graph
	x := t.begin(m, batch.Inputs.dtype, append(Shape{size}, batch.Inputs.shape[1:]...))
	labels := t.examples(batch.Labels.dtype, append(Shape{size}, batch.Labels.shape[1:]...))
	rows := t.input(Float32, nil).value()
	t.rows, t.batch = rows, size
	if t.training {
		t.key = t.input(dtypes.Uint32, Shape{2}).value()
	}
	if t.precision != 0 && x.DType().IsFloat() {
		x = x.to(t.precision)
	}
	output := m.call(x)
	if t.precision != 0 {
		output = output.to(Float32)
	}
	terms, weights := loss.Terms(output, labels)
	if shape := terms.Shape(); len(shape) == 0 || shape[0] != size {
		panic(&ShapeError{Op: fmt.Sprintf("%T: Terms", loss), Got: shape, Want: fmt.Sprintf("[%d …], a term for each example", size), Fix: "do not add them up: the step does, for the examples that count"})
	}
	// Where, not a product: a row that does not count may be NaN.
	add := func(x *graph.Node) *graph.Node {
		counts := graph.LessThan(graph.Iota(g, shapes.Make(Float32, size), 0), rows)
		return graph.ReduceAllSum(graph.Where(counts, x, graph.ZerosLike(x)))
	}
	sum, total := add(terms.value()), graph.Scalar(g, Float32, 1)
	if weights != nil {
		total = add(weights.value())
	}
	n := lossNodes{output: output, counted: weights != nil}
	right := graph.Scalar(g, Float32, -1)
	if out := output.Shape(); len(out) == 2 && len(batch.Labels.shape) == 1 && batch.Labels.dtype.IsInt() {
		n.needs.classes = out[1]
		counts := graph.ConvertDType(graph.LessThan(graph.Iota(g, shapes.Make(Float32, size), 0), rows), Float32)
		hit := graph.Equal(graph.ArgMax(output.value(), 1, Int64), graph.ConvertDType(labels.value(), Int64))
		right = graph.ReduceAllSum(graph.Mul(graph.ConvertDType(hit, Float32), counts))
	}
	n.needs.ids = t.ids
	n.sum, n.total = sum, total
	n.score = graph.Stack([]*graph.Node{sum, total, right}, 0)
	return n
}
