package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// SGD is stochastic gradient descent as torch.optim.SGD: the learning rate
// stays as it is. With g the gradient plus WeightDecay·w,
//
//	v ← Momentum·v + (1-Dampening)·g   (v ← g at the first step)
//	w ← w - LR·v                       (or w - LR·(g + Momentum·v) with Nesterov)
//
// Sutskever et al., "On the importance of initialization and momentum in deep
// learning", ICML 2013.
type SGD struct {
	LR          float64 // learning rate; required
	Momentum    float64 // share of the last step that is kept, in [0, 1)
	Dampening   float64 // takes this share from the gradient's part of v, in [0, 1)
	WeightDecay float64 // pulls the weights towards 0
	Nesterov    bool    // looks ahead; needs Momentum, and no Dampening
}

func (s SGD) check() error {
	if !(s.LR > 0) || s.Momentum < 0 || s.Momentum >= 1 || s.WeightDecay < 0 {
		return fmt.Errorf("dl: SGD: LR is %v, Momentum %v and WeightDecay %v, want LR above 0, Momentum in [0, 1) and no negative decay; try SGD{LR: 0.01, Momentum: 0.9}",
			s.LR, s.Momentum, s.WeightDecay)
	}
	if s.Dampening < 0 || s.Dampening >= 1 {
		return fmt.Errorf("dl: SGD: Dampening is %v, want it in [0, 1); leave it out", s.Dampening)
	}
	if s.Nesterov && (s.Momentum == 0 || s.Dampening != 0) {
		return fmt.Errorf("dl: SGD: Nesterov is set, Momentum is %v and Dampening %v, want a Momentum and no Dampening; try Momentum: 0.9", s.Momentum, s.Dampening)
	}
	return nil
}

func (s SGD) rate() float64 { return s.LR }

func (s SGD) slots() []slot {
	if s.Momentum == 0 {
		return nil
	}
	return []slot{{"momentum_buffer", 0}}
}

func (s SGD) scalars(n int, rate, momentum float64) []float64 {
	if n == 1 {
		s.Dampening = 0
	}
	return []float64{rate, momentum, 1 - s.Dampening}
}

func (s SGD) settings() string { s.LR = 0; return fmt.Sprintf("%#v", s) }

func (s SGD) update(w, g *graph.Node, slots, scalars []*graph.Node) (*graph.Node, []*graph.Node) {
	g = decayed(g, w, s.WeightDecay)
	if s.Momentum > 0 {
		in := g
		if s.Dampening > 0 {
			in = graph.Mul(g, scalars[2])
		}
		v := graph.Add(graph.Mul(slots[0], scalars[1]), in) // 0 at first, so v = g
		slots = []*graph.Node{v}
		if s.Nesterov {
			g = graph.Add(g, graph.Mul(v, scalars[1]))
		} else {
			g = v
		}
	}
	return graph.Sub(w, graph.Mul(g, scalars[0])), slots
}
