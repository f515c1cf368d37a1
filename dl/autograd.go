package dl

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// tape is how a value was calculated at once, for its gradient.
type tape struct {
	op      *operation
	names   []string
	numbers []float64
	in      []*Tensor // as they were given: a parameter is the parameter
	values  []*Tensor // their values at the time
	outs    []*Tensor
	small   bool   // it ran in Go
	order   uint64 // later ones have larger numbers

	backward pullback // of a CustomGrad, whose value is in[0] and which has no op
}

var tapes atomic.Uint64

// RequiresGrad asks for the gradient of a tensor that is no parameter, such as
// a picture, as requires_grad_ does: Backward of what is calculated from it from
// now on puts it into [Tensor.Grad]. It returns the tensor.
func (t *Tensor) RequiresGrad() *Tensor {
	if !t.dtype.IsFloat() {
		panic(fmt.Errorf("dl: RequiresGrad: the tensor is %v %s, want a floating-point type, which alone has a gradient", t.shape, typeName(t.dtype)))
	}
	switch {
	case t.rec != nil:
		if l := (leaf{t.id, t}); !slices.Contains(t.rec.stands, l) {
			t.rec.stands = append(t.rec.stands, l)
		}
	case t.v == nil:
		t.wants = true
	case !t.v.trained:
		panic(fmt.Errorf("dl: RequiresGrad: the tensor is a buffer%s, which a layer changes and no gradient does; write x.Detach().RequiresGrad(), or dl.Param for what learns", ofName(t.v.name)))
	case t.v.frozen.Load():
		panic(fmt.Errorf("dl: RequiresGrad: the parameter%s is frozen; call Unfreeze of its model", ofName(t.v.name)))
	}
	return t
}

// ofName is a name after what it is of, where there is one.
func ofName(name string) string {
	if name == "" {
		return ""
	}
	return " " + name
}

// Grad returns the gradient that Backward found, summed over the calls since
// [Tensor.ZeroGrad]; nil where there is none.
func (t *Tensor) Grad() *Tensor {
	if r := recordingOf([]*Tensor{t}); r != nil {
		return r.outermost().grads[t]
	}
	g := t.gradient()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.grad
}

// ZeroGrad forgets the gradient.
func (t *Tensor) ZeroGrad() {
	if r := recordingOf([]*Tensor{t}); r != nil {
		delete(r.grads, t)
		return
	}
	t.setGrad(nil)
}

// gradient returns where the tensor keeps its gradient.
func (t *Tensor) gradient() *variable {
	if t.v != nil {
		return t.v
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.leaf == nil {
		t.leaf = &variable{}
	}
	return t.leaf
}

// SetGrad gives the tensor a gradient in the place of the one it has, as the
// assignment p.grad = g does in PyTorch; nil forgets it. It must have the tensor's
// shape.
func (t *Tensor) SetGrad(g *Tensor) {
	if g == nil {
		t.ZeroGrad()
		return
	}
	if !t.shape.Equal(g.shape) {
		panic(&ShapeError{Op: "SetGrad", Got: g.shape, Want: fmt.Sprint([]int(t.shape)), Fix: "a gradient has the shape of what it is for"})
	}
	t.setGradient(g.as(t.dtype).Detach())
}

func (t *Tensor) setGrad(g *Tensor) {
	v := t.gradient()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.grad = g
}

// Detach returns another tensor with the values, through which no gradient goes, and
// which may have one of its own: x.Detach().RequiresGrad(). That of a parameter is what
// it is now, and stays when a step gives the parameter others.
func (t *Tensor) Detach() *Tensor {
	if recordingOf([]*Tensor{t}) != nil {
		return t.unary("detach", func(x *node) *node { return x.stopped() })
	}
	if t.v != nil {
		commits.RLock() // no step may free the values before they are kept
		defer commits.RUnlock()
		return t.v.now.Load().kept().bare()
	}
	return t.bare()
}

// Backward finds how much the tensor, which must be one number, grows with each
// parameter and each tensor that [Tensor.RequiresGrad], and adds that to their
// Grad, as PyTorch's loss.backward does. Frozen parameters get none.
func (t *Tensor) Backward() {
	if t.Size() != 1 || !t.dtype.IsFloat() {
		panic(&ShapeError{Op: "Backward", Got: t.shape, Want: "one floating-point number", Fix: "end it with Sum() or Mean()"})
	}
	r := recordingOf([]*Tensor{t})
	if r != nil {
		if r.loop != nil {
			panic(fmt.Errorf("dl: Backward: it is called inside of the function of %s, where no gradient can stay; use dl.Grad there, or Backward of what comes out of it", r.loop.op))
		}
		leaves := r.leaves(t)
		if len(leaves) == 0 {
			panic(fmt.Errorf("dl: Backward: the number does not depend on a parameter that learns, or on a tensor with RequiresGrad"))
		}
		r.mustBeFinite(t, "loss")
		r.addGrads(leaves, r.differentiate(t, leaves))
		return
	}
	if t.tape == nil {
		panic(fmt.Errorf("dl: Backward: the number was not calculated from a parameter that learns, or from a tensor with RequiresGrad; inside of NoGrad nothing is kept"))
	}
	if leaves, gradients, err := t.gradientsNow(); err == nil {
		receive(leaves, gradients)
		return
	} else if err != errNotSmall {
		panic(err)
	}
	on, _, err := commonDevice([]*Tensor{t})
	if err != nil {
		panic(err)
	}
	r = newRecording("gradient", on)
	r.atOnce = true
	defer r.close()
	y := r.of(t)
	leaves := r.leaves(y)
	if len(leaves) == 0 {
		panic(errFrozenSince)
	}
	r.mustBeFinite(y, "loss")
	gradients := r.differentiate(y, leaves)
	for i, l := range leaves {
		r.gradientMustBeFinite(l.t, gradients[i])
	}
	ctx := xla.Context()
	out, err := r.run(ctx, nil, gradients)
	if err != nil {
		panic(during("Backward", err))
	}
	receive(leaves, out)
}

var errFrozenSince = fmt.Errorf("dl: Backward: nothing that the number depends on learns any more: its parameters were frozen")

// receive adds gradients to those that tensors have.
func receive(leaves []leaf, gradients []*Tensor) {
	if len(leaves) == 0 {
		panic(errFrozenSince)
	}
	NoGrad(func() {
		found := sumByLeaf(leaves, gradients)
		for i, l := range found {
			g := l.t.hooked(nil, l.g)
			if old := l.t.Grad(); old != nil {
				g = old.Add(g)
			}
			found[i].g = g
		}
		for _, l := range found { // now that no function of OnGrad has failed
			l.t.setGrad(l.g)
		}
	})
}

// addGrads adds gradients to those that there are in the recording.
func (r *recording) addGrads(leaves []leaf, gradients []*Tensor) {
	if r.grads == nil {
		r.grads = make(map[*Tensor]*Tensor, 128)
	}
	for _, l := range sumByLeaf(leaves, gradients) {
		g := l.t.hooked(r, l.g)
		r.gradientMustBeFinite(l.t, g)
		if old := r.grads[l.t]; old != nil {
			g = old.Add(g)
		}
		r.grads[l.t] = g
	}
}

// leafGradient is the gradient of a tensor that learns.
type leafGradient struct {
	t *Tensor
	g *Tensor
}

// sumByLeaf adds up the gradients of each tensor, which may have been used with
// several values.
func sumByLeaf(leaves []leaf, gradients []*Tensor) []leafGradient {
	var all []leafGradient
	at := make(map[*Tensor]int, len(leaves))
	all = make([]leafGradient, 0, len(leaves))
	for i, l := range leaves {
		if k, ok := at[l.t]; ok {
			all[k].g = all[k].g.Add(gradients[i])
			continue
		}
		at[l.t] = len(all)
		all = append(all, leafGradient{l.t, gradients[i]})
	}
	return all
}

// of returns a tensor of the recording with the value of t.
func (r *recording) of(t *Tensor) *Tensor {
	if t.rec == r {
		return t
	}
	s := t.signature()
	x := &Tensor{shape: s.shape, dtype: s.dtype, rec: r, id: r.id(t)}
	x.sig.Store(s)
	return x
}

// replay records how the value t was calculated, so that gradients go through
// it. What it was calculated from has the values of that time.
func (r *recording) replay(t *Tensor) int32 {
	type visit struct {
		t    *Tensor
		done bool
	}
	stack := []visit{{t, false}}
	for len(stack) > 0 {
		v := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if _, ok := r.ids[v.t]; ok {
			continue
		}
		at := v.t.tape
		if at == nil {
			x := r.input(v.t, v.t.dtype, v.t.shape, false)
			r.ids[v.t] = x.id
			continue
		}
		if !v.done {
			stack = append(stack, visit{v.t, true})
			for i := len(at.in) - 1; i >= 0; i-- {
				if at.in[i].v == nil {
					stack = append(stack, visit{at.in[i], false})
				}
			}
			continue
		}
		xs := make([]*Tensor, len(at.in))
		for i, x := range at.in {
			if x.v == nil {
				xs[i] = &Tensor{shape: x.shape, dtype: x.dtype, rec: r, id: r.ids[x]}
				continue
			}
			xs[i] = r.frozenAt(x, at.values[i])
		}
		var outs []*Tensor
		if at.backward != nil {
			outs = []*Tensor{r.custom(r.of(xs[0]), xs[1:], at.backward)}
		} else {
			outs = r.add(at.op, at.names, 0, at.numbers, xs)
		}
		for i, y := range at.outs {
			r.ids[y] = outs[i].id
			if y.wants {
				r.stands = append(r.stands, leaf{outs[i].id, y})
			}
			for _, h := range y.gradHooks() {
				r.hook(outs[i], h)
			}
		}
	}
	return r.ids[t]
}

// frozenAt returns the input for a parameter with the values of an earlier time.
func (r *recording) frozenAt(x, value *Tensor) *Tensor {
	key := [2]*Tensor{x, value}
	if in := r.earlier[key]; in != nil {
		return in
	}
	in := r.input(value, x.dtype, x.shape, false)
	r.inputs[len(r.inputs)-1].earlier = true
	if r.earlier == nil {
		r.earlier = map[[2]*Tensor]*Tensor{}
	}
	r.earlier[key] = in
	r.stands = append(r.stands, leaf{in.id, x})
	return in
}

// leaf is a value that a gradient is wanted for, and whose it is.
type leaf struct {
	id int32
	t  *Tensor
}

// leaves returns the values that y depends on and that learn.
func (r *recording) leaves(y *Tensor) []leaf {
	needed := make([]bool, r.values)
	needed[r.id(y)] = true
	for i := len(r.list) - 1; i >= 0; i-- {
		n := r.list[i]
		used := false
		for k := range n.outputs() {
			used = used || needed[int(n.out)+k]
		}
		if !used || n.stop || n.op != nil && n.op.name == "detach" {
			continue
		}
		for _, id := range n.in {
			needed[id] = true
		}
	}
	var all []leaf
	for _, in := range r.inputs {
		if needed[in.id] && !in.earlier && in.t != nil && in.t.rec == nil && in.t.learns() {
			all = append(all, leaf{in.id, in.t})
		}
	}
	for _, l := range r.stands {
		if needed[l.id] && (l.t.v == nil || l.t.learns()) {
			all = append(all, l)
		}
	}
	return all
}

// outputs returns how many values the operation gives.
func (n recorded) outputs() int {
	switch {
	case n.gradient:
		return len(n.in) - 1
	case n.body != nil:
		return 1
	}
	return len(n.op.outs)
}

// differentiate records the gradients of y, one number, for some values.
func (r *recording) differentiate(y *Tensor, at []leaf) []*Tensor {
	n := recorded{gradient: true, in: []int32{r.id(y)}, out: r.values}
	for _, l := range at {
		n.in = append(n.in, l.id)
	}
	r.text = append(r.text, 'g')
	for _, id := range n.in {
		r.text = binary.AppendUvarint(r.text, uint64(id))
	}
	r.text = append(r.text, '.')
	r.list = append(r.list, n)
	out := make([]*Tensor, len(at))
	for i, l := range at {
		out[i] = r.symbol(l.t.signature())
	}
	return out
}

// Grad returns the gradients of a function's value for the tensors that it is
// given, as torch.autograd.grad does: how much the value grows for each of
// their elements.
//
//	g, err := dl.Grad(func(x ...*dl.Tensor) *dl.Tensor { return x[0].Mul(x[0]).Sum() }, x)
//
// A function that does not return a single number is a [*ShapeError]; so is
// what does not fit inside of it. The function runs at every call; equal
// programs are compiled once. The gradients can be differentiated again, as with
// create_graph=True: at once, in a compiled function, and in a function whose gradient
// is asked for.
func Grad(f func(x ...*Tensor) *Tensor, at ...*Tensor) ([]*Tensor, error) {
	on, _, err := commonDevice(at)
	if err != nil {
		return nil, err
	}
	r := recordingOf(at)
	inner := r != nil
	if !inner {
		r = newRecording("gradient", on)
		r.whole = true
		defer r.close()
	}
	var gradients []*Tensor
	err = xla.Guard(func() {
		if !inner {
			defer r.begin()()
		}
		xs := make([]*Tensor, len(at))
		for i, x := range at {
			if !x.dtype.IsFloat() {
				panic(fmt.Errorf("dl: Grad: input %d is %s, want a floating-point type, which alone has a gradient; let the function take it from outside", i, typeName(x.dtype)))
			}
			if xs[i] = x; !inner {
				xs[i] = r.argument(x, false)
			}
		}
		y := f(xs...)
		if y == nil {
			panic(fmt.Errorf("dl: Grad: the function returned nil; return the last tensor"))
		}
		if y.Size() != 1 || !y.dtype.IsFloat() {
			panic(&ShapeError{Op: "Grad", Got: y.shape, Want: "one floating-point number from the function", Fix: "end it with Sum() or Mean()"})
		}
		value := r.of(y).Reshape()
		var leaves []leaf
		for _, x := range xs {
			leaves = append(leaves, leaf{r.id(x), x})
		}
		gradients = r.differentiate(value, leaves)
	})
	if err != nil || inner {
		return gradients, err
	}
	var out []*Tensor
	err = xla.Guard(func() { out, err = r.now(gradients) })
	return out, err
}
