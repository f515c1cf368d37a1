package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// Adagrad divides each gradient by the size of all gradients so far, as
// torch.optim.Adagrad, with PyTorch's defaults. With g the gradient plus
// WeightDecay·w, at step n,
//
//	s ← s + g²                     (s is InitialAccumulator at first)
//	w ← w - LR/(1 + (n-1)·LRDecay) · g/(√s + ε)
//
// Duchi, Hazan and Singer, "Adaptive Subgradient Methods for Online Learning
// and Stochastic Optimization", JMLR 12, 2011.
type Adagrad struct {
	LR                 float64 // learning rate; 0 means 0.01
	LRDecay            float64 // makes the rate smaller step by step
	WeightDecay        float64 // pulls the weights towards 0
	InitialAccumulator float64 // what s begins with
	Epsilon            float64 // 0 means 1e-10
}

func (a Adagrad) defaults() Adagrad {
	fallback(&a.LR, 0.01)
	fallback(&a.Epsilon, 1e-10)
	return a
}

func (a Adagrad) check() error {
	a = a.defaults()
	return checkRanges("Adagrad", "Adagrad{LR: 0.01}", a, a.LR, []float64{a.LRDecay, a.WeightDecay, a.InitialAccumulator, a.Epsilon}, nil)
}

func (a Adagrad) rate() float64 { return a.defaults().LR }

func (a Adagrad) slots() []slot { return []slot{{"sum", a.InitialAccumulator}} }

func (a Adagrad) scalars(n int, rate, _ float64) []float64 {
	return []float64{rate / (1 + float64(n-1)*a.LRDecay)}
}

func (a Adagrad) settings() string { a = a.defaults(); a.LR = 0; return fmt.Sprintf("%#v", a) }

func (a Adagrad) update(w, g *graph.Node, slots, scalars []*graph.Node) (*graph.Node, []*graph.Node) {
	a = a.defaults()
	g = decayed(g, w, a.WeightDecay)
	sum := graph.Add(slots[0], graph.Square(g))
	by := graph.Div(g, graph.AddScalar(graph.Sqrt(sum), a.Epsilon))
	return graph.Sub(w, graph.Mul(by, scalars[0])), []*graph.Node{sum}
}
