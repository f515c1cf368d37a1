package dl

import (
	"fmt"
	"math"
)

// Multinomial draws n different numbers of classes from probabilities [C], or from
// each row of [N C], as torch.multinomial does without replacement, and returns them
// as int64, [n] or [N n], in the order drawn. The probabilities need not sum to 1.
// They follow from [Seed] and are others at each call, as those of [Rand].
//
//	next := logits.Softmax(-1).Multinomial(1)
//
// At once, rows that are no probabilities are an error; inside of a program their
// values cannot be looked at. Draws have no gradient.
//
// Kool et al., "Stochastic Beams and Where to Find Them", ICML 2019, draws so.
func (t *Tensor) Multinomial(n int) *Tensor {
	if t.Rank() < 1 || t.Rank() > 2 || !t.dtype.IsFloat() {
		panic(&ShapeError{Op: "Multinomial", Got: t.shape, Want: "floating-point probabilities, [C] or [N C]", Fix: "make them of scores with Softmax(-1)"})
	}
	if n < 1 || n > t.Dim(-1) {
		panic(fmt.Errorf("dl: Multinomial: n is %d, want 1 to %d, the number of classes", n, t.Dim(-1)))
	}
	if recordingOf([]*Tensor{t}) == nil {
		checkProbabilities(t, n)
	}
	// A class is the first where log p plus Gumbel noise is largest with probability p.
	uniform := Rand(t.shape...).Clamp(1.0/(1<<25), 1)
	gumbel := uniform.Log().Neg().Log().Neg()
	_, index := t.Detach().as(Float32).Log().Add(gumbel).TopK(n, -1)
	return index
}

// checkProbabilities panics where a row is none of n classes.
func checkProbabilities(t *Tensor, n int) {
	values, classes := t.Float64s(), t.Dim(-1)
	for at := 0; at < len(values); at += classes {
		some := 0
		for i, p := range values[at : at+classes] {
			if p < 0 || math.IsNaN(p) || math.IsInf(p, 0) {
				panic(fmt.Errorf("dl: Multinomial: the probability of class %d in row %d is %v, want finite numbers of at least 0; make them of scores with Softmax(-1)", i, at/classes, p))
			}
			if p > 0 {
				some++
			}
		}
		if some < n {
			panic(fmt.Errorf("dl: Multinomial: row %d has %d classes with a probability above 0, want at least n, which is %d", at/classes, some, n))
		}
	}
}
