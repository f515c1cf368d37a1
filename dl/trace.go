package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// trace is the writing of one operation into a program.
type trace struct {
	graph    *graph.Graph
	path     string // of the layer; "" outside of one
	training bool

	precision DType                  // of the forward pass of floating-point inputs; 0 for what they are
	params    map[string]*graph.Node // the layer's parameters and buffers
	names     []string               // their names, in the layer's order
	updates   map[string]*graph.Node // new values of buffers, such as running means

	rows  *graph.Node // how many examples of the batch count, the first ones; a float32 scalar, nil where all do
	batch int         // examples in the batch that rows speaks of; 0 where all count
	key   *graph.Node // where random numbers begin, two uint32
	salt  uint64      // sets apart what draws random numbers in one program
	drawn uint64      // how often the operation drew

	fixed   []float64     // numbers from Go that the operation was given
	dynamic []*graph.Node // the same as inputs of the program; nil for one that is fixed

	// What describing an operation finds out.
	asks     bool     // it draws random numbers
	usesRows bool     // it asks which examples count
	ids      int      // what the numbers of the first input must stay below; 0 for anything
	text     string   // the layer as PyTorch prints it
	macs     int      // multiplications with addition
	inside   string   // the user's layer that calls, for messages
	build    *builder // makes parameters; nil outside of Build
}

// param returns a layer's trained parameter, in the type of x's elements where
// x has a floating-point type. [Build] makes it at the first call.
func (x *node) param(p place, kind, name string, shape Shape, first initializer) *graph.Node {
	node := x.t.parameter(p, kind, name, x.Shape(), spec{shape: shape, dtype: Float32, trained: true}, first)
	switch kind := x.DType(); {
	case kind.IsFloat() && kind != Float32:
		node = graph.ConvertDType(node, kind)
	case !kind.IsFloat() && x.t.precision != 0: // of an Embedding
		node = graph.ConvertDType(node, x.t.precision)
	}
	return node
}

// buffer returns values that a layer keeps and does not train.
func (x *node) buffer(p place, kind, name string, dtype DType, shape Shape, first initializer) *graph.Node {
	return x.t.parameter(p, kind, name, x.Shape(), spec{shape: shape, dtype: dtype}, first)
}

// update sets a buffer's value after the operation.
func (x *node) update(p place, name string, value *graph.Node) {
	x.t.updates[join(p.path, name)] = graph.StopGradient(value)
}

func (t *trace) parameter(p place, kind, name string, in Shape, s spec, first initializer) *graph.Node {
	if p.path == unbound {
		panic(fmt.Errorf("dl: %s: the layer is not part of the model, so it has no weights; make it a field of the struct whose Forward uses it", kind))
	}
	s.name = join(p.path, name)
	if node := t.params[s.name]; node != nil {
		if got := Shape(node.Shape().Dimensions); !got.Equal(s.shape) {
			if t.build != nil && t.build.replacing {
				panic(fmt.Errorf("dl: %s is %v, but the new layer gives it an input that needs %v; keep the shape of the layer's output, or build a new model", s.name, got, s.shape))
			}
			panic(&ShapeError{Op: p.label(kind), Got: in, Want: fmt.Sprintf("one for a %s of %v, not %v", name, got, s.shape),
				Fix: "the model was built for inputs of another size; resize them, or build it anew"})
		}
		return node
	}
	if t.build == nil {
		panic(fmt.Errorf("dl: %s: parameter %s was not there when the model was built; Forward must use the same layers each time", kind, s.name))
	}
	t.build.add(s, first)
	node := xla.Parameter(t.graph, s.dtype, s.shape)
	t.params[s.name] = node
	t.names = append(t.names, s.name)
	return node
}

// input adds an input to the program.
func (t *trace) input(dtype DType, shape Shape) *node {
	return &node{raw: xla.Parameter(t.graph, dtype, shape), t: t}
}

// examples adds an input whose first axis is the batch.
func (t *trace) examples(dtype DType, shape Shape) *node {
	return &node{raw: xla.SplitParameter(t.graph, dtype, shape), t: t}
}

// times multiplies x by number i of the operation.
func (t *trace) times(x *graph.Node, i int) *graph.Node {
	if n := t.dynamic[i]; n != nil {
		return graph.Mul(x, graph.ConvertDType(n, x.DType()))
	}
	return graph.MulScalar(x, t.fixed[i])
}

// plus adds number i of the operation to x.
func (t *trace) plus(x *graph.Node, i int) *graph.Node {
	if n := t.dynamic[i]; n != nil {
		return graph.Add(x, graph.ConvertDType(n, x.DType()))
	}
	return graph.AddScalar(x, t.fixed[i])
}

// where names a function in messages, with the user's layer that calls it.
func (t *trace) where(op string) string {
	if t.inside == "" {
		return op
	}
	return t.inside + ": " + op
}

// built returns the shape that a layer's parameter got when the model was
// built, nil while it is.
func (t *trace) built(path, name string) Shape {
	if t.build != nil {
		return nil
	}
	if node := t.params[join(path, name)]; node != nil {
		return node.Shape().Dimensions
	}
	return nil
}
