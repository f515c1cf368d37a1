package dl

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// Model is a network with its weights. [Build] makes one.
//
// Any number of goroutines may use a model: [Model.Predict], [Evaluate],
// [Model.Param] and [Model.Save] see the weights as the last whole training
// step left them, also while a run goes on. Training steps of two runs on one
// model take turns.
type Model struct {
	net     any // a pointer, or a Layer
	forward func(xs []*Tensor) *Tensor
	inputs  []*signature // as given to Build, with the batch axis
	root    *module
	walker  walker // what Build found in net
	input   Shape  // of the first input
	dtype   DType  // of the first input
	specs   []spec

	vars []*Tensor // the parameters in the order of specs
	// replaced are the network's own parameters, in whose place vars are read,
	// where the model is a copy of another; nil in all others.
	replaced map[*Tensor]*Tensor

	loss      atomic.Pointer[Loss] // that it was last trained with; nil where it was not
	evaluates atomic.Bool          // functions of Forward, such as x.Dropout, run in evaluation mode
	parted    atomic.Bool          // a step has run whose devices have weights in parts

	mu        sync.Mutex     // guards what follows
	device    *xla.Device    // where the model runs; nil for the one in use
	predicted map[string]int // how many predictions there were, by the input's shape
	parallel  map[string]int // axes that devices divide, see Parallelize
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

// take is keep for values that are copied when they are first needed: into the memory where a
// program reads them, without another copy on the way. Those of t never change.
func (s spec) take(t *Tensor) *Tensor {
	values, same := t.flat().([]float32)
	if !same || s.dtype != Float32 {
		return s.keep(t)
	}
	return lazyTensor(s.dtype, s.shape, func(flat any) { copy(flat.([]float32), values) })
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

// Param returns a parameter or buffer, such as "features.0.weight": the tensor
// that the network itself uses. It has the values of the last whole training
// step at any time; [Tensor.Detach] keeps those of now, [Tensor.Set] gives it
// others. An unknown name panics with an error that lists the names there are.
func (m *Model) Param(name string) *Tensor {
	i := slices.IndexFunc(m.specs, func(s spec) bool { return s.name == name })
	if i < 0 {
		panic(unknown("Param", "name", name, m.Names()))
	}
	return m.vars[i]
}

// snapshot returns the parameters of the last whole step, which stay until
// release.
func (m *Model) snapshot() (values []*Tensor, release func()) { return valuesOf(m.vars) }

// replace gives parameters new values, between two training steps.
func (m *Model) replace(vars, values []*Tensor) {
	defer lockVariables(vars)()
	install(vars, values)
}

// To puts the model on a device, such as "cpu:1" or "cuda", as
// torch.nn.Module.to: predictions, evaluations and training steps run there,
// whatever [Use] chose, and their inputs are copied there. An empty name lets
// Use decide again. A device that is not there is an error that says so and
// leaves the model where it is.
func (m *Model) To(name string) error {
	var on *xla.Device
	if name != "" {
		var err error
		if on, err = xla.Find("To", name); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.device = on
	return nil
}

// on returns the device that the model runs on.
func (m *Model) on() (*xla.Device, error) {
	m.mu.Lock()
	on := m.device
	m.mu.Unlock()
	if on != nil {
		return on, nil
	}
	return xla.Current()
}

// record begins the recording of a program with the model.
func (m *Model) record(name string, on *xla.Device) *recording {
	r := newRecording(name, on)
	r.model, r.replaced = m, m.replaced
	return r
}

// Predict runs the model on a batch and returns its output, [N …]. A model with several
// inputs gets all of them, in the order of Forward:
//
//	french, err := translator.Predict(english, begun)
//
// Where Forward has several results, Predict returns the first; a function of [Compile]
// returns all. It compiles a program at the first call for a shape. Another number of
// inputs is an error, and one that does not fit a [*ShapeError]; the cell's interrupt ends
// it early.
//
// On the processor, a model's 11th prediction for a shape and all later ones
// call oneDNN where it is quicker. Their numbers differ from those before by
// rounding, by at most about 1e-5 of the largest; the same calls of the same
// model always give the same bits.
func (m *Model) Predict(inputs ...*Tensor) (*Tensor, error) {
	on, err := m.on()
	if err != nil {
		return nil, err
	}
	y, err := m.apply("prediction", on, inputs, func(r *recording, xs []*Tensor) *Tensor { return m.call(r, xs...) })
	if err != nil {
		return nil, during("Predict", err)
	}
	return y, nil
}

// apply runs the model in evaluation mode on its inputs, and returns what f finds.
func (m *Model) apply(name string, on *xla.Device, inputs []*Tensor, f func(r *recording, xs []*Tensor) *Tensor) (*Tensor, error) {
	out, err := m.applyAll(xla.Context(), name, on, inputs, func(r *recording, xs []*Tensor) []*Tensor { return []*Tensor{f(r, xs)} })
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// applyAll is apply for several results.
func (m *Model) applyAll(ctx context.Context, name string, on *xla.Device, inputs []*Tensor, f func(r *recording, xs []*Tensor) []*Tensor) ([]*Tensor, error) {
	return m.applyWith(ctx, name, on, inputs, func(r *recording) error { r.inParts(); return nil }, f)
}

// applyWith is applyAll where arrange says which devices have what of the weights.
func (m *Model) applyWith(ctx context.Context, name string, on *xla.Device, inputs []*Tensor, arrange func(*recording) error, f func(r *recording, xs []*Tensor) []*Tensor) ([]*Tensor, error) {
	if err := m.checkInputs(inputs); err != nil {
		return nil, err
	}
	r := m.record(name, on)
	r.training = false
	if !on.Plans() {
		r.counted, r.nth = true, m.count(name, inputs)
	}
	defer r.close()
	if err := arrange(r); err != nil {
		return nil, err
	}
	split := r.splits(inputs)
	var wanted []*Tensor
	if err := xla.Guard(func() {
		defer r.begin()()
		xs := make([]*Tensor, len(inputs))
		for i, x := range inputs {
			xs[i] = inputAs(r.argument(x, split), m.inputs[i].dtype)
		}
		wanted = f(r, xs)
	}); err != nil {
		return nil, err
	}
	return r.run(ctx, inputs[0].shape, wanted)
}

// checkInputs returns an error where a model gets another number of inputs than its
// Forward has, or a nil one.
func (m *Model) checkInputs(inputs []*Tensor) error {
	if len(inputs) != len(m.inputs) {
		return fmt.Errorf("dl: got %d inputs, want %d, as Forward of %s has", len(inputs), len(m.inputs), m.root.kind)
	}
	for i, x := range inputs {
		if x == nil {
			return fmt.Errorf("dl: input %d is nil, want a tensor", i)
		}
	}
	return nil
}

// count counts a prediction, or another run that has a name, and returns how many
// there were before it for inputs of these shapes.
func (m *Model) count(name string, inputs []*Tensor) int {
	key := name
	for _, x := range inputs {
		key += fmt.Sprint(x.shape)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.predicted == nil {
		m.predicted = map[string]int{}
	}
	n := m.predicted[key]
	m.predicted[key] = n + 1
	return n
}

// begin returns an input in the type that the network wants.
func (m *Model) begin(x *Tensor) *Tensor { return inputAs(x, m.dtype) }

// inputAs returns an input in the type that the network was built for. Integers
// become floating-point numbers, as pictures of bytes do; the other way, what is
// behind the point would be lost.
func inputAs(x *Tensor, want DType) *Tensor {
	if x.dtype.IsFloat() && !want.IsFloat() {
		panic(fmt.Errorf("dl: input is %v %s, want %s, for which the model was built; numbers of words are integers, as x.As(dl.Int64) has them", x.shape, typeName(x.dtype), typeName(want)))
	}
	return x.as(want)
}

// Call runs the network on its inputs and returns its output: at once, or as a
// part of the program inside of a compiled function. It runs in training mode,
// unless [Model.Eval] was called, and gradients go through it; [Model.Predict]
// is for predictions. Methods of the network can be called directly, in the same
// way. What does not fit panics with a [*ShapeError].
func (m *Model) Call(inputs ...*Tensor) *Tensor {
	if err := m.checkInputs(inputs); err != nil {
		panic(during("Call", err))
	}
	xs := make([]*Tensor, len(inputs))
	for i, x := range inputs {
		xs[i] = inputAs(x, m.inputs[i].dtype)
	}
	r := recordingOf(xs)
	if r == nil {
		return m.call(nil, xs...)
	}
	before := r.model
	r.model = m
	defer func() { r.model = before }()
	return m.call(r, xs...)
}

// call runs the network's Forward.
func (m *Model) call(r *recording, xs ...*Tensor) *Tensor {
	leave := r.enter(m.net)
	defer leave()
	y := m.forward(xs)
	if y == nil {
		panic(fmt.Errorf("dl: %s: Forward returned nil; return the last tensor", m.root.kind))
	}
	return y
}

// clone returns a model of its own with the same network and weights.
func (m *Model) clone() *Model {
	values, release := m.snapshot()
	defer release()
	m.mu.Lock()
	device := m.device
	m.mu.Unlock()
	c := &Model{net: m.net, forward: m.forward, inputs: m.inputs, root: m.root, walker: m.walker, input: m.input, dtype: m.dtype, specs: m.specs, device: device, replaced: map[*Tensor]*Tensor{}}
	c.evaluates.Store(m.evaluates.Load())
	for i, s := range m.specs {
		v := newVariable(s.keep(values[i]), s.trained)
		v.v.frozen.Store(m.vars[i].v.frozen.Load())
		v.v.hooks = m.vars[i].gradHooks()
		c.vars = append(c.vars, v)
		c.replaced[m.original(m.vars[i])] = v
	}
	return c
}

// moment returns a copy of the model with the weights of the last whole step,
// which stay as they are.
func (m *Model) moment() (copy *Model, free func()) {
	values, release := m.snapshot()
	c := &Model{net: m.net, forward: m.forward, inputs: m.inputs, root: m.root, walker: m.walker, input: m.input, dtype: m.dtype, specs: m.specs, device: m.device, replaced: map[*Tensor]*Tensor{}}
	c.parted.Store(m.parted.Load())
	for i, v := range m.vars {
		fixed := newVariable(values[i], false)
		c.vars = append(c.vars, fixed)
		c.replaced[m.original(v)] = fixed
	}
	return c, release
}

// original returns the network's own parameter in whose place v is read.
func (m *Model) original(v *Tensor) *Tensor {
	for own, other := range m.replaced {
		if other == v {
			return own
		}
	}
	return v
}
