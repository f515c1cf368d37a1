package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// AdamW is [Adam] whose weight decay does not go through the averages, as
// torch.optim.AdamW, with PyTorch's defaults: w ← w - LR·WeightDecay·w, then
// Adam's step.
//
// Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
type AdamW struct {
	LR          float64 // learning rate; 0 means 0.001
	Beta1       float64 // 0 means 0.9
	Beta2       float64 // 0 means 0.999
	Epsilon     float64 // 0 means 1e-8
	WeightDecay float64 // 0 means 0.01; for none use Adam
	AMSGrad     bool    // as in Adam
}

// adam is the same without the decay.
func (a AdamW) adam() Adam {
	return Adam{LR: a.LR, Beta1: a.Beta1, Beta2: a.Beta2, Epsilon: a.Epsilon, AMSGrad: a.AMSGrad}
}

func (a AdamW) decay() float64 {
	fallback(&a.WeightDecay, 0.01)
	return a.WeightDecay
}

func (a AdamW) check() error {
	b := a.adam()
	b.WeightDecay = a.decay()
	return b.checkAs("AdamW")
}

func (a AdamW) rate() float64 { return a.adam().rate() }

func (a AdamW) slots() []slot { return a.adam().slots() }

func (a AdamW) scalars(n int, rate, beta1 float64) []float64 {
	return append(a.adam().scalars(n, rate, beta1), 1-rate*a.decay())
}

func (a AdamW) settings() string { return fmt.Sprintf("W %v %s", a.decay(), a.adam().settings()) }

func (a AdamW) update(w, g *graph.Node, slots, scalars []*graph.Node) (*graph.Node, []*graph.Node) {
	return a.adam().update(graph.Mul(w, scalars[4]), g, slots, scalars)
}
