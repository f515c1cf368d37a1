package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// Adadelta divides each gradient by its own running size and multiplies it by
// that of the steps so far, as torch.optim.Adadelta, with PyTorch's defaults.
// With g the gradient plus WeightDecay·w,
//
//	s ← Rho·s + (1-Rho)·g²
//	d = √(a + ε)/√(s + ε) · g
//	a ← Rho·a + (1-Rho)·d²
//	w ← w - LR·d
//
// Zeiler, "ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701.
type Adadelta struct {
	LR          float64 // learning rate; 0 means 1
	Rho         float64 // how much of the running sizes stays at each step; 0 means 0.9
	Epsilon     float64 // 0 means 1e-6
	WeightDecay float64 // pulls the weights towards 0
}

// For returns the optimizer for some parameters, as [SGD.For].
func (a Adadelta) For(of ...any) *Optim { return newOptim("Adadelta", a, of) }

func (a Adadelta) defaults() Adadelta {
	fallback(&a.LR, 1)
	fallback(&a.Rho, 0.9)
	fallback(&a.Epsilon, 1e-6)
	return a
}

func (a Adadelta) check() error {
	a = a.defaults()
	return checkRanges("Adadelta", "Adadelta{LR: 1}", a, a.LR, []float64{a.Epsilon, a.WeightDecay}, []float64{a.Rho})
}

func (a Adadelta) rate() float64 { return a.defaults().LR }

func (a Adadelta) momentum() float64 { return 0 }

func (a Adadelta) slots() []slot { return []slot{{"square_avg", 0}, {"acc_delta", 0}} }

func (a Adadelta) scalars(_ int, rate, _ float64) []float64 { return []float64{rate} }

func (a Adadelta) settings() string { a = a.defaults(); a.LR = 0; return fmt.Sprintf("%#v", a) }

func (a Adadelta) update(w, g *graph.Node, slots, scalars []*graph.Node) (*graph.Node, []*graph.Node) {
	a = a.defaults()
	g = decayed(g, w, a.WeightDecay)
	square := follow(slots[0], graph.Square(g), a.Rho)
	root := func(x *graph.Node) *graph.Node { return graph.Sqrt(graph.AddScalar(x, a.Epsilon)) }
	by := graph.Mul(graph.Div(root(slots[1]), root(square)), g)
	return graph.Sub(w, graph.Mul(by, scalars[0])), []*graph.Node{square, follow(slots[1], graph.Square(by), a.Rho)}
}
