package dl

import (
	"fmt"
	"slices"
	"sync"

	"github.com/gomlx/gomlx/core/graph"
)

// Model is a network with its weights. [Build] makes one.
//
// Any number of goroutines may use a model: [Model.Predict], [Evaluate],
// [Model.Param] and [Model.Save] see the weights as the last whole training
// step left them, also while a run goes on. Training steps of two runs on one
// model take turns.
type Model struct {
	net    Layer
	root   *module
	walker walker // what Build found in net
	input  Shape  // as given to Build, with the batch axis
	dtype  DType  // of the input that net gets
	specs  []spec

	train sync.Mutex // held by a training step, or by Load
	mu    sync.Mutex // guards values, evals and frozen
	// values are the parameters in the order of specs. The slice is replaced
	// as a whole and never changed, so a reader that took it has one step's.
	values []*Tensor
	evals  map[string]bool // places in evaluation mode; replaced as a whole
	frozen map[string]bool // parameters that training leaves as they are; replaced as a whole
	device *device         // where the model runs; nil for the one in use

	programs programs
}

// spec is the name and shape of a parameter, or of a buffer: a running mean
// or the like.
type spec struct {
	name    string
	shape   Shape
	dtype   DType
	trained bool // false for a buffer
}

// keep returns a copy of a tensor's values in the type of s.
func (s spec) keep(t *Tensor) *Tensor {
	if s.dtype == Int64 {
		return newTensor(t.Int64s(), s.shape)
	}
	return newTensor(t.Float32s(), s.shape)
}

// Names lists the parameters and buffers in the order of the layers, by
// PyTorch's names: the keys of the state dict.
func (m *Model) Names() []string {
	var names []string
	for _, s := range m.specs {
		names = append(names, s.name)
	}
	return names
}

// NumParams returns the number of trained values.
func (m *Model) NumParams() int {
	n := 0
	for _, s := range m.specs {
		if s.trained {
			n += s.shape.Size()
		}
	}
	return n
}

// Param returns a copy of a parameter, such as "features.0.weight", as of the
// last whole training step. An unknown name panics with an error that lists
// the names there are.
func (m *Model) Param(name string) *Tensor {
	i := slices.IndexFunc(m.specs, func(s spec) bool { return s.name == name })
	if i < 0 {
		panic(unknown("Param", "name", name, m.Names()))
	}
	values, release := m.snapshot()
	defer release()
	return m.specs[i].keep(values[i])
}

// SetParam gives a parameter new values, which must have its shape. It waits
// for a training step that is going on.
func (m *Model) SetParam(name string, value *Tensor) error {
	i := slices.IndexFunc(m.specs, func(s spec) bool { return s.name == name })
	if i < 0 {
		return unknown("SetParam", "name", name, m.Names())
	}
	if !value.shape.Equal(m.specs[i].shape) {
		return &ShapeError{Op: "SetParam " + name, Got: value.shape, Want: fmt.Sprint([]int(m.specs[i].shape))}
	}
	m.train.Lock()
	defer m.train.Unlock()
	values := slices.Clone(m.values)
	values[i] = m.specs[i].keep(value)
	m.replace(values)
	return nil
}

// snapshot returns the parameters of the last whole step, which stay until
// release.
func (m *Model) snapshot() (values []*Tensor, release func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	values = m.values
	for _, t := range values {
		t.pin()
	}
	return values, func() {
		for _, t := range values {
			t.unpin()
		}
	}
}

// replace makes values the parameters, and frees the old ones when their last
// reader is done. The caller holds train.
func (m *Model) replace(values []*Tensor) {
	m.mu.Lock()
	old := m.values
	m.values = values
	m.mu.Unlock()
	for i, t := range old {
		if t != values[i] {
			t.Free()
		}
	}
}

// forward writes the model's program into a graph, whose first parameters are
// the model's. A program for training honours [Model.Eval].
func (m *Model) forward(g *graph.Graph, training bool) *trace {
	t := &trace{graph: g, model: m, training: training, params: map[string]*graph.Node{}, updates: map[string]*graph.Node{}}
	m.mu.Lock()
	t.evals = m.evals
	m.mu.Unlock()
	for _, s := range m.specs {
		t.params[s.name] = parameter(g, s.dtype, s.shape)
	}
	return t
}

// Predict runs the model on a batch and returns its output, [N …]. It
// compiles a program at the first call for a shape. An input that does not
// fit is a [*ShapeError]; the cell's interrupt ends it early.
func (m *Model) Predict(x *Tensor) (*Tensor, error) {
	on, err := m.on()
	if err != nil {
		return nil, err
	}
	p, err := m.programs.get(fmt.Sprintf("predict %s %v %s", on.label(), x.shape, x.dtype), func() (*program, error) {
		var t *trace
		p, err := compile(callerContext(), on, "prediction", x.shape, func(g *graph.Graph) []*graph.Node {
			t = m.forward(g, false)
			return []*graph.Node{m.call(t.begin(m, x.dtype, x.shape)).value()}
		})
		if err == nil {
			p.limits.ids = t.ids
		}
		return p, err
	})
	if err != nil {
		return nil, during("Predict", err)
	}
	y, err := m.apply(p, x)
	if err != nil {
		return nil, during("Predict", err)
	}
	return y, nil
}

// apply runs a program on the model's weights and an input, and returns its
// first result.
func (m *Model) apply(p *program, x *Tensor) (*Tensor, error) {
	var out []*Tensor
	err := await(callerContext(), func() error {
		if err := p.limits.inputs(x); err != nil {
			return err
		}
		values, release := m.snapshot()
		defer release()
		var err error
		out, err = p.run(append(slices.Clone(values), x)...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// call runs the network's Forward.
func (m *Model) call(x *Node) *Node {
	leave := x.t.enter(m.net)
	defer leave()
	return m.net.Forward(x)
}

// to converts the elements: integer pictures to float32, say.
func (x *Node) to(dtype DType) *Node {
	if x.DType() == dtype {
		return x
	}
	return x.each(func(x *graph.Node) *graph.Node { return graph.ConvertDType(x, dtype) })
}
