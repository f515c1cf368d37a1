package dl

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// trace is the writing of one program from a model's Forward.
type trace struct {
	graph    *graph.Graph
	model    *Model // nil outside a model
	training bool

	precision DType                  // of the forward pass of floating-point inputs; 0 for what they are
	evals     map[string]bool        // places of the model that are in evaluation mode although the program trains
	params    map[string]*graph.Node // the model's parameters and buffers in this program
	updates   map[string]*graph.Node // new values of buffers, such as running means

	rows  *graph.Node    // how many examples of the batch count, the first ones; a float32 scalar, nil where all do
	batch int            // examples in the batch that rows speaks of
	key   *graph.Node    // where random numbers begin, two uint32
	asks  bool           // key is an input that random added, the program's last
	drawn map[string]int // how often each layer drew random numbers
	ids   int            // what numbers in the model's input must stay below, for an Embedding; 0 where it has none
	main  *graph.Node    // the model's input

	inside []string // the user's layers whose Forward runs, as far as they are known

	build *builder         // not nil while Build makes the parameters
	taps  map[string]*Node // outputs that Features wants, by the layer's path
	calls *[]call          // what ran, where Graph asks
}

// trains tells whether the layer at a path is in training mode.
func (t *trace) trains(path string) bool {
	if path == root {
		path = ""
	}
	return t.training && !t.evals[path]
}

// param returns a layer's trained parameter, in the type of x's elements where
// x has a floating-point type. [Build] makes it at the first call.
func (x *Node) param(p place, kind, name string, shape Shape, first initializer) *graph.Node {
	node := x.t.parameter(p, kind, name, x.Shape(), spec{shape: shape, dtype: Float32, trained: true}, first)
	switch kind := x.DType(); {
	case kind.IsFloat() && kind != Float32:
		node = graph.ConvertDType(node, kind)
	case !kind.IsFloat() && x.t.precision != 0: // of an Embedding
		node = graph.ConvertDType(node, x.t.precision)
	}
	return node
}

// buffer returns values that a layer keeps and does not train, as the last
// call of the layer left them.
func (x *Node) buffer(p place, kind, name string, dtype DType, shape Shape, first initializer) *graph.Node {
	node := x.t.parameter(p, kind, name, x.Shape(), spec{shape: shape, dtype: dtype}, first)
	if now := x.t.updates[join(p.path, name)]; now != nil {
		return now
	}
	return node
}

// update sets a buffer's value after the training step.
func (x *Node) update(p place, name string, value *graph.Node) {
	if x.t.updates != nil {
		x.t.updates[join(p.path, name)] = graph.StopGradient(value)
	}
}

func (t *trace) parameter(p place, kind, name string, in Shape, s spec, first initializer) *graph.Node {
	if p.path == unbound {
		panic(fmt.Errorf("dl: %s: the layer is not part of the model, so it has no weights; make it a field of the struct whose Forward uses it", kind))
	}
	s.name = join(p.path, name)
	if node := t.params[s.name]; node != nil {
		if got := Shape(node.Shape().Dimensions); !got.Equal(s.shape) {
			panic(&ShapeError{Op: p.label(kind), Got: in, Want: fmt.Sprintf("one for a %s of %v, not %v", name, got, s.shape),
				Fix: "the model was built for inputs of another size; resize them, or build it anew"})
		}
		return node
	}
	if t.build == nil {
		panic(fmt.Errorf("dl: %s: parameter %s was not there when the model was built; Forward must use the same layers each time", kind, s.name))
	}
	node := parameter(t.graph, s.dtype, s.shape)
	t.params[s.name] = node
	t.build.add(p.path, s, first)
	return node
}

// input adds an input to the program.
func (t *trace) input(dtype DType, shape Shape) *Node {
	return &Node{raw: parameter(t.graph, dtype, shape), t: t}
}

// parameter adds an input to a graph. GoMLX's names for them go into the
// program text unquoted, where XLA takes letters and digits only.
func parameter(g *graph.Graph, dtype DType, shape Shape) *graph.Node {
	n := 0
	if g.IsBuilding() {
		n = g.NumParameters()
	}
	return graph.ShardedParameter(g, fmt.Sprint("p", n), shapes.Make(dtype, shape...), replicated(g))
}

// begin adds the model's input, in the type that the model wants.
func (t *trace) begin(m *Model, dtype DType, shape Shape) *Node {
	x := t.examples(dtype, shape).to(m.dtype)
	t.main = x.raw
	return x
}

// limit notes that the numbers of x must stay below n, where x is the model's
// input; elsewhere nobody can look.
func (x *Node) limit(n int) {
	if x.raw != nil && x.raw == x.t.main {
		if x.t.ids == 0 || n < x.t.ids {
			x.t.ids = n
		}
	}
}

// enter notes that a layer's Forward runs, and returns what to call at its
// end. Layers of this package name themselves.
func (t *trace) enter(layer Layer) (leave func()) {
	if t.model == nil {
		return func() {}
	}
	v := reflect.ValueOf(layer)
	if v.Kind() != reflect.Pointer {
		return func() {}
	}
	path, ok := t.model.walker.pointers[v.UnsafePointer()]
	kind := typeText(v.Type())
	if !ok || kind == "" || v.Type().Elem().PkgPath() == sequentialType.PkgPath() {
		return func() {}
	}
	t.inside = append(t.inside, place{path}.label(kind))
	return func() { t.inside = t.inside[:len(t.inside)-1] }
}

// where names a function in messages, with the user's layer that calls it.
func (t *trace) where(op string) string {
	if len(t.inside) == 0 {
		return op
	}
	return t.inside[len(t.inside)-1] + ": " + op
}

// seen notes a layer's text, work and output; saw only the output.
func (t *trace) seen(path, text string, macs int, out *Node) {
	if path == root {
		path = ""
	}
	if t.calls != nil {
		*t.calls = append(*t.calls, call{path, out})
	}
	if t.build != nil {
		if m := t.model.walker.byPath[path]; m != nil {
			m.text, m.out = text, out.Shape()
			m.macs += macs
		}
	}
	t.saw(path, out)
}

func (t *trace) saw(path string, out *Node) {
	if t.build != nil {
		if m := t.model.walker.byPath[path]; m != nil {
			m.out = out.Shape()
		}
	}
	if _, ok := t.taps[path]; ok {
		t.taps[path] = out
	}
}

// seenPointer and seenSlice know a layer of the user's by where it lies.
func (t *trace) seenPointer(layer Layer, out *Node) {
	if t.model == nil {
		return
	}
	v := reflect.ValueOf(layer)
	if v.Kind() == reflect.Pointer {
		if path, ok := t.model.walker.pointers[v.UnsafePointer()]; ok {
			t.saw(path, out)
		}
	}
}

func (t *trace) seenSlice(first *Layer, out *Node) {
	if t.model == nil {
		return
	}
	if path, ok := t.model.walker.slices[unsafe.Pointer(first)]; ok {
		t.saw(path, out)
	}
}

// built returns the shape that a layer's parameter got when the model was
// built, nil while it is.
func (t *trace) built(path, name string) Shape {
	if node := t.params[join(path, name)]; node != nil {
		return node.Shape().Dimensions
	}
	return nil
}
