package lower

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// The recurrence of an LSTM is a loop in the program, one for the states and
// one for their gradients, so that programs stay short for long sequences.
// GoMLX v0.28.5 has no gradient for a loop (core/graph/ops_controlflow.go:
// NodeTypeWhile is not in VJPRegistration), so ours is written out.

// LSTM runs an LSTM over gates [L N 4H], what the input gives to the gates,
// with the hidden state's matrix [4H H] and the states [N H] to begin with. It
// returns the hidden state after each place [L N H], and both at the end.
// Backward reads from the last place.
func LSTM(gates, matrix, h, c *graph.Node, backward bool) (hs, hEnd, cEnd *graph.Node) {
	g, kind := gates.Graph(), gates.DType()
	if !g.Backend().Capabilities().Operations[compute.OpTypeDynamicSlice] {
		return unrolled(gates, matrix, h, c, backward)
	}
	d := gates.Shape().Dimensions
	steps, n, hidden := d[0], d[1], d[2]/4
	empty := func(width int) *graph.Node {
		return graph.BroadcastToDims(graph.ScalarZero(g, kind), steps, n, width)
	}
	end := loop(steps, backward, []*graph.Node{h, c, gates, matrix, empty(hidden), empty(hidden), empty(4 * hidden)}, func(t *graph.Node, s []*graph.Node) []*graph.Node {
		h, c, gates, matrix := s[0], s[1], s[2], s[3]
		h, c, open := cell(at(gates, t), matrix, h, c)
		return []*graph.Node{h, c, gates, matrix, put(s[4], t, h), put(s[5], t, c), put(s[6], t, open)}
	})
	hEnd, cEnd, hs = end[1], end[2], end[5]
	cs, opens := end[6], end[7]
	differentiate(hEnd.Inputs()[0], func(v []*graph.Node) []*graph.Node {
		// before shifts the states by one place.
		before := func(all, first *graph.Node) *graph.Node {
			first = graph.InsertAxes(first, 0)
			if steps == 1 {
				return first
			}
			if backward {
				return graph.Concatenate([]*graph.Node{graph.SliceAxis(all, 0, graph.AxisRange(1, steps)), first}, 0)
			}
			return graph.Concatenate([]*graph.Node{first, graph.SliceAxis(all, 0, graph.AxisRange(0, steps-1))}, 0)
		}
		// v holds the gradients for what the loop returned, the counter first.
		forHs, forCs, forGates, forMatrix := v[5], v[6], v[3], v[4]
		back := loop(steps, !backward, []*graph.Node{v[1], v[2], forHs, forCs, cs, before(cs, c), opens, matrix, empty(4 * hidden)}, func(t *graph.Node, s []*graph.Node) []*graph.Node {
			dh, dc, matrix := graph.Add(s[0], at(s[2], t)), graph.Add(s[1], at(s[3], t)), s[7]
			in, forget, cell, out := quarters(at(s[6], t))
			bent := graph.Tanh(at(s[4], t))
			// GoMLX v0.28.5 keeps the scalars of a graph for reuse, also in another
			// function of it, where they do not exist (core/graph/graph.go:
			// getScalarConst). So no Scalar, AddScalar or OneMinus in a loop.
			one := graph.BroadcastToDims(graph.ConvertDType(graph.Const(t.Graph(), float32(1)), kind), n, hidden)
			rest := func(y *graph.Node) *graph.Node { return graph.Sub(one, y) }
			bend := func(y *graph.Node) *graph.Node { return graph.Mul(y, rest(y)) } // of the sigmoid
			dc = graph.Add(dc, graph.Mul(graph.Mul(dh, out), rest(graph.Square(bent))))
			open := graph.Concatenate([]*graph.Node{
				graph.Mul(graph.Mul(dc, cell), bend(in)),
				graph.Mul(graph.Mul(dc, at(s[5], t)), bend(forget)),
				graph.Mul(graph.Mul(dc, in), rest(graph.Square(cell))),
				graph.Mul(graph.Mul(dh, bent), bend(out)),
			}, 1)
			dh = graph.DotGeneral(open, []int{1}, nil, matrix, []int{0}, nil)
			next := append([]*graph.Node{dh, graph.Mul(dc, forget)}, s[2:8]...)
			return append(next, put(s[8], t, open))
		})
		dh, dc, opened := back[1], back[2], back[9]
		kernel := graph.DotGeneral(opened, []int{0, 1}, nil, before(hs, h), []int{0, 1}, nil)
		return []*graph.Node{nil, dh, dc, graph.Add(opened, forGates), graph.Add(kernel, forMatrix), nil, nil, nil}
	})
	return hs, hEnd, cEnd
}

// cell is one place of an LSTM: the new states, and the gates [N 4H] in
// PyTorch's order.
func cell(gates, matrix, h, c *graph.Node) (hNew, cNew, open *graph.Node) {
	sum := graph.Add(gates, graph.DotGeneral(h, []int{1}, nil, matrix, []int{1}, nil))
	in, forget, cell, out := quarters(sum)
	in, forget, cell, out = graph.Sigmoid(in), graph.Sigmoid(forget), graph.Tanh(cell), graph.Sigmoid(out)
	cNew = graph.Add(graph.Mul(forget, c), graph.Mul(in, cell))
	return graph.Mul(out, graph.Tanh(cNew)), cNew, graph.Concatenate([]*graph.Node{in, forget, cell, out}, 1)
}

// unrolled is LSTM without a loop, for the pure-Go backend: compute v0.1.5
// has no DynamicSlice there.
func unrolled(gates, matrix, h, c *graph.Node, backward bool) (hs, hEnd, cEnd *graph.Node) {
	d := gates.Shape().Dimensions
	steps := d[0]
	all := make([]*graph.Node, steps)
	for i := range steps {
		t := i
		if backward {
			t = steps - 1 - i
		}
		here := graph.Reshape(graph.SliceAxis(gates, 0, graph.AxisElem(t)), d[1], d[2])
		h, c, _ = cell(here, matrix, h, c)
		all[t] = h
	}
	return graph.Stack(all, 0), h, c
}

// loop runs body for t from 0 to n-1, or back, on a state, and returns its own
// counter and the state at the end.
func loop(n int, backward bool, state []*graph.Node, body func(t *graph.Node, state []*graph.Node) []*graph.Node) []*graph.Node {
	g := state[0].Graph()
	state = append([]*graph.Node{graph.Const(g, int32(0))}, state...)
	names := "abcdefghijklmnopqrstuvwxyz"
	inputs := func(g *graph.Graph) []*graph.Node {
		var in []*graph.Node
		for i, s := range state {
			in = append(in, graph.Parameter(g, names[i:i+1], shapes.Make(s.DType(), s.Shape().Dimensions...)))
		}
		return in
	}
	more := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		return []*graph.Node{graph.LessThan(inputs(g)[0], graph.Const(g, int32(n)))}
	})
	next := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		in := inputs(g)
		t := in[0]
		if backward {
			t = graph.Sub(graph.Const(g, int32(n-1)), t)
		}
		return append([]*graph.Node{graph.Add(in[0], graph.Const(g, int32(1)))}, body(t, in[1:])...)
	})
	return graph.While(more, next, state...)
}

// at returns element t along the first axis of x [L N D].
func at(x, t *graph.Node) *graph.Node {
	d := x.Shape().Dimensions
	zero := graph.Const(x.Graph(), int32(0))
	return graph.Reshape(graph.DynamicSlice(x, []*graph.Node{t, zero, zero}, []int{1, d[1], d[2]}), d[1], d[2])
}

// put replaces element t along the first axis of x.
func put(x, t, element *graph.Node) *graph.Node {
	zero := graph.Const(x.Graph(), int32(0))
	return graph.DynamicUpdateSlice(x, graph.InsertAxes(element, 0), []*graph.Node{t, zero, zero})
}

// quarters cuts x [N 4H] into four.
func quarters(x *graph.Node) (a, b, c, d *graph.Node) {
	h := x.Shape().Dimensions[1] / 4
	cut := func(i int) *graph.Node { return graph.SliceAxis(x, 1, graph.AxisRange(i*h, (i+1)*h)) }
	return cut(0), cut(1), cut(2), cut(3)
}

// loops is the key under which a graph keeps the gradients of its loops.
type loops struct{}

type loopGradient func(v []*graph.Node) []*graph.Node

// differentiate gives a loop its gradient: of what it returned to what it
// began with.
func differentiate(node *graph.Node, gradient loopGradient) {
	known, _ := node.Graph().State(loops{}).(map[*graph.Node]loopGradient)
	if known == nil {
		known = map[*graph.Node]loopGradient{}
		node.Graph().AttachState(loops{}, known)
	}
	known[node] = gradient
}

func init() {
	graph.VJPRegistration[graph.NodeTypeWhile] = func(node *graph.Node, v []*graph.Node, _ shapes.Shape) []*graph.Node {
		known, _ := node.Graph().State(loops{}).(map[*graph.Node]loopGradient)
		gradient, ok := known[node]
		if !ok {
			panic(fmt.Errorf("dl: gradient: the program holds a loop that dl did not make; stop the gradient before it"))
		}
		return gradient(v)
	}
}
