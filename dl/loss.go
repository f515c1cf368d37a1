package dl

import (
	"fmt"
	"reflect"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Loss says how wrong a model's output is. Its value for a batch is Σ terms /
// Σ weights over the examples that count, so that a batch that is filled up to
// its size has the loss of its own examples.
//
// A type of your own is a loss when it has this method. On tensors, use
// [Tensor.Loss].
type Loss interface {
	// Terms returns the parts of the loss, [N …] with the examples first, and
	// what each adds to the divisor, in the same shape. Nil weights make the
	// value the sum of the terms.
	Terms(output, target *Tensor) (terms, weights *Tensor)
}

// Reduction says what becomes of a loss's terms: "mean" (or nothing), "sum",
// or "none", which keeps them apart and cannot be trained on. The meaning is
// PyTorch's.
type Reduction string

// reduced is a loss with a Reduction.
type reduced interface{ reduction() Reduction }

// reductionOf returns how a loss is reduced, or an error for a word that is
// no reduction.
func reductionOf(loss Loss) (Reduction, error) {
	r, ok := loss.(reduced)
	if !ok {
		return "mean", nil
	}
	switch how := r.reduction(); how {
	case "", "mean":
		return "mean", nil
	case "batchmean":
		if _, ok := loss.(KLDivLoss); ok {
			return how, nil
		}
		return "", fmt.Errorf("dl: %s: Reduction is %q, want mean, sum or none", typeText(reflect.TypeOf(loss)), how)
	case "sum", "none":
		return how, nil
	default:
		return "", fmt.Errorf("dl: %s: Reduction is %q, want mean, sum or none", typeText(reflect.TypeOf(loss)), how)
	}
}

// weighed returns the weights for a reduction: nil for a sum.
func (r Reduction) weighed(weights *node) *node {
	if r == "sum" {
		return nil
	}
	return weights
}

// builtinLoss is a loss of this package.
type builtinLoss interface {
	terms(output, target *node) (terms, weights *node)
}

// lossTerms runs a loss of this package as one operation.
func lossTerms(l builtinLoss, output, target *Tensor) (terms, weights *Tensor) {
	l = settled(l)
	out := several("loss", settingsOf(l), func(in []*node) []*node {
		terms, weights := l.terms(in[0], in[1])
		if weights == nil {
			return []*node{terms}
		}
		return []*node{terms, weights}
	}, output, target)
	if len(out) == 1 {
		return out[0], nil
	}
	return out[0], out[1]
}

// CrossEntropyLoss is the mean over the batch of -log of the probability that
// softmax gives to the right class, as torch.nn.CrossEntropyLoss. It is the
// loss where none is named.
//
//	output  [N C …]  scores of C classes, not probabilities
//	target  [N …]    int64, 0 to C-1; or [N C …], probabilities
//
// With Weight, the mean is the weighted one. Other shapes are a
// [*ShapeError], and so are probabilities of a single class, whose loss is always 0.
type CrossEntropyLoss struct {
	LabelSmoothing float64   // share of the probability that is spread over all classes, in [0, 1]
	Weight         []float64 // of each class; nil means 1
	IgnoreIndex    *int      // the label that does not count, as new(0); nil means -100
	Reduction      Reduction // "mean" where it is empty
}

func (l CrossEntropyLoss) reduction() Reduction { return l.Reduction }

// ignorer is a loss with a label that does not count.
type ignorer interface{ ignored() int64 }

func (l CrossEntropyLoss) ignored() int64 { return ignored(l.IgnoreIndex) }

// Terms returns the loss of each example and its class's weight.
func (l CrossEntropyLoss) Terms(output, target *Tensor) (terms, weights *Tensor) {
	return lossTerms(l, output, target)
}

func (l CrossEntropyLoss) terms(output, target *node) (terms, weights *node) {
	c := classLoss{"CrossEntropyLoss", l.Weight, l.IgnoreIndex, l.LabelSmoothing}
	c.check(output)
	if l.LabelSmoothing < 0 || l.LabelSmoothing > 1 {
		panic(fmt.Errorf("dl: CrossEntropyLoss: LabelSmoothing is %v, want 0 to 1; try 0.1", l.LabelSmoothing))
	}
	if shape := output.Shape(); shape[1] == 1 && target.DType().IsFloat() {
		panic(&ShapeError{Op: c.kind, Got: shape, Want: "[N C …] of two classes or more: the loss of one is always 0", Fix: "for numbers use MSELoss, for yes or no BCEWithLogitsLoss; Evaluate takes the loss of the model's last training"})
	}
	logp := graph.LogSoftmax(output.to(Float32).value(), 1)
	if target.DType().IsFloat() {
		terms, weights = c.soft(output, logp, target)
	} else {
		terms, weights = c.hard(output, logp, target)
	}
	return terms, l.Reduction.weighed(weights)
}

// NLLLoss is the mean over the batch of minus the right class's output, which
// must be logarithms of probabilities, as torch.nn.NLLLoss: what
// [CrossEntropyLoss] does after [LogSoftmax].
//
//	output  [N C …]  logarithms of the probabilities of C classes
//	target  [N …]    int64, 0 to C-1
//
// Other shapes are a [*ShapeError].
type NLLLoss struct {
	Weight      []float64 // of each class; nil means 1
	IgnoreIndex *int      // the label that does not count, as new(0); nil means -100
	Reduction   Reduction // "mean" where it is empty
}

func (l NLLLoss) reduction() Reduction { return l.Reduction }

func (l NLLLoss) ignored() int64 { return ignored(l.IgnoreIndex) }

// Terms returns the loss of each example and its class's weight.
func (l NLLLoss) Terms(output, target *Tensor) (terms, weights *Tensor) {
	return lossTerms(l, output, target)
}

func (l NLLLoss) terms(output, target *node) (terms, weights *node) {
	c := classLoss{"NLLLoss", l.Weight, l.IgnoreIndex, 0}
	c.check(output)
	terms, weights = c.hard(output, output.to(Float32).value(), target)
	return terms, l.Reduction.weighed(weights)
}

// ignored is PyTorch's ignore_index.
func ignored(index *int) int64 {
	if index == nil {
		return -100
	}
	return int64(*index)
}

// classLoss is what the losses over classes have in common.
type classLoss struct {
	kind      string
	weight    []float64
	ignore    *int
	smoothing float64
}

func (c classLoss) check(output *node) {
	shape := output.Shape()
	if len(shape) < 2 {
		panic(&ShapeError{Op: c.kind, Got: shape, Want: "[N classes]", Fix: "give one row of scores for each example"})
	}
	if c.weight != nil && len(c.weight) != shape[1] {
		panic(&ShapeError{Op: c.kind, Got: shape, Want: fmt.Sprintf("[N %d], for as many weights", len(c.weight)), Fix: "give Weight one number for each class"})
	}
}

// classWeights spreads the weights of the classes over logp [N C …].
func (c classLoss) classWeights(logp *graph.Node) *graph.Node {
	if c.weight == nil {
		return graph.OnesLike(logp)
	}
	w := make([]float32, len(c.weight))
	for i, v := range c.weight {
		w[i] = float32(v)
	}
	dims := make([]int, logp.Rank())
	for i := range dims {
		dims[i] = 1
	}
	dims[1] = len(w)
	return graph.BroadcastToDims(graph.Reshape(graph.Const(logp.Graph(), w), dims...), logp.Shape().Dimensions...)
}

// hard compares logp [N C …] with class numbers [N …].
func (c classLoss) hard(output *node, logp *graph.Node, target *node) (terms, weights *node) {
	shape := output.Shape()
	want := append(Shape{shape[0]}, shape[2:]...)
	if got := target.Shape(); !got.Equal(want) || !target.DType().IsInt() {
		if len(shape) == 4 && len(got) == 1 {
			panic(&ShapeError{Op: c.kind, Got: shape, Want: "[N classes]", Fix: "end the model with Flatten{} and Linear{Out: classes}"})
		}
		panic(fmt.Errorf("dl: %s: labels are %v, want %v int64; give the number of the class, not a row of ones and zeros", c.kind, target, want))
	}
	labels := graph.ConvertDType(target.value(), Int64)
	hit := graph.Equal(graph.BroadcastToDims(graph.InsertAxes(labels, 1), shape...), graph.Iota(logp.Graph(), shapes.Make(Int64, shape...), 1))
	w, zero := c.classWeights(logp), graph.ZerosLike(logp)
	pick := func(v *graph.Node) *graph.Node { return graph.ReduceSum(graph.Where(hit, v, zero), 1) }
	weighed := graph.Mul(w, logp)
	loss, weight := graph.Neg(pick(weighed)), pick(w)
	if c.smoothing > 0 {
		all := graph.Neg(graph.ReduceSum(weighed, 1))
		loss = graph.Add(graph.MulScalar(loss, 1-c.smoothing), graph.MulScalar(all, c.smoothing/float64(shape[1])))
	}
	counts := graph.NotEqual(labels, graph.BroadcastToDims(graph.Const(logp.Graph(), ignored(c.ignore)), want...))
	keep := func(v *graph.Node) *node { return output.With(graph.Where(counts, v, graph.ZerosLike(v))) }
	return keep(loss), keep(weight)
}

// soft compares logp [N C …] with probabilities in the same shape.
func (c classLoss) soft(output *node, logp *graph.Node, target *node) (terms, weights *node) {
	shape := output.Shape()
	if got := target.Shape(); !got.Equal(shape) {
		panic(&ShapeError{Op: c.kind + ": target", Got: got, Want: fmt.Sprintf("%v probabilities, or class numbers as int64", shape)})
	}
	p := target.to(Float32).value()
	if c.smoothing > 0 {
		p = graph.AddScalar(graph.MulScalar(p, 1-c.smoothing), c.smoothing/float64(shape[1]))
	}
	loss := graph.Neg(graph.ReduceSum(graph.Mul(graph.Mul(c.classWeights(logp), logp), p), 1))
	return output.With(loss), output.With(graph.OnesLike(loss)) // PyTorch divides by N here, whatever the weights
}
