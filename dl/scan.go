package dl

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/lower"
	"github.com/holt-dl/holt/dl/internal/xla"
)

// A loop's function is recorded once, into a recording of its own that stands for
// every step. The loop then is one operation of the recording around it, or one
// that runs at once, and what the function takes from outside are inputs of it.

// Scan runs f for each element along the first axis of xs, in order, and hands
// the state on from step to step, as jax.lax.scan does. It returns the last state,
// and what f returned beside it, stacked along a new first axis.
//
//	h, ys := dl.Scan(func(h, x *dl.Tensor) (*dl.Tensor, *dl.Tensor) {
//		h = net.Cell.Forward(x, h)
//		return h, net.Head.Forward(h)
//	}, dl.Full(0, n, 51), xs) // xs [L N 1], ys [L N 1]
//
// State, elements and results are tensors, slices of tensors, or structs with
// exported fields of these. All tensors of xs have the same first axis, one
// element a step; dl.Arange(n) gives n steps their numbers. A state keeps its
// shape and type. Return nil, or struct{}{}, where there is nothing to stack.
//
// The program holds the step once: 999 steps compile as fast as one. So f is
// called once, and what Go does in it, an if, a rand.Float64(), a number, is the
// same in all steps; dl.Randn and Dropout draw anew in each. For Go's own choice
// at each step, write a for loop. Values that f reads from outside are the same
// in all steps, and gradients go to them, to parameters, to start and to xs.
// Backward finds them by running each step a second time, so that only the states
// are kept; second derivatives work too.
//
// In f a parameter cannot be changed: no opt.Step, Set, or BatchNorm in training;
// and no Backward, but [Grad].
func Scan[S, X, Y any](f func(state S, x X) (S, Y), start S, xs X) (S, Y) {
	var y Y
	b := beginBody("Scan", tensorsOf(&start), tensorsOf(&xs))
	defer b.end()
	steps := b.lengthOf()
	state := replaced(start, b.argument)
	next, y := f(state, replaced(xs, func(t *Tensor) *Tensor {
		return b.input(t.dtype, t.shape[1:])
	}))
	b.end()
	after := b.sameState(tensorsOf(&next))
	kept := tensorsOf(&y)
	outs := b.scan(steps, after, kept)
	take := func(*Tensor) *Tensor {
		t := outs[0]
		outs = outs[1:]
		return t
	}
	return replaced(next, take), replaced(y, take)
}

// While runs f on a state for as long as more returns true, a tensor of one bool,
// as jax.lax.while_loop does, and returns the last state. more is asked before
// each step.
//
//	x = dl.While(func(x *dl.Tensor) *dl.Tensor { return x.Norm().Greater(dl.Scalar(float32(1))) },
//		func(x *dl.Tensor) *dl.Tensor { return x.Scale(0.5) }, x)
//
// The number of steps is found while the program runs; more and f are called once
// each, as the function of [Scan], whose rules hold here. No gradient goes back
// through a While, which is an error that says so: use Scan, whose number of
// steps is known, or Detach what comes of it.
func While[S any](more func(state S) *Tensor, f func(state S) S, start S) S {
	check := beginBody("While", tensorsOf(&start), nil)
	defer check.end()
	again := more(replaced(start, check.argument))
	check.end()
	if again == nil || again.Size() != 1 || again.dtype != Bool {
		panic(fmt.Errorf("dl: While: the condition is %s, want one bool; compare with Less, Greater or Equal, after Sum, Max or Min", describeTensor(again)))
	}
	b := beginBody("While", tensorsOf(&start), nil)
	defer b.end()
	next := f(replaced(start, b.argument))
	b.end()
	outs := b.while(b.sameState(tensorsOf(&next)), check, again)
	return replaced(next, func(*Tensor) *Tensor {
		t := outs[0]
		outs = outs[1:]
		return t
	})
}

// tensorsOf returns the tensors in a value, in order.
func tensorsOf[T any](v *T) []*Tensor { return tensorsIn(reflect.ValueOf(v).Elem()) }

// replaced returns v with f of its tensors in their places.
func replaced[T any](v T, f func(*Tensor) *Tensor) T {
	return mapTensors(reflect.ValueOf(&v).Elem(), f).Interface().(T)
}

func describeTensor(t *Tensor) string {
	if t == nil {
		return "nil"
	}
	return fmt.Sprintf("%v %s", t.shape, typeName(t.dtype))
}

// loopRecording is the recording of a loop's function.
type loopRecording struct {
	*recording
	op         string
	start, xs  []*Tensor // from outside
	leave      func()
	captured   []*Tensor // what the function takes from outside
	capturedAs []int32
	drawsFrom  int32 // the input where a step's random numbers begin; -1 for none
}

// beginBody begins the recording of a loop's function, to which everything that
// the goroutine does belongs until end.
func beginBody(op string, start, xs []*Tensor) *loopRecording {
	if len(start) == 0 {
		panic(fmt.Errorf("dl: %s: the state to begin with holds no tensor, want a *dl.Tensor, a slice of them, or a struct with exported fields of these", op))
	}
	outer := recordingOf(start, xs)
	r := &recording{name: op, ids: map[*Tensor]int32{}, training: true}
	if outer != nil {
		r.on, r.training, r.precision, r.batch, r.rows = outer.on, outer.training, outer.precision, outer.batch, outer.rows
		r.model, r.build, r.inside, r.outer = outer.model, outer.build, outer.inside, outer
	}
	b := &loopRecording{recording: r, op: op, start: start, xs: xs, drawsFrom: -1}
	r.loop = b
	end := r.begin()
	if outer != nil {
		outer.inner = r
	}
	b.leave = func() {
		if outer != nil {
			outer.inner = nil
		}
		end()
	}
	return b
}

// outermost returns the recording that is no loop's function, or the loop's that
// runs at once.
func (r *recording) outermost() *recording {
	for r.outer != nil {
		r = r.outer
	}
	return r
}

// end ends the recording; a second call does nothing.
func (b *loopRecording) end() {
	if b.leave != nil {
		b.leave()
		b.leave = nil
	}
}

// lengthOf returns the number of steps.
func (b *loopRecording) lengthOf() int {
	if len(b.xs) == 0 {
		panic(fmt.Errorf("dl: Scan: there is no sequence, want tensors whose first axis is the steps; for n steps without inputs pass dl.Arange(n), which numbers them"))
	}
	for _, x := range b.xs {
		if len(x.shape) == 0 || x.shape[0] != b.xs[0].shape[0] {
			panic(&ShapeError{Op: "Scan", Got: x.shape, Want: fmt.Sprintf("a first axis of %d steps, as that of the first tensor of the sequence", b.steps0()), Fix: "what is the same in all steps need not be handed over: the function may read it from outside"})
		}
	}
	if b.xs[0].shape[0] == 0 {
		panic(&ShapeError{Op: "Scan", Got: b.xs[0].shape, Want: "at least one step"})
	}
	if b.times = b.xs[0].shape[0]; b.outer != nil {
		b.times *= max(b.outer.times, 1)
	}
	return b.xs[0].shape[0]
}

func (b *loopRecording) steps0() int {
	if s := b.xs[0].shape; len(s) > 0 {
		return s[0]
	}
	return 1
}

// input adds an input that has other values in each step.
func (b *loopRecording) input(dtype DType, shape Shape) *Tensor {
	return b.recording.input(nil, dtype, shape, false)
}

// argument adds the input that stands for a part of the state.
func (b *loopRecording) argument(t *Tensor) *Tensor { return b.input(t.dtype, t.shape) }

// capture adds an input for a tensor from outside.
func (b *loopRecording) capture(t *Tensor) int32 {
	for r := b.outer; t.rec != nil && r != t.rec; r = r.outer {
		if r == nil {
			panic(fmt.Errorf("dl: %s: a tensor of another program is used here: return it from the function that made it", b.op))
		}
	}
	x := b.input(t.dtype, t.shape)
	b.captured, b.capturedAs = append(b.captured, t), append(b.capturedAs, x.id)
	b.ids[t] = x.id
	return x.id
}

// sameState checks that the state after a step is like the one before it.
func (b *loopRecording) sameState(after []*Tensor) []*Tensor {
	if len(after) != len(b.start) {
		panic(fmt.Errorf("dl: %s: the function returns a state of %d tensors, and the state to begin with has %d; return all of them", b.op, len(after), len(b.start)))
	}
	for i, t := range after {
		if s := b.start[i]; !t.shape.Equal(s.shape) || t.dtype != s.dtype {
			which := "the state"
			if len(after) > 1 {
				which = fmt.Sprintf("tensor %d of the state", i)
			}
			panic(&ShapeError{Op: b.op, Got: t.shape, Want: fmt.Sprintf("%v %s for %s after a step, as it began, not %s", s.shape, typeName(s.dtype), which, typeName(t.dtype)),
				Fix: "a state keeps its shape and type from step to step"})
		}
	}
	return after
}

// assigned panics because a parameter cannot get a new value in a loop.
func (b *loopRecording) assigned() {
	panic(fmt.Errorf("dl: %s: a parameter or buffer gets a new value inside of the function, which it cannot: "+
		"make it a part of the state and Set it afterwards, or evaluate a BatchNorm with its Eval", b.op))
}

// code ends the recording with what it returns, as a body for the loop.
func (b *loopRecording) code(outs []*Tensor) *loopCode {
	c := &loopCode{list: b.list, hooks: b.hooks, inputs: len(b.start) + len(b.xs), captured: b.capturedAs, drawsFrom: b.drawsFrom, numbers: len(b.numbers)}
	for _, t := range outs {
		c.outs = append(c.outs, b.of(t).id)
	}
	c.captured, c.values = b.capturedAs, b.values
	text := b.text
	for _, list := range [][]int32{c.captured, {c.drawsFrom + 1, int32(c.inputs)}, c.outs} {
		text = append(text, ':')
		for _, id := range list {
			text = binary.AppendUvarint(text, uint64(id))
		}
	}
	c.text = string(text)
	b.closed = true
	return c
}

// checked has the numbers checked that the function uses as indices, as far as
// they come from outside.
func (b *loopRecording) checked() {
	for _, check := range b.checks {
		var t *Tensor
		switch i := check.input; {
		case i < len(b.start):
			t = b.start[i]
		case i < len(b.start)+len(b.xs):
			t = b.xs[i-len(b.start)]
		default:
			for k, id := range b.capturedAs {
				if id == b.inputs[i].id {
					t = b.captured[k]
				}
			}
		}
		if t == nil {
			continue
		}
		if b.outer != nil {
			b.outer.check(t, check.by)
		} else if err := check.by.checkInput(t); err != nil {
			panic(fmt.Errorf("dl: %s: %w", b.op, err))
		}
	}
}

// loopKey is the key of a loop's operation. What cannot be seen from outside has
// one like no other.
func (b *loopRecording) loopKey(settings string, all ...*loopRecording) opKey {
	k := opKey{name: b.op, settings: settings}
	for _, b := range append(all, b) {
		if b.opaque {
			k.settings = new(int)
			if b.outer != nil {
				b.outer.opaque = true
			}
		}
	}
	return k
}

// scan runs the function for all steps: it returns the last state and the stacked
// results.
func (b *loopRecording) scan(steps int, after, kept []*Tensor) []*Tensor {
	c := b.code(append(append([]*Tensor{}, after...), kept...))
	b.checked()
	var ys []shapes.Shape
	for _, t := range kept {
		ys = append(ys, shapes.Make(t.dtype, t.shape...))
	}
	states := len(b.start)
	write := func(t *trace, in []*node) (outs []*node) {
		state, xs, same := in[:states], in[states:c.inputs], in[c.inputs:]
		all, run := c.prepare(t, rawOf(same))
		l := lower.Loop{Steps: steps, Ys: ys, Body: func(step *graph.Node, state, x, same []*graph.Node) (next, kept, _ []*graph.Node) {
			outs := run(step, append(append([]*graph.Node{}, state...), x...), same)
			return outs[:states], outs[states:], nil
		}}
		r := l.Run(t.graph, rawOf(state), rawOf(xs), all)
		for _, y := range append(append([]*graph.Node{}, r.End...), r.Ys...) {
			outs = append(outs, &node{raw: y, t: t})
		}
		return outs
	}
	xs := append(append(append([]*Tensor{}, b.start...), b.xs...), b.captured...)
	outs, _ := do(b.loopKey(fmt.Sprintf("%d %d %s", states, steps, c.text)), b.numbers, write, xs, nil, nil)
	return outs
}

// while runs the function for as long as again, of check's recording, is true.
func (b *loopRecording) while(after []*Tensor, check *loopRecording, again *Tensor) []*Tensor {
	c, more := b.code(after), check.code([]*Tensor{again})
	b.checked()
	check.checked()
	states := len(b.start)
	write := func(t *trace, in []*node) (outs []*node) {
		if !lower.HasLoops(t.graph) {
			panic(fmt.Errorf("dl: While: the pure-Go backend has no loops of a length that is not known before; use XLA: dl.Use(\"cpu\")"))
		}
		all := rawOf(in)
		state, forStep, forCheck := all[:states], all[states:states+len(c.captured)], all[states+len(c.captured):]
		forStep, run := c.prepare(t, forStep)
		other := *t
		other.fixed, other.dynamic, other.salt = t.fixed[c.numbers:], t.dynamic[c.numbers:], t.salt+1
		forCheck, holds := more.prepare(&other, forCheck)
		t.asks, t.key = other.asks, other.key
		same := append(append([]*graph.Node{}, forStep...), forCheck...)
		ofCheck := len(forStep)
		out := lower.While(t.graph, state, same, func(step *graph.Node, state, same []*graph.Node) *graph.Node {
			return graph.Reshape(holds(step, state, same[ofCheck:])[0])
		}, func(step *graph.Node, state, same []*graph.Node) []*graph.Node {
			return run(step, state, same[:ofCheck])
		})
		for _, y := range out {
			outs = append(outs, &node{raw: y, t: t})
		}
		return outs
	}
	xs := append(append(append([]*Tensor{}, b.start...), b.captured...), check.captured...)
	k := b.loopKey(fmt.Sprintf("%d %d %s %s", states, len(c.text), c.text, more.text), check)
	outs, _ := do(k, append(b.numbers[:len(b.numbers):len(b.numbers)], check.numbers...), write, xs, nil, nil)
	return outs
}

func rawOf(xs []*node) []*graph.Node {
	raw := make([]*graph.Node, len(xs))
	for i, x := range xs {
		raw[i] = x.value()
	}
	return raw
}

// loopCode is a recorded function of a loop, which can be written any number of
// times.
type loopCode struct {
	text      string
	list      []recorded
	hooks     map[int32][]*body
	values    int32
	inputs    int     // the first values: state, then elements
	captured  []int32 // the values that are the same in all steps
	drawsFrom int32
	numbers   int
	outs      []int32
}

// prepare returns what is the same in all steps, and what writes a step into a
// loop: from its number, its inputs and, in the loop, what is the same.
func (c *loopCode) prepare(t *trace, captured []*graph.Node) (same []*graph.Node, run func(step *graph.Node, in, same []*graph.Node) []*graph.Node) {
	same = append(same, captured...)
	if c.drawsFrom >= 0 {
		if t.key == nil {
			t.key, t.asks = xla.Parameter(t.graph, keyType, Shape{2}), true
		}
		same = append(same, t.key)
	}
	fixed, changing := t.fixed[:c.numbers], t.dynamic[:c.numbers]
	for _, n := range changing {
		if n != nil {
			same = append(same, n)
		}
	}
	salt := t.salt
	return same, func(step *graph.Node, in, same []*graph.Node) []*graph.Node {
		asking := int32(math.MaxInt32) // the gradients are asked for after the loop
		w := &writing{recording: &recording{numbers: fixed, hooks: c.hooks}, graph: step.Graph(), nodes: make([]*node, c.values), dynamic: make([]*graph.Node, c.numbers), asking: &asking}
		inner := &trace{graph: w.graph}
		put := func(id int32, raw *graph.Node) { w.set(id, &node{raw: raw, t: inner}) }
		for i, x := range in {
			put(int32(i), x)
		}
		for i, id := range c.captured {
			put(id, same[i])
		}
		same = same[len(c.captured):]
		if c.drawsFrom >= 0 {
			put(c.drawsFrom, lower.KeyOfStep(same[0], salt, step))
			same = same[1:]
		}
		for i, n := range changing {
			if n != nil {
				w.dynamic[i], same = same[0], same[1:]
			}
		}
		w.write(c.list)
		outs := make([]*graph.Node, len(c.outs))
		for i, id := range c.outs {
			outs[i] = w.nodes[id].value()
		}
		return outs
	}
}
