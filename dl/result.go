package dl

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/internal/thousands"
)

// Result is what [Evaluate] or a step found on some examples.
type Result struct {
	Loss     float64 // mean over the examples
	Accuracy float64 // share of examples whose class is right, in [0, 1]; NaN where there are no classes
	N        int     // examples
	LossName string  // the loss, such as "MSELoss"; "" for that of a step

	Metrics   []MetricValue // of the metrics that Evaluate was given, in their order
	Confusion *Confusion    // of a ConfusionMatrix among them, else nil
}

// Metric returns the value of a metric by its name, NaN if it was not asked
// for.
func (r Result) Metric(name string) float64 {
	for _, m := range r.Metrics {
		if m.Name == name {
			return m.Value
		}
	}
	return math.NaN()
}

// String writes the result on one line.
func (r Result) String() string {
	s := fmt.Sprintf("loss %.4f", r.Loss)
	if r.LossName != "" && r.LossName != lossName(CrossEntropyLoss{}) {
		s += " (" + r.LossName + ")"
	}
	if r.Accuracy == r.Accuracy {
		s += fmt.Sprintf("  accuracy %.2f %%", 100*r.Accuracy)
	}
	for _, m := range r.Metrics {
		s += fmt.Sprintf("  %s %.4f", m.Name, m.Value)
	}
	return s + fmt.Sprintf("  on %s examples", thousands.Text(r.N))
}

// Table is the result as one row. A notebook shows it in place of the text.
func (r Result) Table() (head []string, rows [][]any) {
	head, row := []string{"loss"}, []any{r.Loss}
	if r.LossName != "" && r.LossName != lossName(CrossEntropyLoss{}) {
		head[0] = r.LossName
	}
	if !math.IsNaN(r.Accuracy) {
		head, row = append(head, "accuracy"), append(row, percent(r.Accuracy))
	}
	for _, m := range r.Metrics {
		head, row = append(head, m.Name), append(row, m.Value)
	}
	return append(head, "examples"), [][]any{append(row, count(r.N))}
}

// percent writes a share, and nothing for NaN.
func percent(part float64) string {
	if math.IsNaN(part) {
		return ""
	}
	return fmt.Sprintf("%.2f %%", 100*part)
}

// tally adds up what programs found, so that batches of different sizes give
// exact means.
type tally struct {
	Loss, Weight exact // sums over the examples
	Right        exact // examples whose class is right; negative where there are no classes
	Labels       exact // examples whose label counts
	Rows         int
}

func tallyOf(score []float32, rows int) tally {
	return tally{exact(score[0]), exact(score[1]), exact(score[2]), exact(score[3]), rows}
}

func (t *tally) add(u tally) {
	t.Loss, t.Weight, t.Right = t.Loss+u.Loss, t.Weight+u.Weight, t.Right+u.Right
	t.Labels, t.Rows = t.Labels+u.Labels, t.Rows+u.Rows
}

func (t tally) result() Result {
	r := Result{Loss: float64(t.Loss / t.Weight), Accuracy: float64(t.Right / t.Labels), N: t.Rows}
	if t.Right < 0 {
		r.Accuracy = math.NaN()
	}
	return r
}

// lossParts is a loss in a recording.
type lossParts struct {
	output     *Tensor // of the model
	sum, total *Tensor // the loss is sum/total
	counted    bool    // total grows with the batch; else it is 1
	score      *Tensor // a [tally]'s numbers
	classes    int     // outputs of a classifier, which labels must stay below; 0 where there are none
}

func (n lossParts) mean() *Tensor { return n.sum.Div(n.total) }

// loss records the model's forward pass and loss for a batch, of which the first
// rows count.
func (r *recording) loss(m *Model, loss Loss, b *stepBatch) lossParts {
	x := m.begin(b.inputs)
	if r.precision != 0 && x.dtype.IsFloat() {
		x = x.as(r.precision)
	}
	output := m.call(r, x)
	if r.precision != 0 {
		output = output.as(Float32)
	}
	terms, weights := loss.Terms(output, b.labels)
	if shape := terms.Shape(); len(shape) == 0 || shape[0] != b.size {
		panic(&ShapeError{Op: fmt.Sprintf("%T: Terms", loss), Got: shape, Want: fmt.Sprintf("[%d …], a term for each example", b.size), Fix: "do not add them up: the step does, for the examples that count"})
	}
	n := lossParts{output: output, counted: weights != nil}
	scores, labels := output, b.labels
	if len(output.shape) == 2 && len(labels.shape) == 1 && labels.dtype.IsInt() {
		n.classes = output.shape[1]
	} else {
		scores, labels = nil, nil
	}
	skip := int64(math.MinInt64)
	if l, ok := loss.(ignorer); ok {
		skip = l.ignored()
	}
	out := several("score", [2]int64{int64(b.size), skip}, scoring(b.size, skip), r.rows, terms, weights, scores, labels)
	n.sum, n.total, n.score = out[0], out[1], out[2]
	return n
}

// scoring adds up the terms and weights of the examples that count, and counts
// those of which the label is the largest score, and those whose label is not
// skip.
func scoring(size int, skip int64) func(in []*node) []*node {
	return func(in []*node) []*node {
		rows, terms, weights, scores, labels := in[0].value(), in[1], in[2], in[3], in[4]
		g := rows.Graph()
		// Where, not a product: a row that does not count may be NaN.
		counts := func() *graph.Node { return graph.LessThan(graph.Iota(g, shapes.Make(Float32, size), 0), rows) }
		add := func(x *graph.Node) *graph.Node {
			return graph.ReduceAllSum(graph.Where(counts(), x, graph.ZerosLike(x)))
		}
		sum, total := add(terms.value()), graph.Scalar(g, Float32, 1)
		if weights != nil {
			total = add(weights.value())
		}
		right, labeled := graph.Scalar(g, Float32, -1), graph.Scalar(g, Float32, 1)
		if scores != nil {
			classes := graph.ConvertDType(labels.value(), Int64)
			count := func(which *graph.Node) *graph.Node {
				return graph.ReduceAllSum(graph.ConvertDType(graph.LogicalAnd(which, counts()), Float32))
			}
			right = count(graph.Equal(graph.ArgMax(scores.value(), 1, Int64), classes))
			labeled = count(graph.NotEqual(classes, graph.BroadcastToDims(graph.Const(g, skip), size)))
		}
		score := graph.Stack([]*graph.Node{sum, total, right, labeled}, 0)
		return []*node{terms.With(sum), terms.With(total), terms.With(score)}
	}
}
