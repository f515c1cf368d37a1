package dl

import (
	"fmt"
	"math/rand/v2"
	"reflect"
)

// Param is a parameter of a network of your own, as torch.nn.Parameter: a field
// that [Build] fills.
//
//	type ViT struct {
//		Token dl.Param
//		…
//	}
//	vit := &ViT{Token: dl.Param{Shape: dl.Shape{1, 1, 64}, Init: dl.Normal(0, 0.02)}}
//
// In the state dict its name is that of the field in lower case, or that of the
// tag dl:"cls_token".
type Param struct {
	Shape Shape // required
	Init  Init  // how it starts; nil means 0

	place
}

// Value returns the parameter.
func (p Param) Value() *Tensor { return p.place.own("Param", p.Shape, p.Init, true) }

// Buffer is a tensor that belongs to a network and is saved with it, and that no
// optimizer changes, as register_buffer makes them. [Tensor.Set] changes it.
type Buffer struct {
	Shape Shape // required
	Init  Init  // how it starts; nil means 0

	place
}

// Value returns the buffer.
func (b Buffer) Value() *Tensor { return b.place.own("Buffer", b.Shape, b.Init, false) }

// own returns the tensor of a Param or Buffer, which Build makes.
func (p place) own(kind string, shape Shape, first Init, trained bool) *Tensor {
	if p.site == nil {
		panic(fmt.Errorf("dl: %s: it is not part of the model; make it a field of the struct that dl.Build gets", kind))
	}
	if len(p.site.params) == 0 {
		r := goroutineRecording()
		if r == nil || r.build == nil {
			panic(fmt.Errorf("dl: %s: %s was not there when the model was built; Forward must use the same parameters each time", kind, p.path))
		}
		if first == nil {
			first = Constant(0)
		}
		r.build.site = p.site
		r.build.add(spec{name: p.site.path, shape: shape, dtype: Float32, trained: trained}, func(random func() float64, values []float32) { first(shape, random, values) })
	}
	t := p.site.params[0]
	if !t.shape.Equal(shape) {
		panic(&ShapeError{Op: p.label(kind), Got: shape, Want: fmt.Sprint([]int(t.shape)), Fix: "a parameter keeps the shape that it was built with"})
	}
	return t
}

// NewParam returns a parameter with the values of t, outside of any network.
func NewParam(t *Tensor) *Tensor {
	if !t.dtype.IsFloat() {
		panic(fmt.Errorf("dl: NewParam: the tensor is %v %s, want a floating-point type, which alone has a gradient", t.shape, typeName(t.dtype)))
	}
	t.flat() // panics where there are no values
	if t.v != nil {
		t = t.v.now.Load()
	}
	return newVariable(t.kept(), true)
}

// Set gives a parameter or buffer new values, those of x, which must have its
// shape: at once, or in a compiled function when the program has run. No gradient
// goes through it.
func (t *Tensor) Set(x *Tensor) {
	if t.v == nil {
		panic(fmt.Errorf("dl: Set: the tensor is a value, and values never change; keep the new one in a variable, or make a parameter with dl.NewParam"))
	}
	if !t.shape.Equal(x.shape) {
		panic(&ShapeError{Op: "Set", Got: x.shape, Want: fmt.Sprint([]int(t.shape))})
	}
	x = x.as(t.dtype)
	if r := recordingOf([]*Tensor{t, x}); r != nil {
		r.assign(t, r.of(x.Detach()))
		return
	}
	if x.v != nil {
		x = x.v.now.Load()
	}
	unlock := lockVariables([]*Tensor{t})
	defer unlock()
	install([]*Tensor{t}, []*Tensor{x.kept()})
}

// Init gives a parameter or buffer the values that it could have begun with, as
// the functions of torch.nn.init do: p.Init(dl.Normal(0, 0.02)). They follow from
// [Seed], and are others at each call.
func (t *Tensor) Init(how Init) {
	if how == nil {
		panic(fmt.Errorf("dl: Init: got nil, want how to begin: dl.Constant(0), dl.KaimingNormal, dl.Normal(0, 0.02), …"))
	}
	random := rand.New(rand.NewPCG(nextSeed(), 0))
	values := make([]float32, t.shape.Size())
	how(t.shape, random.Float64, values)
	t.Set(newTensor(values, t.shape))
}

// affine is embedded in layers with a weight and a bias.
type affine struct {
	place

	Weight *Tensor // the layer's weight, once Build has made it
	Bias   *Tensor // its bias; nil where it has none
}

var affineType = reflect.TypeFor[affine]()

// bind also gives the layer the tensors that become its weight and bias.
func (a *affine) bind(path string) *site {
	s := a.place.bind(path)
	if s.reserved == nil {
		a.Weight, a.Bias = &Tensor{v: &variable{id: variableIDs.Add(1), trained: true}}, &Tensor{v: &variable{id: variableIDs.Add(1), trained: true}}
		s.reserved = map[string]*Tensor{"weight": a.Weight, "bias": a.Bias}
	}
	return s
}

func (a *affine) take() place {
	old := a.place
	*a = affine{}
	return old
}

// without forgets what the layer will not have, by its settings.
func (a *affine) without(v reflect.Value) {
	set := func(name string) bool {
		f := v.FieldByName(name)
		return f.IsValid() && f.Bool()
	}
	if set("NoBias") || set("NoAffine") {
		a.Bias = nil
	}
	if set("NoAffine") {
		a.Weight = nil
	}
	if f := v.FieldByName("Affine"); f.IsValid() && !f.Bool() {
		a.Weight, a.Bias = nil, nil
	}
}
