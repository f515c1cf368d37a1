package dl

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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

// own returns the tensor of a Param or Buffer, which Build makes. In Build it also notes
// how the model prints it.
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
		p.site.params[0].flat() // a mistake in the user's Init is Build's error
	}
	if r := goroutineRecording(); r != nil && r.build != nil && r.model != nil {
		if m := r.model.walker.byPath[p.site.path]; m != nil {
			m.text = kind + "(" + strings.Trim(strings.ReplaceAll(fmt.Sprint([]int(shape)), " ", ", "), "[]") + ")"
		}
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
	if t := v.Type(); t == reflect.TypeFor[RMSNorm]() || t == reflect.TypeFor[PReLU]() {
		a.Bias = nil
	}
	if f := v.FieldByName("Affine"); f.IsValid() && !f.Bool() {
		a.Weight, a.Bias = nil, nil
	}
}

// A parameter is a tensor whose values change: a training step gives it new
// ones. Everything else about tensors stays true, since what changes is only
// which values it has: code that read the old ones keeps them.

// variable is what makes a tensor a parameter, or a buffer of a layer.
type variable struct {
	id      uint64
	name    string                 // in the model that made it; "" for others
	now     atomic.Pointer[Tensor] // its values
	trained bool                   // false for a buffer, such as a running mean
	frozen  atomic.Bool

	train sync.Mutex // held from the reading of values to the writing of what follows from them

	mu    sync.Mutex
	grad  *Tensor     // nil where there is none
	hooks []*gradHook // called with each gradient that Backward finds
}

var variableIDs atomic.Uint64

// newVariable returns a parameter that begins with the values of t.
func newVariable(t *Tensor, trained bool) *Tensor {
	v := &variable{id: variableIDs.Add(1), trained: trained}
	v.now.Store(t)
	return &Tensor{shape: t.shape, dtype: t.dtype, v: v}
}

// learns reports whether a gradient belongs to the tensor.
func (t *Tensor) learns() bool {
	if t.v != nil {
		return t.v.trained && !t.v.frozen.Load()
	}
	return t.wants
}

// commits orders the writing of several parameters at once with the reading of
// several: a reader sees them all as they were before a step, or all as after.
var commits sync.RWMutex

// values returns the values of parameters at one moment. They stay until
// release.
func valuesOf(vars []*Tensor) (values []*Tensor, release func()) {
	values = make([]*Tensor, len(vars))
	commits.RLock()
	for i, t := range vars {
		values[i] = t.v.now.Load()
		values[i].data.Pin()
	}
	commits.RUnlock()
	return values, func() {
		for _, t := range values {
			t.data.Unpin()
		}
	}
}

// install gives parameters new values, all at one moment, and frees the old
// ones when their last reader is done. The caller holds their locks.
func install(vars, values []*Tensor) {
	old := make([]*Tensor, len(vars))
	commits.Lock()
	for i, t := range vars {
		old[i] = t.v.now.Swap(values[i])
	}
	commits.Unlock()
	for i, t := range old {
		if t != nil && t != values[i] {
			t.mu.Lock()
			keep := t.keep
			t.mu.Unlock()
			if !keep {
				t.Free()
			}
		}
	}
}

// kept says that others use the value too, so that a step that replaces it must
// not free it.
func (t *Tensor) kept() *Tensor {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keep = true
	return t
}

// lockVariables locks parameters against other steps. It takes the locks in one
// order, so that two callers cannot wait for each other.
func lockVariables(vars []*Tensor) (unlock func()) {
	sorted := slices.Clone(vars)
	slices.SortFunc(sorted, func(a, b *Tensor) int { return int(int64(a.v.id) - int64(b.v.id)) })
	sorted = slices.Compact(sorted)
	for _, t := range sorted {
		t.v.train.Lock()
	}
	return func() {
		for _, t := range sorted {
			t.v.train.Unlock()
		}
	}
}
