package dl

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"reflect"
	"sync"
	"unsafe"

	"github.com/gomlx/gomlx/core/graph"
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

// Build makes a model of a network: it runs net once without numbers on an
// input of the given shape, whose first axis is the batch, infers the sizes
// left out, checks that all shapes fit, and makes the parameters with
// PyTorch's initial values and names.
//
// A shape that does not fit is returned as a [*ShapeError] that names the
// layer. Build writes the layers' places into net's fields; the weights are
// in the model. Other batch sizes may be used later. The input is float32,
// and what the model gets is converted to that, unless dtype names another
// type: Int64 for a network that begins with an [Embedding].
func Build(net Layer, input Shape, dtype ...DType) (*Model, error) {
	if net == nil {
		return nil, fmt.Errorf("dl: Build: the network is nil, want a layer; pass &Net{…} or Sequential{…}")
	}
	for _, n := range input {
		if n <= 0 {
			return nil, fmt.Errorf("dl: Build: input shape is %v, want every axis above 0; the first is the batch", input)
		}
	}
	m := &Model{input: append(Shape{}, input...), dtype: Float32}
	if len(dtype) > 0 {
		m.dtype = dtype[0]
	}
	seeds.Lock()
	seed, serial := seeds.seed, seeds.built
	seeds.built++
	seeds.Unlock()

	outermost := reflect.New(layerType).Elem()
	outermost.Set(reflect.ValueOf(net))
	if err := m.assemble(outermost, &walker{}); err != nil {
		return nil, err
	}
	b := &builder{model: m, values: map[string]*Tensor{}, made: map[string][]spec{}, seed: seed, serial: serial}
	if err := b.run(); err != nil {
		return nil, during("Build", err)
	}
	return m, nil
}

// assemble finds the layers of a network. The walker may hold what is to be
// put into it.
func (m *Model) assemble(net reflect.Value, w *walker) error {
	w.byPath, w.pointers, w.slices = map[string]*module{}, map[unsafe.Pointer]string{}, map[unsafe.Pointer]string{}
	var err error
	if m.root, err = w.walk(net, "", ""); err != nil {
		return err
	}
	m.walker, m.net = *w, net.Interface().(Layer)
	return nil
}

// builder collects the parameters that a model's first trace meets.
type builder struct {
	model        *Model
	made         map[string][]spec  // by the layer's path
	values       map[string]*Tensor // by the parameter's name; those that are there when it begins stay
	seed, serial uint64
}

// run traces the model once and makes its parameters.
func (b *builder) run() error {
	on, err := current()
	if err != nil {
		return err
	}
	m := b.model
	g := graph.NewGraph(on.backend, "build")
	defer g.Finalize()
	t := &trace{graph: g, model: m, params: map[string]*graph.Node{}, build: b}
	err = guard(func() {
		out := m.call(t.input(m.dtype, m.input))
		if out == nil {
			panic(fmt.Errorf("dl: %s: Forward returned nil; return the last node", m.root.kind))
		}
		t.saw("", out)
	})
	if err != nil {
		return err
	}
	b.collect(m.root)
	return nil
}

// add makes a parameter's initial value. Its random numbers depend on the
// seed and its name only, so another layer elsewhere changes nothing here.
func (b *builder) add(layer string, s spec, first initializer) {
	if t := b.values[s.name]; t != nil && !t.shape.Equal(s.shape) {
		panic(fmt.Errorf("dl: %s is %v, but the new layer gives it an input that needs %v; keep the shape of the layer's output, or build a new model", s.name, t.shape, s.shape))
	} else if t == nil {
		h := fnv.New64a()
		h.Write([]byte(s.name))
		random := rand.New(rand.NewPCG(b.seed^b.serial<<32, h.Sum64()))
		values := make([]float32, s.shape.Size())
		first(random.Float64, values)
		b.values[s.name] = s.keep(newTensor(values, s.shape))
	}
	if layer == root {
		layer = ""
	}
	b.made[layer] = append(b.made[layer], s)
}

// collect orders the parameters as the layers stand in the model, which is
// PyTorch's order.
func (b *builder) collect(m *module) {
	for _, s := range b.made[m.path] {
		if s.trained {
			m.params += s.shape.Size()
		}
		b.model.specs = append(b.model.specs, s)
		b.model.values = append(b.model.values, b.values[s.name])
	}
	delete(b.made, m.path)
	for _, child := range m.children {
		b.collect(child)
	}
}
