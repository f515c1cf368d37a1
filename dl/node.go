package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// node is a value inside a program that is being written. It has a shape and no
// numbers yet. Its methods panic with a [*ShapeError] when shapes do not fit.
type node struct {
	raw  *graph.Node // nil while only last is known
	last *graph.Node // an image's values as [N H W C]; nil where they are not
	t    *trace

	lastFirst bool // raw is made from last

	// last is late of early, which is another image, where late works on each number by
	// itself and a larger one never becomes smaller. So a max-pooling may go before it,
	// and leaves it fewer numbers.
	early *graph.Node
	late  func(*graph.Node) *graph.Node
}

// Images are [N C H W] in a Forward. Convolutions and poolings
// run faster on [N H W C], so a node keeps that form as long as only they and
// functions of single values use it.

// value returns the node as its shape says.
func (x *node) value() *graph.Node {
	if x.raw == nil {
		x.raw = graph.TransposeAllAxes(x.last, 0, 3, 1, 2)
	}
	return x.raw
}

// channelsLast returns an image [N C H W] as [N H W C].
func (x *node) channelsLast() *graph.Node {
	if x.last == nil {
		x.last = graph.TransposeAllAxes(x.raw, 0, 2, 3, 1)
	}
	return x.last
}

// withLast returns the image whose values are last [N H W C].
func (x *node) withLast(last *graph.Node) *node { return &node{last: last, t: x.t, lastFirst: true} }

// origin returns the form that the other one is made from.
func (x *node) origin() *graph.Node {
	if x.lastFirst {
		return x.last
	}
	return x.raw
}

// stopped returns x for what no gradient goes through.
func (x *node) stopped() *node {
	if x.lastFirst {
		return x.withLast(graph.StopGradient(x.last))
	}
	return x.With(graph.StopGradient(x.raw))
}

// each applies a function of single values.
func (x *node) each(f func(*graph.Node) *graph.Node) *node {
	if x.last != nil {
		return x.withLast(f(x.last))
	}
	return x.With(f(x.raw))
}

// later applies a function to each number of an image [N H W C], of which a larger one never
// becomes smaller.
func (x *node) later(f func(*graph.Node) *graph.Node) *node {
	y := x.withLast(f(x.last))
	y.early, y.late = x.last, f
	if x.early != nil {
		y.early, y.late = x.early, func(v *graph.Node) *graph.Node { return f(x.late(v)) }
	}
	return y
}

// alone returns the node without what it was made from: a max-pooling of it then is one of its
// numbers, and its gradient goes through them.
func (x *node) alone() *node {
	if x.early == nil {
		return x
	}
	y := *x
	y.early, y.late = nil, nil
	return &y
}

// either returns one of the two forms.
func (x *node) either() *graph.Node {
	if x.raw == nil {
		return x.last
	}
	return x.raw
}

// Shape returns the node's axes, outermost first.
func (x *node) Shape() Shape {
	if x.raw == nil {
		d := x.last.Shape().Dimensions
		return Shape{d[0], d[3], d[1], d[2]}
	}
	return append(Shape{}, x.raw.Shape().Dimensions...)
}

// DType returns the type of the node's elements.
func (x *node) DType() DType { return x.either().DType() }

// Rank returns the number of axes.
func (x *node) Rank() int { return x.either().Rank() }

// Dim returns the length of an axis; negative axes count from the last.
func (x *node) Dim(axis int) int { return x.Shape()[x.axis(x.t.where("Dim"), axis)] }

// With returns a node for raw, of the same program.
func (x *node) With(raw *graph.Node) *node { return &node{raw: raw, t: x.t} }

func (x *node) String() string { return fmt.Sprintf("%v %s", x.Shape(), typeName(x.DType())) }

// axis makes a negative axis positive and checks it.
func (x *node) axis(op string, axis int) int {
	n := x.Rank()
	if axis < -n || axis >= n {
		panic(&ShapeError{Op: op, Got: x.Shape(), Want: fmt.Sprintf("at least %d axes", max(axis+1, -axis)),
			Fix: fmt.Sprintf("axis %d does not exist", axis)})
	}
	return (axis + n) % n
}

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

// laidOut adds an input of which each device has what a layout says.
func (t *trace) laidOut(dtype DType, shape Shape, l xla.Layout) *node {
	return &node{raw: xla.LaidOutParameter(t.graph, dtype, shape, l), t: t}
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

// to converts the elements: integer pictures to float32, say.
func (x *node) to(dtype DType) *node {
	if x.DType() == dtype {
		return x
	}
	return x.each(func(x *graph.Node) *graph.Node { return graph.ConvertDType(x, dtype) })
}
