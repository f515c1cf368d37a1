package lower

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// The recurrences of RNN, GRU and LSTM are loops whose gradients are written by
// hand: they keep what the activations gave, so that nothing is calculated twice,
// and multiply the gradients of the hidden state's matrix out of the loop, for
// all steps at once.

// Recurrence is what a place of the sequence does. Its states are [N H], the
// hidden state first.
type Recurrence struct {
	States int     // 2 with the cell state
	Width  int     // of the gates, in multiples of H
	Apart  bool    // the hidden state's bias cannot be added to the input's
	kept   int     // of what the gradient needs, in multiples of H; 0 for nothing
	mark   float64 // of its call; 0 for none

	// forward returns the new states, and what is kept, from the gates that the
	// input gives and those that the hidden state gives [N Width·H].
	forward func(gates, hidden *graph.Node, states []*graph.Node) (next []*graph.Node, kept *graph.Node)

	// backward returns the gradients for the gates of both, and for the states
	// but for what goes through the hidden gates, from those for the new states.
	// vKept is the gradient for what is kept; nil for none.
	backward func(v, states []*graph.Node, after, kept, vKept *graph.Node) (gates, hidden *graph.Node, before []*graph.Node)
}

// LSTM is torch.nn.LSTMCell: gates in the order input, forget, cell, output.
var LSTM = Recurrence{
	States: 2, Width: 4, kept: 5, mark: lstmMark,
	forward: func(gates, hidden *graph.Node, s []*graph.Node) ([]*graph.Node, *graph.Node) {
		g := divide(graph.Add(gates, hidden), 4)
		in, forget, cell, out := graph.Sigmoid(g[0]), graph.Sigmoid(g[1]), graph.Tanh(g[2]), graph.Sigmoid(g[3])
		c := graph.Add(graph.Mul(forget, s[1]), graph.Mul(in, cell))
		bent := graph.Tanh(c)
		return []*graph.Node{graph.Mul(out, bent), c}, graph.Concatenate([]*graph.Node{in, forget, cell, out, bent}, 1)
	},
	backward: func(v, s []*graph.Node, _, kept, vKept *graph.Node) (gates, hidden *graph.Node, before []*graph.Node) {
		g, more := divide(kept, 5), divide(vKept, 5)
		in, forget, cell, out, bent := g[0], g[1], g[2], g[3], g[4]
		vc := graph.Add(v[1], graph.Mul(plus(graph.Mul(v[0], out), more[4]), graph.OneMinus(graph.Square(bent))))
		gates = graph.Concatenate([]*graph.Node{
			graph.Mul(plus(graph.Mul(vc, cell), more[0]), slopeOfSigmoid(in)),
			graph.Mul(plus(graph.Mul(vc, s[1]), more[1]), slopeOfSigmoid(forget)),
			graph.Mul(plus(graph.Mul(vc, in), more[2]), graph.OneMinus(graph.Square(cell))),
			graph.Mul(plus(graph.Mul(v[0], bent), more[3]), slopeOfSigmoid(out)),
		}, 1)
		return gates, gates, []*graph.Node{nil, graph.Mul(vc, forget)}
	},
}

// GRU is torch.nn.GRUCell: gates in the order reset, update, new.
var GRU = Recurrence{
	States: 1, Width: 3, Apart: true, kept: 4, mark: gruMark,
	forward: func(gates, hidden *graph.Node, s []*graph.Node) ([]*graph.Node, *graph.Node) {
		a, b := divide(gates, 3), divide(hidden, 3)
		reset, update := graph.Sigmoid(graph.Add(a[0], b[0])), graph.Sigmoid(graph.Add(a[1], b[1]))
		fresh := graph.Tanh(graph.Add(a[2], graph.Mul(reset, b[2])))
		h := graph.Add(fresh, graph.Mul(update, graph.Sub(s[0], fresh)))
		return []*graph.Node{h}, graph.Concatenate([]*graph.Node{reset, update, fresh, b[2]}, 1)
	},
	backward: func(v, s []*graph.Node, _, kept, vKept *graph.Node) (gates, hidden *graph.Node, before []*graph.Node) {
		g, more := divide(kept, 4), divide(vKept, 4)
		reset, update, fresh, last := g[0], g[1], g[2], g[3]
		vFresh := graph.Mul(plus(graph.Mul(v[0], graph.OneMinus(update)), more[2]), graph.OneMinus(graph.Square(fresh)))
		vUpdate := graph.Mul(plus(graph.Mul(v[0], graph.Sub(s[0], fresh)), more[1]), slopeOfSigmoid(update))
		vReset := graph.Mul(plus(graph.Mul(vFresh, last), more[0]), slopeOfSigmoid(reset))
		vLast := plus(graph.Mul(vFresh, reset), more[3])
		gates = graph.Concatenate([]*graph.Node{vReset, vUpdate, vFresh}, 1)
		hidden = graph.Concatenate([]*graph.Node{vReset, vUpdate, vLast}, 1)
		return gates, hidden, []*graph.Node{graph.Mul(v[0], update)}
	},
}

// RNNTanh and RNNReLU are torch.nn.RNNCell.
var RNNTanh = Recurrence{
	States: 1, Width: 1,
	forward: func(gates, hidden *graph.Node, _ []*graph.Node) ([]*graph.Node, *graph.Node) {
		return []*graph.Node{graph.Tanh(graph.Add(gates, hidden))}, nil
	},
	backward: func(v, _ []*graph.Node, after, _, _ *graph.Node) (gates, hidden *graph.Node, before []*graph.Node) {
		d := graph.Mul(v[0], graph.OneMinus(graph.Square(after)))
		return d, d, []*graph.Node{nil}
	},
}

var RNNReLU = Recurrence{
	States: 1, Width: 1,
	forward: func(gates, hidden *graph.Node, _ []*graph.Node) ([]*graph.Node, *graph.Node) {
		x := graph.Add(gates, hidden)
		return []*graph.Node{graph.Max(x, graph.ZerosLike(x))}, nil
	},
	backward: func(v, _ []*graph.Node, after, _, _ *graph.Node) (gates, hidden *graph.Node, before []*graph.Node) {
		d := graph.Where(graph.GreaterThan(after, graph.ZerosLike(after)), v[0], graph.ZerosLike(after))
		return d, d, []*graph.Node{nil}
	},
}

// statesBefore returns the hidden states before each place [L N H]: those after the place that
// was read before it, which are kept anyway.
func statesBefore(hs, first *graph.Node, backward bool) *graph.Node {
	steps, first := hs.Shape().Dimensions[0], graph.InsertAxes(first, 0)
	switch {
	case steps == 1:
		return first
	case backward:
		return graph.Concatenate([]*graph.Node{graph.SliceAxis(hs, 0, graph.AxisRange(1, steps)), first}, 0)
	}
	return graph.Concatenate([]*graph.Node{first, graph.SliceAxis(hs, 0, graph.AxisRange(0, steps-1))}, 0)
}

// slopeOfSigmoid is the derivative of y = sigmoid(x), by y.
func slopeOfSigmoid(y *graph.Node) *graph.Node { return graph.Mul(y, graph.OneMinus(y)) }

// plus adds what may be absent.
func plus(x, y *graph.Node) *graph.Node {
	switch {
	case x == nil:
		return y
	case y == nil:
		return x
	}
	return graph.Add(x, y)
}

// divide cuts x [N n·H] into n; what is absent, into as many that are.
func divide(x *graph.Node, n int) []*graph.Node {
	all := make([]*graph.Node, n)
	if x == nil {
		return all
	}
	h := x.Shape().Dimensions[1] / n
	for i := range all {
		all[i] = graph.SliceAxis(x, 1, graph.AxisRange(i*h, (i+1)*h))
	}
	return all
}

// Biases are those of the gates [Width·H], of what the input gives and of what the hidden
// state gives; nil for none.
type Biases struct{ Input, Hidden *graph.Node }

// apart returns what is added to the input's gates, and what to the hidden state's.
func (r Recurrence) apart(b Biases) Biases {
	if r.Apart || b.Input == nil || b.Hidden == nil {
		return b
	}
	return Biases{Input: graph.Add(b.Input, b.Hidden)}
}

func addBias(x, bias *graph.Node) *graph.Node {
	if bias == nil {
		return x
	}
	return graph.Add(x, graph.BroadcastToDims(graph.ExpandLeftToRank(bias, x.Rank()), x.Shape().Dimensions...))
}

// Step is one place: gates [N Width·H] are what the input gives, matrix [Width·H H] belongs to
// the hidden state.
func (r Recurrence) Step(gates, matrix *graph.Node, biases Biases, states []*graph.Node) (next []*graph.Node) {
	b := r.apart(biases)
	next, _ = r.step(addBias(gates, b.Input), matrix, b.Hidden, states)
	return next
}

// step is Step with the input's bias in the gates, and what the gradient needs.
func (r Recurrence) step(gates, matrix, bias *graph.Node, states []*graph.Node) (next []*graph.Node, kept *graph.Node) {
	hidden := graph.DotGeneral(states[0], []int{1}, nil, matrix, []int{1}, nil)
	return r.forward(gates, addBias(hidden, bias), states)
}

// Run goes through gates [L N Width·H], and returns the hidden state after each
// place [L N H], and the states at the end. Backward reads from the last place.
func (r Recurrence) Run(gates, matrix *graph.Node, biases Biases, states []*graph.Node, backward bool) (hs *graph.Node, end []*graph.Node) {
	b := r.apart(biases)
	if r.called(gates, matrix) {
		return r.call(gates, matrix, b, states, backward)
	}
	return r.loop(addBias(gates, b.Input), matrix, b.Hidden, states, backward)
}

// loop is Run by a loop, with the input's bias in the gates.
func (r Recurrence) loop(gates, matrix, bias *graph.Node, states []*graph.Node, backward bool) (hs *graph.Node, end []*graph.Node) {
	d, kind := gates.Shape().Dimensions, gates.DType()
	steps, n, hidden := d[0], d[1], d[2]/r.Width
	same := []*graph.Node{matrix}
	if bias != nil {
		same = append(same, bias)
	}
	l := Loop{Steps: steps, Backward: backward, Ys: []shapes.Shape{shapes.Make(kind, n, hidden)}}
	if r.kept > 0 {
		l.Ys = append(l.Ys, shapes.Make(kind, n, r.kept*hidden))
	}
	l.Body = func(_ *graph.Node, states, x, same []*graph.Node) (next, ys, sums []*graph.Node) {
		var bias *graph.Node
		if len(same) > 1 {
			bias = same[1]
		}
		next, kept := r.step(x[0], same[0], bias, states)
		ys = append(ys, next[0])
		if r.kept > 0 {
			ys = append(ys, kept)
		}
		return next, ys, nil
	}
	l.gradient = func(done *LoopResult) loopGradient { return r.gradient(l, done) }
	done := l.Run(gates.Graph(), states, []*graph.Node{gates}, same)
	return done.Ys[0], done.End
}

// gradient is that of Run.
func (r Recurrence) gradient(l Loop, done *LoopResult) loopGradient {
	matrix, first := done.same[0], done.state[0]
	back := Loop{Steps: l.Steps, Backward: !l.Backward}
	shape := element(done.xs[0].Shape())
	back.Ys = []shapes.Shape{shape}
	if r.Apart { // the hidden gates' gradients are not those of the input's
		back.Ys = append(back.Ys, shape)
	}
	begin := slices.Clone(done.vEnd)
	for i, v := range begin {
		if v == nil {
			begin[i] = graph.ZerosLike(done.state[i])
		}
	}
	before := statesBefore(done.Ys[0], first, l.Backward)
	befores := append([]*graph.Node{before}, done.befores[1:]...)
	vYs, vBefores := present(done.vYs), present(done.vBefores)
	inputs := newParts(befores, done.Ys, some(done.vYs, vYs), some(done.vBefores, vBefores))
	back.Body = func(_ *graph.Node, v, x, same []*graph.Node) (next, ys, sums []*graph.Node) {
		in := inputs.cut(x)
		v = slices.Clone(v)
		var kept, vKept *graph.Node
		if r.kept > 0 {
			kept = in[1][1]
		}
		for k, i := range vYs {
			if i == 0 {
				v[0] = graph.Add(v[0], in[2][k])
			} else {
				vKept = in[2][k]
			}
		}
		gates, hidden, next := r.backward(v, in[0], in[1][0], kept, vKept)
		next[0] = plus(next[0], graph.DotGeneral(hidden, []int{1}, nil, same[0], []int{0}, nil))
		for k, i := range vBefores {
			next[i] = graph.Add(next[i], in[3][k])
		}
		ys = []*graph.Node{gates}
		if r.Apart {
			ys = append(ys, hidden)
		}
		return next, ys, nil
	}
	out := back.Run(first.Graph(), begin, inputs.join(), []*graph.Node{matrix})
	hidden := out.Ys[len(out.Ys)-1]
	same := []*graph.Node{graph.DotGeneral(hidden, []int{0, 1}, nil, before, []int{0, 1}, nil)}
	if len(done.same) > 1 { // the bias
		same = append(same, graph.ReduceSum(hidden, 0, 1))
	}
	return loopGradient{out.End, out.Ys[:1], same}
}

// called reports whether a call of package calls goes through the places.
func (r Recurrence) called(gates, matrix *graph.Node) bool {
	return r.mark != 0 && hasCalls(gates.Graph()) && gates.DType() == dtypes.Float32 && matrix.DType() == dtypes.Float32 &&
		gates.Shape().Dimensions[0] > 1 && matrix.Shape().Dimensions[1]%16 == 0
}

// call is Run by a call, whose results are the hidden states and then those at the end in one
// array, [L+States N H], and what its gradient needs. A gradient of the gradient is not
// written: a program that wants one is compiled without calls.
func (r Recurrence) call(gates, matrix *graph.Node, biases Biases, states []*graph.Node, backward bool) (hs *graph.Node, end []*graph.Node) {
	g, d, hidden := gates.Graph(), gates.Shape().Dimensions, matrix.Shape().Dimensions[1]
	steps, n, width := d[0], d[1], d[2]
	given := []*graph.Node{biases.Input}
	if r.Apart {
		given = append(given, biases.Hidden)
	}
	var list []*graph.Node
	for _, s := range states {
		list = append(list, graph.Reshape(s, n*hidden))
	}
	for _, b := range given {
		if b == nil {
			b = graph.Zeros(g, shapes.Make(dtypes.Float32, width))
		}
		list = append(list, b)
	}
	rest := graph.Concatenate(list, 0)
	all, _ := graph.BackendFusedScaledDotProductAttention(gates, matrix, rest, compute.AttentionAxesLayoutBSHD,
		&compute.ScaledDotProductAttentionConfig{Scale: r.mark, Causal: backward})
	hs = graph.SliceAxis(all, 0, graph.AxisRange(0, steps))
	node := all.Inputs()[0]
	rememberCall(node, func(v *graph.Node) []*graph.Node {
		by := attentionsGradient(node, []*graph.Node{v}, all.Shape())
		forGates, forHidden, forRest := by[0], by[1], by[2]
		forMatrix := graph.DotGeneral(forHidden, []int{0, 1}, nil, statesBefore(hs, states[0], backward), []int{0, 1}, nil)
		cut := len(states) * n * hidden
		forBiases := graph.Reshape(graph.SliceAxis(forRest, 0, graph.AxisRangeToEnd(cut)), -1, len(given)*width)
		return []*graph.Node{forGates, forMatrix, graph.Concatenate([]*graph.Node{
			graph.SliceAxis(forRest, 0, graph.AxisRange(0, cut)), graph.ReduceSum(forBiases, 0)}, 0)}
	})
	for i := range states {
		end = append(end, graph.Reshape(graph.SliceAxis(all, 0, graph.AxisElem(steps+i)), n, hidden))
	}
	return hs, end
}
