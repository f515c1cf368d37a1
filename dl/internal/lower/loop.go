package lower

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// A loop is in the program once, however many steps it takes, so a program for
// 999 steps is written and compiled as fast as one for a single step. GoMLX
// v0.28.5 has no gradient for a loop (core/graph/ops_controlflow.go:
// NodeTypeWhile is not in VJPRegistration). Ours is another loop, which goes the
// other way and whose gradient is found in the same manner: so there are second
// derivatives.

// Loop runs a body for the elements of sequences, in order.
type Loop struct {
	Steps    int
	Backward bool // begin with the last elements
	Body     LoopBody
	Ys, Sums []shapes.Shape // of what the body returns

	// gradient is written by hand; nil derives it, which runs each step again.
	gradient func(r *LoopResult) loopGradient
}

// LoopBody is one step: the new state, results of which the loop keeps one for
// each step, and results of which it keeps the sum. t is the place in the
// sequences (int32), x their elements there, and same what does not change from
// step to step. It must use no other node that was made outside of it.
type LoopBody func(t *graph.Node, state, x, same []*graph.Node) (next, ys, sums []*graph.Node)

// LoopResult is a loop that is in the program.
type LoopResult struct {
	state, xs, same []*graph.Node // what it began with
	befores         []*graph.Node // the state before each step, by its place [steps …]
	End, Ys, Sums   []*graph.Node

	// Of a gradient: those for end, befores, ys and sums; nil for zeros.
	vEnd, vBefores, vYs, vSums []*graph.Node
}

// loopGradient is the gradients for what a loop began with; nil for zeros.
type loopGradient struct{ state, xs, same []*graph.Node }

// closures is a backend that can write a function into its graph that a loop
// calls, which graph.NewClosure cannot do for a loop in a loop.
type closures interface {
	Closure(g *graph.Graph, f func() []*graph.Node) *graph.Function
}

// HasLoops reports whether a graph's backend has what loops need. GoMLX's
// pure-Go backend has not (compute v0.1.5: no DynamicSlice).
func HasLoops(g *graph.Graph) bool {
	can := g.Backend().Capabilities()
	return can.Functions && can.Operations[compute.OpTypeDynamicSlice]
}

// Run writes the loop into a graph: over xs [steps …], beginning with state.
func (l Loop) Run(g *graph.Graph, state, xs, same []*graph.Node) *LoopResult {
	if !HasLoops(g) {
		return l.unroll(state, xs, same)
	}
	zeros := func(s shapes.Shape) *graph.Node { return graph.Zeros(g, s) }
	var buffers, sums []*graph.Node
	for _, s := range state {
		buffers = append(buffers, zeros(stacked(l.Steps, s.Shape())))
	}
	for _, s := range l.Ys {
		buffers = append(buffers, zeros(stacked(l.Steps, s)))
	}
	for _, s := range l.Sums {
		sums = append(sums, zeros(s))
	}
	all := newParts(state, xs, same, buffers, sums)
	more := func(t *graph.Node, _ []*graph.Node) *graph.Node {
		return graph.LessThan(t, graph.Const(g, int32(l.Steps)))
	}
	out := while(g, all.join(), more, func(t *graph.Node, now []*graph.Node) []*graph.Node {
		if l.Backward {
			t = graph.Sub(graph.Const(t.Graph(), int32(l.Steps-1)), t)
		}
		p := all.cut(now)
		x := make([]*graph.Node, len(xs))
		for i := range xs {
			x[i] = elementAt(p[1][i], t)
		}
		next, ys, parts := l.Body(t, p[0], x, p[2])
		kept := append(append([]*graph.Node{}, p[0]...), ys...)
		for i := range kept {
			kept[i] = putAt(p[3][i], t, kept[i])
		}
		for i := range parts {
			parts[i] = graph.Add(p[4][i], parts[i])
		}
		return newParts(next, p[1], p[2], kept, parts).join()
	})
	p := all.cut(out)
	n := len(state)
	r := &LoopResult{state: state, xs: xs, same: same, befores: p[3][:n:n], End: p[0], Ys: p[3][n:], Sums: p[4]}
	gradientOfLoop(out, func(v []*graph.Node) []*graph.Node {
		p := all.cut(v[1:])
		for _, list := range p {
			for i, x := range list {
				if isZeros(x) {
					list[i] = nil
				}
			}
		}
		r := *r
		r.vEnd, r.vBefores, r.vYs, r.vSums = p[0], p[3][:n:n], p[3][n:], p[4]
		gradient := l.derive
		if l.gradient != nil {
			gradient = l.gradient
		}
		back := gradient(&r)
		return append([]*graph.Node{nil}, newParts(back.state, back.xs, back.same, make([]*graph.Node, len(buffers)), make([]*graph.Node, len(sums))).join()...)
	})
	return r
}

// derive finds the gradient of a loop: by a loop in the other direction, each
// step of which runs the loop's own step again.
func (l Loop) derive(r *LoopResult) loopGradient {
	states, xs, same := floats(r.state), floats(r.xs), floats(r.same)
	vYs, vBefores, vSums := present(r.vYs), present(r.vBefores), present(r.vSums)
	back := Loop{Steps: l.Steps, Backward: !l.Backward}
	for _, i := range xs {
		back.Ys = append(back.Ys, element(r.xs[i].Shape()))
	}
	for _, i := range same {
		back.Sums = append(back.Sums, r.same[i].Shape())
	}
	inputs := newParts(r.befores, r.xs, some(r.vYs, vYs), some(r.vBefores, vBefores))
	fixed := newParts(r.same, some(r.vSums, vSums))
	back.Body = func(t *graph.Node, v, x, c []*graph.Node) (next, ys, sums []*graph.Node) {
		in, all := inputs.cut(x), fixed.cut(c)
		end, y, sum := l.Body(t, in[0], in[1], all[0])
		var to, by []*graph.Node // the step's results, and the gradients for them
		to, by = append(to, some(end, states)...), append(by, v...)
		to, by = append(to, some(y, vYs)...), append(by, in[2]...)
		to, by = append(to, some(sum, vSums)...), append(by, all[1]...)
		at := newParts(some(in[0], states), some(in[1], xs), some(all[0], same))
		p := at.cut(gradientsOf(t.Graph(), to, by, at.join()))
		for k, i := range vBefores {
			for j, s := range states {
				if s == i {
					p[0][j] = graph.Add(p[0][j], in[3][k])
				}
			}
		}
		return p[0], p[1], p[2]
	}
	var begin []*graph.Node
	for _, i := range states {
		v := r.vEnd[i]
		if v == nil {
			v = graph.ZerosLike(r.state[i])
		}
		begin = append(begin, v)
	}
	g := r.state0().Graph()
	done := back.Run(g, begin, inputs.join(), fixed.join())
	return loopGradient{scatter(len(r.state), states, done.End), scatter(len(r.xs), xs, done.Ys), scatter(len(r.same), same, done.Sums)}
}

// state0 returns any node that the loop began with.
func (r *LoopResult) state0() *graph.Node {
	return newParts(r.state, r.xs, r.same).join()[0]
}

// gradientsOf returns the gradients of Σ to·by for some nodes.
func gradientsOf(g *graph.Graph, to, by, at []*graph.Node) []*graph.Node {
	kind := dtypes.Float32
	for _, y := range to {
		if y.DType() == dtypes.Float64 {
			kind = dtypes.Float64
		}
	}
	var sum *graph.Node
	for i, y := range to {
		part := graph.ConvertDType(graph.ReduceAllSum(graph.Mul(y, by[i])), kind)
		if sum == nil {
			sum = part
		} else {
			sum = graph.Add(sum, part)
		}
	}
	if sum == nil || len(at) == 0 {
		out := make([]*graph.Node, len(at))
		for i, x := range at {
			out[i] = graph.ZerosLike(x)
		}
		return out
	}
	return graph.Gradient(sum, at...)
}

// unroll is Run without a loop. Gradients then are GoMLX's own.
func (l Loop) unroll(state, xs, same []*graph.Node) *LoopResult {
	r := &LoopResult{state: state, xs: xs, same: same}
	g := r.state0().Graph()
	befores, ys := make([][]*graph.Node, len(state)), make([][]*graph.Node, len(l.Ys))
	for i := range befores {
		befores[i] = make([]*graph.Node, l.Steps)
	}
	for i := range ys {
		ys[i] = make([]*graph.Node, l.Steps)
	}
	for step := range l.Steps {
		t := step
		if l.Backward {
			t = l.Steps - 1 - step
		}
		x := make([]*graph.Node, len(xs))
		for i, all := range xs {
			x[i] = graph.Reshape(graph.SliceAxis(all, 0, graph.AxisElem(t)), all.Shape().Dimensions[1:]...)
		}
		for i, s := range state {
			befores[i][t] = s
		}
		var y, parts []*graph.Node
		state, y, parts = l.Body(graph.Const(g, int32(t)), state, x, same)
		for i := range y {
			ys[i][t] = y[i]
		}
		if step == 0 {
			r.Sums = parts
			continue
		}
		for i := range parts {
			r.Sums[i] = graph.Add(r.Sums[i], parts[i])
		}
	}
	r.End = state
	for _, list := range befores {
		r.befores = append(r.befores, graph.Stack(list, 0))
	}
	for _, list := range ys {
		r.Ys = append(r.Ys, graph.Stack(list, 0))
	}
	return r
}

// While runs body on a state as long as more returns true, and returns the state
// at the end. t is the number of the step, from 0 on; same does not change. It has
// no gradient.
func While(g *graph.Graph, state, same []*graph.Node, more func(t *graph.Node, state, same []*graph.Node) *graph.Node, body func(t *graph.Node, state, same []*graph.Node) []*graph.Node) []*graph.Node {
	all := newParts(state, same)
	out := while(g, all.join(), func(t *graph.Node, now []*graph.Node) *graph.Node {
		p := all.cut(now)
		return more(t, p[0], p[1])
	}, func(t *graph.Node, now []*graph.Node) []*graph.Node {
		p := all.cut(now)
		return newParts(body(t, p[0], p[1]), p[1]).join()
	})
	gradientOfLoop(out, func([]*graph.Node) []*graph.Node {
		panic(fmt.Errorf("dl: While: no gradient goes back through it, since its number of steps is not known before; use Scan for a fixed number, or Detach its result"))
	})
	return out[:len(state)]
}

// while writes a loop, and returns the state at its end.
func while(g *graph.Graph, state []*graph.Node, more func(t *graph.Node, state []*graph.Node) *graph.Node, body func(t *graph.Node, state []*graph.Node) []*graph.Node) []*graph.Node {
	all := append([]*graph.Node{graph.Const(g, int32(0))}, state...)
	inputs := func() []*graph.Node {
		in := make([]*graph.Node, len(all))
		for i, s := range all {
			in[i] = graph.Parameter(g, g.UniqueName("s"), s.Shape())
		}
		return in
	}
	write := g.Backend().(closures)
	check := write.Closure(g, func() []*graph.Node {
		in := inputs()
		return []*graph.Node{more(in[0], in[1:])}
	})
	next := write.Closure(g, func() []*graph.Node {
		in := inputs()
		return append([]*graph.Node{graph.Add(in[0], graph.Const(g, int32(1)))}, body(in[0], in[1:])...)
	})
	return graph.While(check, next, all...)[1:]
}

// elementAt returns element t along the first axis of x.
func elementAt(x, t *graph.Node) *graph.Node {
	d := x.Shape().Dimensions
	size := append([]int{1}, d[1:]...)
	return graph.Reshape(graph.DynamicSlice(x, startAt(x, t), size), d[1:]...)
}

// putAt replaces element t along the first axis of x.
func putAt(x, t, element *graph.Node) *graph.Node {
	return graph.DynamicUpdateSlice(x, graph.InsertAxes(element, 0), startAt(x, t))
}

func startAt(x, t *graph.Node) []*graph.Node {
	at := []*graph.Node{t}
	for range x.Rank() - 1 {
		at = append(at, graph.Const(x.Graph(), int32(0)))
	}
	return at
}

// stacked is the shape of n elements.
func stacked(n int, s shapes.Shape) shapes.Shape {
	return shapes.Make(s.DType, append([]int{n}, s.Dimensions...)...)
}

// element is the shape of one of the elements.
func element(s shapes.Shape) shapes.Shape { return shapes.Make(s.DType, s.Dimensions[1:]...) }

// isZeros reports whether a node is what graph.Zeros made.
func isZeros(x *graph.Node) bool {
	zero := graph.ScalarZero(x.Graph(), x.DType())
	for {
		switch x.Type() {
		case graph.NodeTypeBroadcastInDim, graph.NodeTypeDynamicBroadcastInDim, graph.NodeTypeReshape:
			x = x.Inputs()[0]
			continue
		}
		return x == zero
	}
}

// floats returns which of the nodes can have a gradient.
func floats(xs []*graph.Node) (which []int) {
	for i, x := range xs {
		if x.DType().IsFloat() {
			which = append(which, i)
		}
	}
	return which
}

// present returns which of the gradients are there.
func present(xs []*graph.Node) (which []int) {
	for i, x := range xs {
		if x != nil && x.DType().IsFloat() {
			which = append(which, i)
		}
	}
	return which
}

func some(xs []*graph.Node, which []int) (out []*graph.Node) {
	for _, i := range which {
		out = append(out, xs[i])
	}
	return out
}

// scatter returns n nodes of which some are given, and the others nil.
func scatter(n int, which []int, some []*graph.Node) []*graph.Node {
	all := make([]*graph.Node, n)
	for k, i := range which {
		all[i] = some[k]
	}
	return all
}

// parts is lists of nodes that can be joined, and a list like the joined one cut
// as they were.
type parts [][]*graph.Node

func newParts(lists ...[]*graph.Node) parts { return lists }

func (p parts) join() (all []*graph.Node) {
	for _, list := range p {
		all = append(all, list...)
	}
	return all
}

func (p parts) cut(all []*graph.Node) (lists parts) {
	for _, list := range p {
		n := len(list)
		lists, all = append(lists, all[:n:n]), all[n:]
	}
	return lists
}

// loopGradients is the key under which a graph keeps the gradients of its loops.
type loopGradients struct{}

// gradientOfLoop gives the loop whose results are out its gradient: from those
// for what it returned, its own counter first, to those for what it began with.
func gradientOfLoop(out []*graph.Node, gradient func(v []*graph.Node) []*graph.Node) {
	g, node := out[0].Graph(), out[0].Inputs()[0]
	known, _ := g.State(loopGradients{}).(map[*graph.Node]func(v []*graph.Node) []*graph.Node)
	if known == nil {
		known = map[*graph.Node]func(v []*graph.Node) []*graph.Node{}
		g.AttachState(loopGradients{}, known)
	}
	known[node] = gradient
}

func init() {
	graph.VJPRegistration[graph.NodeTypeWhile] = func(node *graph.Node, v []*graph.Node, _ shapes.Shape) []*graph.Node {
		known, _ := node.Graph().State(loopGradients{}).(map[*graph.Node]func(v []*graph.Node) []*graph.Node)
		gradient, ok := known[node]
		if !ok {
			panic(fmt.Errorf("dl: gradient: the program holds a loop that dl did not make; stop the gradient before it"))
		}
		return gradient(v)
	}
}
