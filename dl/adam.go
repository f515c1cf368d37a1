package dl

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// Adam is Adam as torch.optim.Adam, with PyTorch's defaults. With g the
// gradient plus WeightDecay·w, at step n,
//
//	m ← β1·m + (1-β1)·g
//	v ← β2·v + (1-β2)·g²
//	w ← w - LR/(1-β1ⁿ) · m / (√v/√(1-β2ⁿ) + ε)
//
// Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015. With
// AMSGrad, the largest v so far stands in the last line: Reddi et al., "On the
// Convergence of Adam and Beyond", ICLR 2018.
type Adam struct {
	LR          float64 // learning rate; 0 means 0.001
	Beta1       float64 // 0 means 0.9
	Beta2       float64 // 0 means 0.999
	Epsilon     float64 // 0 means 1e-8
	WeightDecay float64 // added to the gradient, as PyTorch's Adam does; see AdamW
	AMSGrad     bool    // never divides by less than before
}

func (a Adam) defaults() Adam {
	fallback(&a.LR, 1e-3)
	fallback(&a.Beta1, 0.9)
	fallback(&a.Beta2, 0.999)
	fallback(&a.Epsilon, 1e-8)
	return a
}

func (a Adam) check() error { return a.checkAs("Adam") }

func (a Adam) checkAs(name string) error {
	a = a.defaults()
	return checkRanges(name, name+"{LR: 1e-3}", a, a.LR, []float64{a.Epsilon, a.WeightDecay}, []float64{a.Beta1, a.Beta2})
}

func (a Adam) rate() float64 { return a.defaults().LR }

func (a Adam) slots() []slot {
	s := []slot{{"exp_avg", 0}, {"exp_avg_sq", 0}}
	if a.AMSGrad {
		s = append(s, slot{"max_exp_avg_sq", 0})
	}
	return s
}

func (a Adam) scalars(n int, rate, beta1 float64) []float64 {
	a = a.defaults()
	return []float64{rate / (1 - math.Pow(beta1, float64(n))), math.Sqrt(1 - math.Pow(a.Beta2, float64(n))), beta1, 1 - beta1}
}

func (a Adam) settings() string { a = a.defaults(); a.LR = 0; return fmt.Sprintf("%#v", a) }

func (a Adam) update(w, g *graph.Node, slots, scalars []*graph.Node) (*graph.Node, []*graph.Node) {
	a = a.defaults()
	g = decayed(g, w, a.WeightDecay)
	m := graph.Add(graph.Mul(slots[0], scalars[2]), graph.Mul(g, scalars[3]))
	v := follow(slots[1], graph.Square(g), a.Beta2)
	kept, below := []*graph.Node{m, v}, v
	if a.AMSGrad {
		below = graph.Max(slots[2], v)
		kept = append(kept, below)
	}
	below = graph.AddScalar(graph.Div(graph.Sqrt(below), scalars[1]), a.Epsilon)
	return graph.Sub(w, graph.Mul(scalars[0], graph.Div(m, below))), kept
}
