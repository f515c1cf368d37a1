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
// Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.
type Adam struct {
	LR          float64 // learning rate; 0 means 0.001
	Beta1       float64 // 0 means 0.9
	Beta2       float64 // 0 means 0.999
	Epsilon     float64 // 0 means 1e-8
	WeightDecay float64 // added to the gradient, as PyTorch's Adam does
}

func (a Adam) defaults() Adam {
	set := func(v *float64, to float64) {
		if *v == 0 {
			*v = to
		}
	}
	set(&a.LR, 1e-3)
	set(&a.Beta1, 0.9)
	set(&a.Beta2, 0.999)
	set(&a.Epsilon, 1e-8)
	return a
}

func (a Adam) check() error {
	a = a.defaults()
	if a.LR < 0 || a.Epsilon < 0 || a.WeightDecay < 0 || a.Beta1 < 0 || a.Beta1 >= 1 || a.Beta2 < 0 || a.Beta2 >= 1 {
		return fmt.Errorf("dl: Adam: settings are %+v, want betas in [0, 1) and nothing negative; try Adam{LR: 1e-3}", a)
	}
	return nil
}

func (a Adam) rate() float64 { return a.defaults().LR }

func (a Adam) slots() int { return 2 }

func (a Adam) scalars(n int, rate float64) []float64 {
	a = a.defaults()
	return []float64{rate / (1 - math.Pow(a.Beta1, float64(n))), math.Sqrt(1 - math.Pow(a.Beta2, float64(n)))}
}

func (a Adam) settings() string { a = a.defaults(); a.LR = 0; return fmt.Sprintf("%#v", a) }

func (a Adam) update(w, g *graph.Node, slots, scalars []*graph.Node) (*graph.Node, []*graph.Node) {
	a = a.defaults()
	if a.WeightDecay > 0 {
		g = graph.Add(g, graph.MulScalar(w, a.WeightDecay))
	}
	m := graph.Add(graph.MulScalar(slots[0], a.Beta1), graph.MulScalar(g, 1-a.Beta1))
	v := graph.Add(graph.MulScalar(slots[1], a.Beta2), graph.MulScalar(graph.Square(g), 1-a.Beta2))
	below := graph.AddScalar(graph.Div(graph.Sqrt(v), scalars[1]), a.Epsilon)
	return graph.Sub(w, graph.Mul(scalars[0], graph.Div(m, below))), []*graph.Node{m, v}
}
