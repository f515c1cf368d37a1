package dl

import (
	"fmt"
	"reflect"
	"sync"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// Optim is an optimizer for some parameters, as the objects of torch.optim: it
// changes them by their gradients. The settings make it:
//
//	opt := dl.Adam{LR: 1e-3}.For(model)
//	loss := model.Call(x).CrossEntropy(y)
//	opt.ZeroGrad()
//	loss.Backward()
//	opt.Step()
//
// Step works at once, and inside of a function that [Compile] made, where it is
// a part of the program. It keeps the optimizer's state, such as momentum. A
// step happens for all parameters or for none.
type Optim struct {
	rule     rule
	settings string
	params   []*Tensor
	slots    [][]*Tensor // of each parameter

	mu       sync.Mutex
	rate     float64
	momentum float64
	n        int // steps done
}

// For returns the optimizer for the parameters of models, networks and layers,
// and for single parameters, *Tensor or []*Tensor.
func (s SGD) For(of ...any) *Optim { return newOptim("SGD", s, of) }

// For returns the optimizer for some parameters, as [SGD.For].
func (a Adam) For(of ...any) *Optim { return newOptim("Adam", a, of) }

// For returns the optimizer for some parameters, as [SGD.For].
func (a AdamW) For(of ...any) *Optim { return newOptim("AdamW", a, of) }

// For returns the optimizer for some parameters, as [SGD.For].
func (r RMSprop) For(of ...any) *Optim { return newOptim("RMSprop", r, of) }

// For returns the optimizer for some parameters, as [SGD.For].
func (a Adagrad) For(of ...any) *Optim { return newOptim("Adagrad", a, of) }

func newOptim(name string, r rule, of []any) *Optim {
	if err := r.check(); err != nil {
		panic(err)
	}
	o := &Optim{rule: r, settings: r.settings(), rate: r.rate(), momentum: r.momentum()}
	seen := map[*Tensor]bool{}
	for _, x := range of {
		found, err := parametersOf(x)
		if err != nil {
			panic(fmt.Errorf("dl: %s.For: %w", name, err))
		}
		for _, p := range found {
			if !seen[p] {
				seen[p] = true
				o.params = append(o.params, p)
			}
		}
	}
	if len(o.params) == 0 {
		panic(fmt.Errorf("dl: %s.For: there are no parameters, want a model that dl.Build made, a part of one, or parameters", name))
	}
	for _, p := range o.params {
		var slots []*Tensor
		for _, s := range r.slots() {
			slots = append(slots, newVariable(filled(p.shape, float32(s.start)), false))
		}
		o.slots = append(o.slots, slots)
	}
	return o
}

// filled returns a float32 tensor of one value.
func filled(shape Shape, v float32) *Tensor {
	values := make([]float32, shape.Size())
	if v != 0 {
		for i := range values {
			values[i] = v
		}
	}
	return newTensor(values, shape)
}

// parametersOf returns the trained parameters of a model, network or layer.
func parametersOf(x any) ([]*Tensor, error) {
	named, err := namedParameters(x)
	if err != nil {
		return nil, err
	}
	all := make([]*Tensor, len(named))
	for i, p := range named {
		all[i] = p.tensor
	}
	return all, nil
}

// namedTensor is a parameter with its name in the model.
type namedTensor struct {
	name   string
	tensor *Tensor
}

// namedParameters also returns the parameters' names, which are empty for
// those that are given by themselves.
func namedParameters(x any) ([]namedTensor, error) {
	var all []namedTensor
	add := func(name string, t *Tensor) {
		if t.v != nil && t.v.trained {
			all = append(all, namedTensor{name, t})
		}
	}
	switch x := x.(type) {
	case nil:
		return nil, fmt.Errorf("got nil, want a model or parameters")
	case *Model:
		for i, t := range x.vars {
			add(x.specs[i].name, t)
		}
		return all, nil
	case *Tensor:
		if x.v == nil || !x.v.trained {
			return nil, fmt.Errorf("got a tensor of %v that is no parameter; declare it as a dl.Param in a network, or make it one with dl.NewParam", x.shape)
		}
		return []namedTensor{{"", x}}, nil
	case []*Tensor:
		for _, t := range x {
			one, err := namedParameters(t)
			if err != nil {
				return nil, err
			}
			all = append(all, one...)
		}
		return all, nil
	}
	sites := map[*site]bool{}
	var visit func(v reflect.Value)
	visit = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Interface, reflect.Pointer:
			if !v.IsNil() {
				visit(v.Elem())
			}
		case reflect.Slice, reflect.Array:
			if holdsLayers(v.Type().Elem(), nil) {
				for i := range v.Len() {
					visit(v.Index(i))
				}
			}
		case reflect.Struct:
			if v.Type() == placeType {
				if s := v.FieldByName("site"); !s.IsNil() {
					s := (*site)(s.UnsafePointer())
					if !sites[s] {
						sites[s] = true
						for i, t := range s.params {
							add(s.whole[i], t)
						}
					}
				}
				return
			}
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.Type == placeType || f.Type == affineType || holdsLayers(f.Type, nil) {
					visit(v.Field(i))
				}
			}
		}
	}
	visit(reflect.ValueOf(x))
	if len(all) == 0 {
		return nil, fmt.Errorf("%T holds no parameters; give its model, or build it first with dl.Build", x)
	}
	return all, nil
}

var placeType = reflect.TypeFor[place]()

// Params returns the optimizer's parameters.
func (o *Optim) Params() []*Tensor { return append([]*Tensor{}, o.params...) }

// N returns the number of steps done.
func (o *Optim) N() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.n
}

// LR returns the learning rate.
func (o *Optim) LR() float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rate
}

// SetLR changes the learning rate from the next step on. Nothing is compiled
// anew.
func (o *Optim) SetLR(lr float64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rate = lr
}

// ZeroGrad forgets the gradients of the parameters.
func (o *Optim) ZeroGrad() {
	for _, p := range o.params {
		p.ZeroGrad()
	}
}

// Step changes the parameters by their gradients, which stay. A parameter
// without a gradient stays as it is; when none has one, it panics.
func (o *Optim) Step() {
	r := goroutineRecording()
	if r != nil {
		o.record(r, r.grads)
		return
	}
	grads := map[*Tensor]*Tensor{}
	for _, p := range o.params {
		if g := p.Grad(); g != nil {
			grads[p] = g
		}
	}
	on, _, err := together(nil)
	if err != nil {
		panic(err)
	}
	r = newRecording("update of the weights", on)
	defer r.close()
	err = xla.Guard(func() {
		defer r.begin()()
		o.record(r, grads)
	})
	if err == nil {
		_, err = r.run(xla.Context(), nil, nil)
	}
	if err != nil {
		panic(during("Step", err))
	}
}

// record records a step by the gradients that there are.
func (o *Optim) record(r *recording, grads map[*Tensor]*Tensor) {
	var params, gradients, slots []*Tensor
	for i, p := range o.params {
		if g := grads[p]; g != nil && p.learns() {
			params, gradients, slots = append(params, p), append(gradients, g), append(slots, o.slots[i]...)
			r.gradientMustBeFinite(p, g)
		}
	}
	if len(params) == 0 {
		panic(fmt.Errorf("dl: Step: none of the optimizer's %d parameters has a gradient; call loss.Backward() before it", len(o.params)))
	}
	o.mu.Lock()
	if r.steps == nil {
		r.steps = map[*Optim]int{}
	}
	r.steps[o]++
	numbers := o.rule.scalars(o.n+r.steps[o], o.rate, o.momentum)
	o.mu.Unlock()
	if r.steps[o] == 1 {
		r.after = append(r.after, func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.n += r.steps[o]
		})
	}
	u := updater{scalars: []int{len(numbers)}}
	for range params {
		u.rules, u.groups = append(u.rules, o.rule), append(u.groups, 0)
	}
	xs := append(append(append([]*Tensor{}, params...), gradients...), slots...)
	for _, v := range numbers {
		xs = append(xs, r.argument(Scalar(float32(v)), false))
	}
	key := opKey{name: "optimizer", settings: fmt.Sprint(len(params), " ", o.settings)}
	var outs []*Tensor
	NoGrad(func() {
		outs, _ = do(key, nil, func(_ *trace, in []*node) []*node { return u.write(in) }, xs, nil, nil)
	})
	for i, p := range params {
		r.assign(p, outs[i])
	}
	for i, s := range slots {
		r.assign(s, outs[len(params)+i])
	}
}

// ClipGradNorm makes the gradients of a model's parameters, or of an optimizer's,
// smaller together where their common length is above most, as
// torch.nn.utils.clip_grad_norm_ does, and returns what that length was.
func ClipGradNorm(of any, most float64) *Tensor {
	var params []*Tensor
	if o, ok := of.(*Optim); ok {
		params = o.params
	} else {
		var err error
		if params, err = parametersOf(of); err != nil {
			panic(fmt.Errorf("dl: ClipGradNorm: %w", err))
		}
	}
	var with, gradients []*Tensor
	for _, p := range params {
		if g := p.Grad(); g != nil {
			with, gradients = append(with, p), append(gradients, g)
		}
	}
	if len(with) == 0 {
		panic(fmt.Errorf("dl: ClipGradNorm: no parameter has a gradient; call loss.Backward() before it"))
	}
	clip := Options{ClipNorm: most}
	outs, _ := do(opKey{name: "clip", settings: most}, nil, func(_ *trace, in []*node) (out []*node) {
		raw := make([]*graph.Node, len(in))
		for i, x := range in {
			raw[i] = x.value()
		}
		for _, g := range clip.clip(raw) {
			out = append(out, in[0].With(g))
		}
		return append(out, in[0].With(graph.Sqrt(graph.ReduceAllSum(graph.Square(lengths(raw))))))
	}, gradients, nil, nil)
	for i, p := range with {
		p.setGradient(outs[i])
	}
	return outs[len(with)]
}

// setGradient gives a parameter a gradient, in the recording or at once.
func (t *Tensor) setGradient(g *Tensor) {
	if r := recordingOf([]*Tensor{t, g}); r != nil {
		if r.grads == nil {
			r.grads = map[*Tensor]*Tensor{}
		}
		r.grads[t] = g
		return
	}
	t.setGrad(g)
}
