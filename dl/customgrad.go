package dl

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/lower"
)

// CustomGrad returns a function that computes what forward computes, and whose
// gradient is what backward says, as torch.autograd.Function does. Here is a sign
// with the straight-through gradient of quantized networks:
//
//	sign := dl.CustomGrad(
//		func(x *dl.Tensor) *dl.Tensor { return x.Sign() },
//		func(grad, x *dl.Tensor) *dl.Tensor { return grad.Clamp(-1, 1) },
//	)
//	y := sign(x)
//
// forward takes tensors, and other values where it needs them, and returns one
// tensor. backward takes the gradient of that and then all that forward takes; it
// returns a gradient for each tensor that forward takes, in the tensor's shape, or
// nil for one that has none. Nothing of forward is differentiated, so it need not
// have a gradient. What backward computes can be differentiated again.
//
// The function works at once, when backward runs during [Tensor.Backward], and in
// compiled functions, when it runs as the function is called. There a gradient
// has a shape and no values yet. Functions of other types panic.
func CustomGrad[F any](forward F, backward any) F {
	f, b := reflect.ValueOf(forward), reflect.ValueOf(backward)
	if err := checkCustom(f, b); err != nil {
		panic(err)
	}
	return reflect.MakeFunc(f.Type(), func(args []reflect.Value) []reflect.Value {
		var xs []*Tensor
		for i, a := range args {
			if x, ok := a.Interface().(*Tensor); ok {
				if x == nil {
					panic(fmt.Errorf("dl: CustomGrad: argument %d is nil, want a tensor", i))
				}
				xs = append(xs, x)
			}
		}
		// with returns the arguments with other tensors in the place of xs.
		with := func(xs []*Tensor) []reflect.Value {
			in := slices.Clone(args)
			k := 0
			for i, a := range in {
				if a.Type() == tensorType {
					in[i] = reflect.ValueOf(xs[k])
					k++
				}
			}
			return in
		}
		y := customGrad(xs,
			func(xs []*Tensor) *Tensor { return f.Call(with(xs))[0].Interface().(*Tensor) },
			func(g *Tensor, xs []*Tensor) []*Tensor {
				var all []*Tensor
				for _, out := range b.Call(append([]reflect.Value{reflect.ValueOf(g)}, with(xs)...)) {
					all = append(all, out.Interface().(*Tensor))
				}
				return all
			})
		return []reflect.Value{reflect.ValueOf(y)}
	}).Interface().(F)
}

// checkCustom returns an error for functions whose types do not fit one another.
func checkCustom(f, b reflect.Value) error {
	const example = "func(x *dl.Tensor) *dl.Tensor"
	if f.Kind() != reflect.Func || f.IsNil() || f.Type().IsVariadic() || f.Type().NumOut() != 1 || f.Type().Out(0) != tensorType {
		return fmt.Errorf("dl: CustomGrad: forward is %s, want a function of tensors that returns one, such as %s", goType(f), example)
	}
	in, out := []reflect.Type{tensorType}, []reflect.Type{}
	for i := range f.Type().NumIn() {
		in = append(in, f.Type().In(i))
		if f.Type().In(i) == tensorType {
			out = append(out, tensorType)
		}
	}
	if len(out) == 0 {
		return fmt.Errorf("dl: CustomGrad: forward is %v, want a function of at least one tensor, such as %s", f.Type(), example)
	}
	if want := reflect.FuncOf(in, out, false); b.Kind() != reflect.Func || b.IsNil() || !b.Type().ConvertibleTo(want) {
		return fmt.Errorf("dl: CustomGrad: backward is %s, want %v: it takes the gradient and what forward takes, and returns a gradient for each tensor", goType(b), want)
	}
	return nil
}

func goType(v reflect.Value) string {
	if !v.IsValid() {
		return "nil"
	}
	return v.Type().String()
}

// pullback computes the gradients for the inputs of a function from that of its
// output.
type pullback func(g *Tensor, xs []*Tensor) []*Tensor

// customGrad computes forward with the gradient that backward says.
func customGrad(xs []*Tensor, forward func(xs []*Tensor) *Tensor, backward pullback) *Tensor {
	r := recordingOf(xs)
	learns := r != nil
	for _, x := range xs {
		learns = learns || x.learns() || x.tape != nil
	}
	var y *Tensor
	NoGrad(func() { y = forward(xs) })
	if y == nil {
		panic(fmt.Errorf("dl: CustomGrad: forward returned nil; return the last tensor"))
	}
	if !learns || gradientsOff() || !y.dtype.IsFloat() {
		return y
	}
	if r != nil {
		return r.custom(r.of(y), xs, backward)
	}
	values := make([]*Tensor, len(xs))
	for i, x := range xs {
		if values[i] = x; x.v != nil {
			values[i] = x.v.now.Load().kept()
		}
	}
	var own *Tensor // y may be one that others have
	NoGrad(func() { own = y.unary("identity", func(x *node) *node { return x.each(graph.Identity) }) })
	own.tape = &tape{in: append([]*Tensor{own.bare()}, xs...), values: append([]*Tensor{own}, values...), outs: []*Tensor{own}, backward: backward}
	return own
}

// bare returns another tensor with the values of t, through which no gradient goes.
func (t *Tensor) bare() *Tensor { return arrayTensor(t.data) }

// body is what a recording does later: when the gradient of a value is asked for.
type body struct {
	grad int32      // stands for the gradient of the value
	xs   []int32    // what the gradients are for
	outs []int32    // these; -1 where there is none
	list []recorded // how they come about
	made int32      // the recording's next number after it
	hook *gradHook  // of an OnGrad, which counts for gradients that are asked for later
}

// custom records a value that is y, and whose gradient for the xs is what backward
// says.
func (r *recording) custom(y *Tensor, xs []*Tensor, backward pullback) *Tensor {
	b := r.later("CustomGrad", y, xs, backward)
	n := recorded{in: append([]int32{y.id}, b.xs...), out: r.values, body: b}
	r.text = append(r.text, 'c')
	for _, id := range n.in {
		r.text = binary.AppendUvarint(r.text, uint64(id))
	}
	r.list = append(r.list, n)
	return r.symbol(y.signature())
}

// later records what backward does with the gradient of y, to be written where
// that is asked for.
func (r *recording) later(name string, y *Tensor, xs []*Tensor, backward pullback) *body {
	b := &body{}
	for _, x := range xs {
		b.xs = append(b.xs, r.id(x))
	}
	before, changed := r.list, len(r.changed)
	r.list = nil
	r.text = append(r.text, '(')
	g := r.symbol(y.signature())
	b.grad = g.id
	of := make([]*Tensor, len(xs))
	for i, x := range xs {
		of[i] = r.of(x)
	}
	var outs []*Tensor
	func() {
		defer r.begin()()
		outs = backward(g, of)
	}()
	if len(outs) != len(xs) {
		panic(fmt.Errorf("dl: %s: backward returned %d gradients, want %d, one for each tensor", name, len(outs), len(xs)))
	}
	for i, out := range outs {
		id := int32(-1)
		if out != nil {
			if !xs[i].shape.Equal(out.shape) {
				panic(&ShapeError{Op: fmt.Sprintf("%s: gradient %d of backward", name, i), Got: out.shape, Want: fmt.Sprint([]int(xs[i].shape)), Fix: "a gradient has the shape of what it is for"})
			}
			id = r.id(out.as(xs[i].dtype))
		}
		b.outs = append(b.outs, id)
		r.text = binary.AppendVarint(r.text, int64(id))
	}
	if len(r.changed) > changed {
		panic(fmt.Errorf("dl: %s: backward changes a parameter, and need not run; change it outside", name))
	}
	r.text = append(r.text, ')')
	b.list, b.made = r.list, r.values
	r.list = before
	if r.hidden == nil {
		r.hidden = map[int32]bool{}
	}
	r.hidden[b.grad] = true
	for _, n := range b.list {
		for k := range n.outputs() {
			r.hidden[n.out+int32(k)] = true
		}
	}
	return b
}

// written returns y as a value whose gradient for the inputs is what the body
// computes.
func (w *writing) written(b *body, y *node, in []*node) *node {
	var xs []*graph.Node
	var which []int
	for i, x := range in {
		if b.outs[i] >= 0 && x.DType().IsFloat() {
			xs, which = append(xs, x.value()), append(which, i)
		}
	}
	if len(xs) == 0 {
		return y.stopped()
	}
	raw := y.value()
	forward := func(xs []*graph.Node) *graph.Node {
		// The gradient has to find its way from the value to the xs, without any
		// number of theirs in it: a branch that is never taken is such a way.
		var way *graph.Node
		for _, x := range xs {
			sum := graph.ConvertDType(graph.ReduceAllSum(x), raw.DType())
			if way == nil {
				way = sum
			} else {
				way = graph.Add(way, sum)
			}
		}
		always := graph.BroadcastToDims(graph.Const(raw.Graph(), true), raw.Shape().Dimensions...)
		return graph.Where(always, graph.StopGradient(raw), graph.BroadcastToDims(way, raw.Shape().Dimensions...))
	}
	return y.With(lower.CustomGradients(xs, forward, func(g *graph.Node) []*graph.Node {
		if b.hook != nil && *w.asking < b.made {
			return []*graph.Node{g}
		}
		own := *w
		own.nodes = slices.Clone(w.nodes)
		own.nodes[b.grad] = y.With(g)
		own.write(b.list)
		out := make([]*graph.Node, len(xs))
		for k, i := range which {
			out[k] = own.nodes[b.outs[i]].value()
		}
		return out
	}))
}
