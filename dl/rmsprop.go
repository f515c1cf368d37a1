package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// RMSprop divides each gradient by its own running size, as
// torch.optim.RMSprop, with PyTorch's defaults. With g the gradient plus
// WeightDecay·w,
//
//	s ← Alpha·s + (1-Alpha)·g²
//	d = √s + ε                     (with Centered √(s - a²) + ε, a the running mean of g)
//	w ← w - LR·g/d                 (with Momentum b ← Momentum·b + g/d, w ← w - LR·b)
//
// Tieleman and Hinton, "Lecture 6.5: RMSProp", 2012; the centered form is of
// Graves, "Generating Sequences With Recurrent Neural Networks",
// arXiv:1308.0850.
type RMSprop struct {
	LR          float64 // learning rate; 0 means 0.01
	Alpha       float64 // 0 means 0.99
	Epsilon     float64 // 0 means 1e-8
	WeightDecay float64 // pulls the weights towards 0
	Momentum    float64 // in [0, 1)
	Centered    bool    // divides by the deviation, not the size
}

func (r RMSprop) defaults() RMSprop {
	fallback(&r.LR, 0.01)
	fallback(&r.Alpha, 0.99)
	fallback(&r.Epsilon, 1e-8)
	return r
}

func (r RMSprop) check() error {
	r = r.defaults()
	return checkRanges("RMSprop", "RMSprop{LR: 0.01}", r, r.LR, []float64{r.Epsilon, r.WeightDecay}, []float64{r.Alpha, r.Momentum})
}

func (r RMSprop) rate() float64 { return r.defaults().LR }

func (r RMSprop) slots() []slot {
	s := []slot{{"square_avg", 0}}
	if r.Centered {
		s = append(s, slot{"grad_avg", 0})
	}
	if r.Momentum > 0 {
		s = append(s, slot{"momentum_buffer", 0})
	}
	return s
}

func (r RMSprop) scalars(_ int, rate, momentum float64) []float64 { return []float64{rate, momentum} }

func (r RMSprop) settings() string { r = r.defaults(); r.LR = 0; return fmt.Sprintf("%#v", r) }

func (r RMSprop) update(w, g *graph.Node, slots, scalars []*graph.Node) (*graph.Node, []*graph.Node) {
	r = r.defaults()
	g = decayed(g, w, r.WeightDecay)
	square := follow(slots[0], graph.Square(g), r.Alpha)
	kept, below := []*graph.Node{square}, square
	if r.Centered {
		mean := follow(slots[1], g, r.Alpha)
		kept, below = append(kept, mean), graph.Sub(square, graph.Square(mean))
	}
	by := graph.Div(g, graph.AddScalar(graph.Sqrt(below), r.Epsilon))
	if r.Momentum > 0 {
		by = graph.Add(graph.Mul(slots[len(slots)-1], scalars[1]), by)
		kept = append(kept, by)
	}
	return graph.Sub(w, graph.Mul(by, scalars[0])), kept
}
