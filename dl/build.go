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
}

// Seed sets where the random numbers of the models built from now on begin.
// The same seed, and the same models built after it in the same order, give
// the same weights. Without a call the seed is 0.
func Seed(seed uint64) {
	seeds.Lock()
	defer seeds.Unlock()
	seeds.seed, seeds.built = seed, 0
}

// Build makes a model of a network: it runs net once without numbers on an
// input of the given shape, whose first axis is the batch, infers the sizes
// left out, checks that all shapes fit, and makes the parameters with
// PyTorch's initial values and names.
//
// A shape that does not fit is returned as a [*ShapeError] that names the
// layer. Build writes the layers' places into net's fields; the weights are
// in the model. Other batch sizes may be used later.
func Build(net Layer, input Shape) (*Model, error) {
	if net == nil {
		return nil, fmt.Errorf("dl: Build: the network is nil, want a layer; pass &Net{…} or Sequential{…}")
	}
	for _, n := range input {
		if n <= 0 {
			return nil, fmt.Errorf("dl: Build: input shape is %v, want every axis above 0; the first is the batch", input)
		}
	}
	seeds.Lock()
	seed, serial := seeds.seed, seeds.built
	seeds.built++
	seeds.Unlock()

	m := &Model{input: append(Shape{}, input...)}
	root := reflect.New(layerType).Elem()
	root.Set(reflect.ValueOf(net))
	w := walker{byPath: map[string]*module{}, pointers: map[unsafe.Pointer]string{}, slices: map[unsafe.Pointer]string{}}
	var err error
	if m.root, err = w.walk(root, "", ""); err != nil {
		return nil, err
	}
	m.net = root.Interface().(Layer)

	on, err := current()
	if err != nil {
		return nil, err
	}
	b := &builder{walker: w, model: m, values: map[string]*Tensor{}, made: map[string][]spec{}, seed: seed, serial: serial}
	g := graph.NewGraph(on.backend, "build")
	defer g.Finalize()
	t := &trace{graph: g, model: m, params: map[string]*graph.Node{}, build: b}
	err = guard(func() {
		x := t.input(Float32, input)
		out := m.net.Forward(x)
		if out == nil {
			panic(fmt.Errorf("dl: %s: Forward returned nil; return the last node", m.root.kind))
		}
		b.saw("", x, out)
	})
	if err != nil {
		return nil, fmt.Errorf("dl: Build: %w", err)
	}
	b.collect(m.root)
	return m, nil
}

// builder collects the parameters and shapes that a model's first trace
// meets.
type builder struct {
	walker
	model        *Model
	made         map[string][]spec // by the layer's path
	values       map[string]*Tensor
	seed, serial uint64
}

// add makes a parameter's initial value. Its random numbers depend on the
// seed and its name only, so another layer elsewhere changes nothing here.
func (b *builder) add(layer, name, full string, shape Shape, first initializer) {
	h := fnv.New64a()
	h.Write([]byte(full))
	random := rand.New(rand.NewPCG(b.seed^b.serial<<32, h.Sum64()))
	values := make([]float32, shape.Size())
	first(random.Float64, values)
	b.values[full] = newTensor(values, shape)
	if layer == root {
		layer = ""
	}
	b.made[layer] = append(b.made[layer], spec{name: full, shape: shape, trained: true})
}

// collect orders the parameters as the layers stand in the model, which is
// PyTorch's order.
func (b *builder) collect(m *module) {
	for _, s := range b.made[m.path] {
		m.params += s.shape.Size()
		b.model.specs = append(b.model.specs, s)
		b.model.values = append(b.model.values, b.values[s.name])
	}
	delete(b.made, m.path)
	for _, child := range m.children {
		b.collect(child)
	}
}

// seen notes a layer's text and output; saw and its kin only the output.
func (b *builder) seen(path, text string, _, out *Node) {
	if path == root {
		path = ""
	}
	if m := b.byPath[path]; m != nil {
		m.text, m.out = text, out.Shape()
	}
}

func (b *builder) saw(path string, _, out *Node) {
	if m := b.byPath[path]; m != nil && m.out == nil {
		m.out = out.Shape()
	}
}

func (b *builder) seenPointer(layer Layer, in, out *Node) {
	v := reflect.ValueOf(layer)
	if v.Kind() == reflect.Pointer {
		if path, ok := b.pointers[v.UnsafePointer()]; ok {
			b.saw(path, in, out)
		}
	}
}

func (b *builder) seenSlice(first *Layer, in, out *Node) {
	if path, ok := b.slices[unsafe.Pointer(first)]; ok {
		b.saw(path, in, out)
	}
}
