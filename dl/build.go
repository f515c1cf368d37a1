package dl

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"unsafe"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// seeds holds what [Seed] sets.
var seeds struct {
	sync.Mutex
	seed  uint64
	built uint64 // models since Seed
	drawn uint64 // what else draws random numbers since Seed
}

// Seed sets where the random numbers of the models built from now on begin.
// The same seed, and the same models built after it in the same order, give
// the same weights. Without a call the seed is 0.
func Seed(seed uint64) {
	seeds.Lock()
	defer seeds.Unlock()
	seeds.seed, seeds.built, seeds.drawn = seed, 0, 0
}

// Build makes a model of a network: it runs Forward once without numbers on
// inputs of the given shapes, whose first axis is the batch, infers the sizes left
// out, checks that all shapes fit, and makes the weights with PyTorch's initial
// values and names. Other batch sizes may be used later.
//
//	model, err := dl.Build(&Net{…}, dl.Shape{64, 3, 32, 32})
//	model, err := dl.Build(&Translator{…}, dl.Shape{8, 20}, dl.Int64, dl.Shape{8, 20}, dl.Int64)
//
// A network is a [Layer], or a pointer to a struct whose Forward method takes
// several tensors; each input is a Shape, which is of float32 unless a DType
// follows it, or a tensor, which stands for its shape and type. What the model
// gets is converted to that type.
//
// The weights belong to the layers, which Build changes: net.Head.Weight is one
// of them. A layer that was built before keeps its own, in this model too. A
// shape that does not fit is returned as a [*ShapeError] that names the layer.
func Build(net any, inputs ...any) (*Model, error) {
	if net == nil {
		return nil, fmt.Errorf("dl: Build: the network is nil, want a layer; pass &Net{…} or Sequential{…}")
	}
	m := &Model{}
	for i, in := range inputs {
		switch in := in.(type) {
		case Shape:
			m.inputs = append(m.inputs, signatureOf(in, Float32))
		case []int:
			m.inputs = append(m.inputs, signatureOf(in, Float32))
		case *Tensor:
			m.inputs = append(m.inputs, signatureOf(in.shape, in.dtype))
		case DType:
			if i == 0 {
				return nil, fmt.Errorf("dl: Build: the first input is the type %s, want a shape before it: dl.Shape{64, 20}, dl.%s", typeName(in), in)
			}
			last := len(m.inputs) - 1
			m.inputs[last] = signatureOf(m.inputs[last].shape, in)
		default:
			return nil, fmt.Errorf("dl: Build: input %d is a %T, want a Shape, a DType after it, or a tensor: dl.Shape{64, 3, 32, 32}", i, in)
		}
	}
	if len(m.inputs) == 0 {
		return nil, fmt.Errorf("dl: Build: there is no input, want the shape of one, the batch first: dl.Shape{64, 3, 32, 32}")
	}
	for _, s := range m.inputs {
		for _, n := range s.shape {
			if n <= 0 {
				return nil, fmt.Errorf("dl: Build: input shape is %v, want every axis above 0; the first is the batch", s.shape)
			}
		}
	}
	m.input, m.dtype = append(Shape{}, m.inputs[0].shape...), m.inputs[0].dtype
	seeds.Lock()
	seed, serial := seeds.seed, seeds.built
	seeds.built++
	seeds.Unlock()

	if err := m.assemble(net, &walker{}); err != nil {
		return nil, err
	}
	b := &builder{model: m, seed: seed, serial: serial}
	if err := b.run(); err != nil {
		return nil, during("Build", err)
	}
	return m, nil
}

// assemble finds the layers of a network and its Forward. The walker may hold
// what is to be put into it.
func (m *Model) assemble(net any, w *walker) error {
	w.byPath, w.pointers, w.slices, w.sites = map[string]*module{}, map[unsafe.Pointer]string{}, map[unsafe.Pointer]string{}, map[*site]string{}
	outermost := reflect.New(reflect.TypeFor[any]()).Elem()
	outermost.Set(reflect.ValueOf(net))
	var err error
	if m.root, err = w.walk(outermost, "", ""); err != nil {
		return err
	}
	if m.root == nil {
		m.root = w.add(&module{kind: typeText(reflect.TypeOf(net)), leaf: true})
	}
	m.walker, m.net = *w, outermost.Interface()
	if layer, ok := m.net.(Layer); ok && len(m.inputs) == 1 {
		m.forward = func(xs []*Tensor) *Tensor { return layer.Forward(xs[0]) }
		return nil
	}
	return m.reflectForward()
}

// reflectForward finds the Forward of a network with several inputs.
func (m *Model) reflectForward() error {
	f := reflect.ValueOf(m.net).MethodByName("Forward")
	want := fmt.Sprintf("want a method Forward of %d tensors that returns one", len(m.inputs))
	if !f.IsValid() {
		return fmt.Errorf("dl: Build: %T has no method Forward, %s; for a method of a pointer pass &%s{…}", m.net, want, typeText(reflect.TypeOf(m.net)))
	}
	t := f.Type()
	fits := t.NumIn() == len(m.inputs) && t.NumOut() > 0 && t.Out(0) == tensorType && !t.IsVariadic()
	for i := range t.NumIn() {
		fits = fits && t.In(i) == tensorType
	}
	if !fits {
		return fmt.Errorf("dl: Build: Forward of %T is %v, %s, as many as Build got shapes", m.net, t, want)
	}
	m.forward = func(xs []*Tensor) *Tensor {
		in := make([]reflect.Value, len(xs))
		for i, x := range xs {
			in[i] = reflect.ValueOf(x)
		}
		return f.Call(in)[0].Interface().(*Tensor)
	}
	return nil
}

// builder makes the parameters that the first run of a model meets.
type builder struct {
	model        *Model
	site         *site // of the layer that runs
	seed, serial uint64
	replacing    bool // another layer takes a layer's place
}

// run records the model once, which makes its parameters.
func (b *builder) run() error {
	on, err := xla.Current()
	if err != nil {
		return err
	}
	m := b.model
	r := newRecording("build", on)
	r.model, r.build, r.training = m, b, false
	defer r.close()
	err = xla.Guard(func() {
		defer r.begin()()
		var xs []*Tensor
		for _, s := range m.inputs {
			xs = append(xs, r.input(nil, s.dtype, s.shape, false))
		}
		r.saw("", m.call(r, xs...))
	})
	if err != nil {
		return err
	}
	b.collect(m.root)
	return nil
}

// make makes what a layer lacks.
func (b *builder) make(k opKey, s *site, lower lowering, xs []*Tensor) {
	b.site = s
	var in []*signature
	for _, x := range append(xs[:len(xs):len(xs)], s.params...) {
		in = append(in, x.signature())
	}
	k.describe(lower, in, nil, layerInputs{names: s.whole, build: b})
}

// add makes a parameter. Its random numbers depend on the seed and its name
// only, so another layer elsewhere changes nothing here, and they are drawn when
// they are first needed: a model that is planned, or loaded, takes no memory for them.
func (b *builder) add(s spec, first initializer) {
	h := fnv.New64a()
	h.Write([]byte(s.name))
	from := [2]uint64{b.seed ^ b.serial<<32, h.Sum64()}
	name := s.name
	if b.site.path != root {
		name = strings.TrimPrefix(strings.TrimPrefix(name, b.site.path), ".")
	}
	now := lazyTensor(s.dtype, s.shape, func(flat any) {
		random := rand.New(rand.NewPCG(from[0], from[1]))
		if to, ok := flat.([]int64); ok {
			values := make([]float32, len(to))
			first(random.Float64, values)
			copy(to, cast[int64](values))
			return
		}
		first(random.Float64, flat.([]float32))
	})
	v := b.site.reserved[name]
	if v == nil {
		v = newVariable(now, s.trained)
	} else {
		v.shape, v.dtype = now.shape, now.dtype
		v.v.now.Store(now)
	}
	v.v.name = s.name
	b.site.add(name, v)
}

// collect lists the parameters in the order of the layers, which is
// PyTorch's order.
func (b *builder) collect(m *module) {
	for _, s := range m.sites {
		for i, v := range s.params {
			if v.v.trained {
				m.params += v.shape.Size()
			}
			b.model.specs = append(b.model.specs, spec{s.whole[i], v.shape, v.dtype, v.v.trained})
			b.model.vars = append(b.model.vars, v)
		}
	}
	for _, child := range m.children {
		b.collect(child)
	}
}
