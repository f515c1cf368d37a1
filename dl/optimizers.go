package dl

import (
	"fmt"
	"math"

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

// Adam is Adam as torch.optim.Adam, with PyTorch's defaults. With g the
// gradient plus WeightDecay·w, at step n,
//
//	m ← β1·m + (1-β1)·g
//	v ← β2·v + (1-β2)·g²
//	w ← w - LR/(1-β1ⁿ) · m / (√v/√(1-β2ⁿ) + ε)
//
// Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015. With
// AMSGrad, the last line has the largest v so far: Reddi et al., "On the
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
	WeightDecay float64 // 0 means 0.01; for none write dl.Zero
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
