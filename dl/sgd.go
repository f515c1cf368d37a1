package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// SGD is stochastic gradient descent as torch.optim.SGD: the learning rate
// stays as it is. With g the gradient plus WeightDecay·w,
//
//	v ← Momentum·v + g            (v ← g at the first step)
//	w ← w - LR·v                  (or w - LR·(g + Momentum·v) with Nesterov)
//
// Sutskever et al., "On the importance of initialization and momentum in deep
// learning", ICML 2013.
type SGD struct {
	LR          float64 // learning rate; required
	Momentum    float64 // share of the last step that is kept, in [0, 1)
	WeightDecay float64 // pulls the weights towards 0
	Nesterov    bool    // looks ahead; needs Momentum
}

func (s SGD) check() error {
	if s.LR <= 0 || s.Momentum < 0 || s.Momentum >= 1 || s.WeightDecay < 0 {
		return fmt.Errorf("dl: SGD: LR is %v, Momentum %v and WeightDecay %v, want LR above 0, Momentum in [0, 1) and no negative decay; try SGD{LR: 0.01, Momentum: 0.9}",
			s.LR, s.Momentum, s.WeightDecay)
	}
	if s.Nesterov && s.Momentum == 0 {
		return fmt.Errorf("dl: SGD: Nesterov is set and Momentum is 0, want a Momentum; try 0.9")
	}
	return nil
}

func (s SGD) rate() float64 { return s.LR }

func (s SGD) slots() int {
	if s.Momentum == 0 {
		return 0
	}
	return 1
}

func (s SGD) scalars(_ int, rate float64) []float64 { return []float64{rate} }

func (s SGD) settings() string { s.LR = 0; return fmt.Sprintf("%#v", s) }

func (s SGD) update(w, g *graph.Node, slots, scalars []*graph.Node) (*graph.Node, []*graph.Node) {
	if s.WeightDecay > 0 {
		g = graph.Add(g, graph.MulScalar(w, s.WeightDecay))
	}
	if s.Momentum > 0 {
		v := graph.Add(graph.MulScalar(slots[0], s.Momentum), g) // 0 at first, so v = g
		slots = []*graph.Node{v}
		if s.Nesterov {
			g = graph.Add(g, graph.MulScalar(v, s.Momentum))
		} else {
			g = v
		}
	}
	return graph.Sub(w, graph.Mul(g, scalars[0])), slots
}
