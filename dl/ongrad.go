package dl

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// gradHook is a function that was given to OnGrad.
type gradHook struct {
	f func(grad *Tensor) *Tensor
}

// OnGrad has f called with the gradient of the tensor whenever [Tensor.Backward]
// finds one, as register_hook does in PyTorch: to look at it, and to change it
// before it is added to Grad, or goes on to what the tensor was computed from. f
// returns the gradient to use, in the same shape; nil leaves it as it is.
//
//	for _, p := range opt.Params() {
//		p.OnGrad(func(g *dl.Tensor) *dl.Tensor { return g.Clamp(-1, 1) })
//	}
//
// It counts from the next Backward on, until remove is called. The functions of
// one tensor run in the order in which they were given. In a program, such as a
// training step or a compiled function, f runs as the program is recorded, on a
// gradient that has a shape and no values yet; what is given there, inside of the
// function, counts for that call. With Options.Accumulate, f gets the gradient of
// the whole step.
func (t *Tensor) OnGrad(f func(grad *Tensor) *Tensor) (remove func()) {
	if f == nil {
		panic(fmt.Errorf("dl: OnGrad: the function is nil, want one such as func(g *dl.Tensor) *dl.Tensor { return g.Clamp(-1, 1) }"))
	}
	h := &gradHook{f}
	r := recordingOf([]*Tensor{t})
	switch {
	case t.rec != nil:
		return r.hook(t, h)
	case r != nil:
		r = r.outermost()
		if r.onLeaf == nil {
			r.onLeaf = map[*Tensor][]*gradHook{}
		}
		r.onLeaf[t] = append(r.onLeaf[t], h)
		return func() {
			r.onLeaf[t] = slices.DeleteFunc(slices.Clone(r.onLeaf[t]), func(x *gradHook) bool { return x == h })
		}
	case t.tape == nil && !t.learns() && (t.v == nil || !t.v.trained):
		panic(fmt.Errorf("dl: OnGrad: the tensor has no gradient: it is no parameter, and was not computed from one; call x.RequiresGrad() first"))
	}
	v := t.gradient()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.hooks = append(slices.Clone(v.hooks), h)
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.hooks = slices.DeleteFunc(slices.Clone(v.hooks), func(x *gradHook) bool { return x == h })
	}
}

// gradHooks returns the functions that change the tensor's gradient.
func (t *Tensor) gradHooks() []*gradHook {
	v := t.v
	if v == nil {
		t.mu.Lock()
		v = t.leaf
		t.mu.Unlock()
	}
	if v == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.hooks // replaced as a whole
}

// hook has the gradient of a value of the recording changed on its way to what the
// value was computed from.
func (r *recording) hook(t *Tensor, h *gradHook) (remove func()) {
	id := r.id(t)
	r.text = binary.AppendUvarint(append(r.text, 'h'), uint64(id))
	b := r.later("OnGrad", t, []*Tensor{t}, func(g *Tensor, _ []*Tensor) []*Tensor { return []*Tensor{h.change(t, g)} })
	b.hook = h
	if r.hooks == nil {
		r.hooks = map[int32][]*body{}
	}
	r.hooks[id] = append(r.hooks[id], b)
	return func() {
		r.hooks[id] = slices.DeleteFunc(r.hooks[id], func(x *body) bool { return x == b })
		r.text = binary.AppendUvarint(append(r.text, 'x'), uint64(b.grad))
	}
}

// hooked returns the gradient of a tensor that learns as its functions change it:
// in a recording, or at once where that is nil.
func (t *Tensor) hooked(r *recording, g *Tensor) *Tensor {
	for _, h := range t.gradHooks() {
		g = h.change(t, g)
	}
	if r == nil {
		return g
	}
	for _, h := range r.onLeaf[t] {
		g = h.change(t, g)
	}
	if t.rec == r {
		for _, b := range r.hooks[t.id] {
			g = b.hook.change(t, g)
		}
	}
	return g
}

// change returns the gradient of t as the function wants it.
func (h *gradHook) change(t, g *Tensor) *Tensor {
	y := h.f(g)
	if y == nil {
		return g
	}
	if !y.shape.Equal(t.shape) {
		panic(&ShapeError{Op: "OnGrad: the gradient that the function returns", Got: y.shape, Want: fmt.Sprint([]int(t.shape)), Fix: "a gradient has the shape of what it is for; return nil to leave it as it is"})
	}
	return y.as(t.dtype)
}
