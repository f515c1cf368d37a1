package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/lower"
)

// The losses of this file compare an output with a target of the same shape,
// value by value. Integer targets are converted. Other shapes are a
// [*ShapeError].

// MSELoss is the mean of the squared differences, as torch.nn.MSELoss.
//
//	output, target  the same shape, [N …]
type MSELoss struct {
	Reduction Reduction // "mean" where it is empty
}

func (l MSELoss) reduction() Reduction { return l.Reduction }

// Terms returns the squared differences.
func (l MSELoss) Terms(output, target *Tensor) (terms, weights *Tensor) {
	return lossTerms(l, output, target)
}

func (l MSELoss) terms(output, target *node) (terms, weights *node) {
	d := difference("MSELoss", output, target)
	return valueTerms(output, graph.Square(d), l.Reduction)
}

// L1Loss is the mean of the absolute differences, as torch.nn.L1Loss. Its
// gradient where the two are equal is 0.
//
//	output, target  the same shape, [N …]
type L1Loss struct {
	Reduction Reduction // "mean" where it is empty
}

func (l L1Loss) reduction() Reduction { return l.Reduction }

// Terms returns the absolute differences.
func (l L1Loss) Terms(output, target *Tensor) (terms, weights *Tensor) {
	return lossTerms(l, output, target)
}

func (l L1Loss) terms(output, target *node) (terms, weights *node) {
	return valueTerms(output, absolute(difference("L1Loss", output, target)), l.Reduction)
}

// SmoothL1Loss is half the squared difference divided by Beta where that is
// below Beta, else the absolute difference minus Beta/2, as
// torch.nn.SmoothL1Loss. Girshick, "Fast R-CNN", ICCV 2015.
//
//	output, target  the same shape, [N …]
type SmoothL1Loss struct {
	Beta      float64   // where the square ends; 0 means 1
	Reduction Reduction // "mean" where it is empty
}

func (l SmoothL1Loss) reduction() Reduction { return l.Reduction }

// Terms returns the loss of each value.
func (l SmoothL1Loss) Terms(output, target *Tensor) (terms, weights *Tensor) {
	return lossTerms(l, output, target)
}

func (l SmoothL1Loss) terms(output, target *node) (terms, weights *node) {
	fallback(&l.Beta, 1)
	if l.Beta < 0 {
		panic(fmt.Errorf("dl: SmoothL1Loss: Beta is %v, want 0 or above; try 1", l.Beta))
	}
	d := difference("SmoothL1Loss", output, target)
	far := absolute(d)
	if l.Beta == 0 { // the square is nowhere
		return valueTerms(output, far, l.Reduction)
	}
	near := graph.MulScalar(graph.Square(d), 0.5/l.Beta)
	close := graph.LessThan(far, graph.MulScalar(graph.OnesLike(far), l.Beta))
	return valueTerms(output, graph.Where(close, near, graph.AddScalar(far, -l.Beta/2)), l.Reduction)
}

// HuberLoss is half the squared difference where that is below Delta, else Delta times
// the absolute difference minus Delta/2, as torch.nn.HuberLoss. Huber, "Robust
// Estimation of a Location Parameter", 1964.
//
//	output, target  the same shape, [N …]
type HuberLoss struct {
	Delta     float64   // where the square ends; 0 means 1
	Reduction Reduction // "mean" where it is empty
}

func (l HuberLoss) reduction() Reduction { return l.Reduction }

// Terms returns the loss of each value.
func (l HuberLoss) Terms(output, target *Tensor) (terms, weights *Tensor) {
	return lossTerms(l, output, target)
}

func (l HuberLoss) terms(output, target *node) (terms, weights *node) {
	fallback(&l.Delta, 1)
	if l.Delta <= 0 {
		panic(fmt.Errorf("dl: HuberLoss: Delta is %v, want above 0; try 1", l.Delta))
	}
	d := difference("HuberLoss", output, target)
	far := absolute(d)
	near := graph.MulScalar(graph.Square(d), 0.5)
	close := graph.LessThan(far, graph.MulScalar(graph.OnesLike(far), l.Delta))
	return valueTerms(output, graph.Where(close, near, graph.MulScalar(graph.AddScalar(far, -l.Delta/2), l.Delta)), l.Reduction)
}

// BCEWithLogitsLoss is the cross entropy of a sigmoid, for classes that do not
// exclude one another, as torch.nn.BCEWithLogitsLoss.
//
//	output  [N …]          scores, not probabilities
//	target  as the output  0, 1, or probabilities
type BCEWithLogitsLoss struct {
	PosWeight []float64 // what a target of 1 counts, for each place of the last axis, or one for all; nil means 1
	Weight    []float64 // of the terms, along the last axis or one for all; nil means 1
	Reduction Reduction // "mean" where it is empty
}

func (l BCEWithLogitsLoss) reduction() Reduction { return l.Reduction }

// Terms returns the loss of each value.
func (l BCEWithLogitsLoss) Terms(output, target *Tensor) (terms, weights *Tensor) {
	return lossTerms(l, output, target)
}

func (l BCEWithLogitsLoss) terms(output, target *node) (terms, weights *node) {
	const kind = "BCEWithLogitsLoss"
	sameShape(kind, output, target)
	x, y := output.to(Float32).value(), target.to(Float32).value()
	// log(1+e⁻ˣ), without e to a large power.
	soft := graph.Add(graph.Max(graph.ZerosLike(x), graph.Neg(x)), graph.Log1p(graph.Exp(graph.Neg(graph.Abs(x)))))
	if l.PosWeight != nil {
		w := lastAxis(kind, "PosWeight", x, l.PosWeight)
		soft = graph.Mul(soft, graph.OnePlus(graph.Mul(graph.AddScalar(w, -1), y)))
	}
	all := graph.Add(graph.Mul(graph.OneMinus(y), x), soft)
	if l.Weight != nil {
		all = graph.Mul(all, lastAxis(kind, "Weight", x, l.Weight))
	}
	return valueTerms(output, all, l.Reduction)
}

// BCELoss is the cross entropy of probabilities, for classes that do not exclude
// one another, as torch.nn.BCELoss. [BCEWithLogitsLoss], on scores, is more exact.
//
//	output  [N …]          probabilities, such as those of [Sigmoid]
//	target  as the output  0, 1, or probabilities
//
// A logarithm is at least -100, as in PyTorch, so that 0 and 1 have a loss. Outputs
// outside of [0, 1] are no probabilities, and their loss is not a number.
type BCELoss struct {
	Weight    []float64 // of the terms, along the last axis or one for all; nil means 1
	Reduction Reduction // "mean" where it is empty
}

func (l BCELoss) reduction() Reduction { return l.Reduction }

// Terms returns the loss of each value.
func (l BCELoss) Terms(output, target *Tensor) (terms, weights *Tensor) {
	return lossTerms(l, output, target)
}

func (l BCELoss) terms(output, target *node) (terms, weights *node) {
	const kind = "BCELoss"
	sameShape(kind, output, target)
	p, y := output.to(Float32).value(), target.to(Float32).value()
	all := lower.CustomGradient(p, func(p *graph.Node) *graph.Node {
		log := func(p *graph.Node) *graph.Node {
			v := graph.Log(p)
			least := graph.AddScalar(graph.ZerosLike(v), -100)
			return graph.Where(graph.LessThan(v, least), least, v) // Max would hide what is not a number
		}
		return graph.Neg(graph.Add(graph.Mul(y, log(p)), graph.Mul(graph.OneMinus(y), log(graph.OneMinus(p)))))
	}, func(v *graph.Node) *graph.Node {
		// PyTorch's, whose divisor is at least 1e-12.
		below := graph.Max(graph.Mul(p, graph.OneMinus(p)), graph.AddScalar(graph.ZerosLike(p), 1e-12))
		return graph.Mul(v, graph.Div(graph.Sub(p, y), below))
	})
	if l.Weight != nil {
		all = graph.Mul(all, lastAxis(kind, "Weight", p, l.Weight))
	}
	return valueTerms(output, all, l.Reduction)
}

// KLDivLoss is the Kullback-Leibler divergence of target from output,
// target·(log target - output), as torch.nn.KLDivLoss.
//
//	output  [N …]          logarithms of probabilities
//	target  as the output  probabilities, or their logarithms with LogTarget
//
// As in PyTorch the mean is over all values; Reduction "batchmean" divides by
// N instead, which is the divergence.
type KLDivLoss struct {
	LogTarget bool
	Reduction Reduction // "mean" where it is empty; also "batchmean"
}

func (l KLDivLoss) reduction() Reduction { return l.Reduction }

// Terms returns the loss of each value, or of each example with "batchmean".
func (l KLDivLoss) Terms(output, target *Tensor) (terms, weights *Tensor) {
	return lossTerms(l, output, target)
}

func (l KLDivLoss) terms(output, target *node) (terms, weights *node) {
	sameShape("KLDivLoss", output, target)
	x, y := output.to(Float32).value(), target.to(Float32).value()
	var all *graph.Node
	if l.LogTarget {
		all = graph.Mul(graph.Exp(y), graph.Sub(y, x))
	} else {
		// 0·log 0 is 0, and its gradient must not be NaN.
		some := graph.GreaterThan(y, graph.ZerosLike(y))
		log := graph.Log(graph.Where(some, y, graph.OnesLike(y)))
		all = graph.Sub(graph.Mul(y, log), graph.Mul(y, x))
	}
	if l.Reduction == "batchmean" {
		for all.Rank() > 1 {
			all = graph.ReduceSum(all, all.Rank()-1)
		}
	}
	return valueTerms(output, all, l.Reduction)
}

// valueTerms gives all terms the weight 1.
func valueTerms(x *node, terms *graph.Node, how Reduction) (*node, *node) {
	return x.With(terms), how.weighed(x.With(graph.OnesLike(terms)))
}

// difference is output - target in float32.
func difference(kind string, output, target *node) *graph.Node {
	sameShape(kind, output, target)
	return graph.Sub(output.to(Float32).value(), target.to(Float32).value())
}

func sameShape(kind string, output, target *node) {
	x, y := output.Shape(), target.Shape()
	if x.Equal(y) && len(x) > 0 {
		return
	}
	fix := "make the last layer's Out the number of values of a target"
	if len(x) == 2 && x[1] == 1 && len(y) == 1 && x[0] == y[0] {
		fix = "end the model with a Func that reshapes to [N]: x.Reshape(-1)"
	}
	panic(&ShapeError{Op: kind, Got: x, Want: fmt.Sprintf("%v, as the target", y), Fix: fix})
}

// lastAxis spreads numbers for the last axis over x.
func lastAxis(kind, field string, x *graph.Node, values []float64) *graph.Node {
	d := x.Shape().Dimensions
	if n := d[len(d)-1]; len(values) != 1 && len(values) != n {
		panic(&ShapeError{Op: kind, Got: d, Want: fmt.Sprintf("[… %d], for as many numbers of %s", len(values), field)})
	}
	w := make([]float32, len(values))
	for i, v := range values {
		w[i] = float32(v)
	}
	return graph.BroadcastToDims(graph.ExpandLeftToRank(graph.Const(x.Graph(), w), len(d)), d...)
}

// absolute is |x| with the gradient 0 at 0, as PyTorch has it. GoMLX v0.28.5
// gives 1 there (core/graph/rev_autodiff.go: absVJP).
func absolute(x *graph.Node) *graph.Node {
	return graph.Mul(x, graph.StopGradient(graph.Sign(x)))
}
