package dl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/xla"
	"github.com/holt-dl/holt/internal/goroutine"
)

// A recording is what a function did with tensors, as a list of operations: the
// program that XLA is to run, before anybody has written it. The function is
// recorded anew at each call, so it may change in any way; the text of the
// recording finds the program that was compiled for it. Equal texts are equal
// programs, so nothing is compiled twice, and nothing is ever out of date.
//
// Values have numbers: first come inputs and results of operations in the order
// in which they are met. The text holds these numbers and the numbers of the
// operations and signatures, and none of the values.
type recording struct {
	name      string // of the program, for messages: "training step"
	on        *xla.Device
	share     *xla.Group // devices that run the program together; nil for one
	training  bool       // layers run in the mode that they are set to; else all evaluate
	precision DType      // of the forward pass; 0 for that of the inputs
	batch     int        // examples in a batch of which rows says how many count; 0 where all do
	rows      *Tensor    // float32 scalar
	model     *Model     // whose network runs; nil outside of one
	build     *builder

	text   []byte
	values int32

	symbols  []Tensor // for the next values, and the numbers of the next inputs: made many at a time
	inputIDs []int32

	inputs  []programInput
	ids     map[*Tensor]int32 // of the inputs
	list    []recorded
	numbers []float64 // that Go gave to operations
	opaque  bool      // the text does not tell all
	counted bool      // it is a run of a training, an evaluation, a model's predictions or a compiled function
	nth     int       // where it is counted, the runs before
	atOnce  bool      // it is run for a call at once, in Go where it is small
	step    bool      // it is a step of a training, or a part of one, in Go where it is small
	inGo    bool      // it ran in Go
	whole   bool      // it becomes one operation, and so takes results of others at once as they are
	closed  bool
	stops   bool // no gradient goes through what is recorded now

	stopOnNaN bool // see StopOnNaN

	changed  []*Tensor              // parameters that get new values, in order
	pending  map[*Tensor]*Tensor    // what these are
	replaced map[*Tensor]*Tensor    // parameters in whose place others are read
	grads    map[*Tensor]*Tensor    // by parameter, or by tensor that wants one
	steps    map[*Optim]int         // steps of optimizers
	after    []func()               // what to do when the program has run
	earlier  map[[2]*Tensor]*Tensor // inputs for parameters with the values of an earlier time
	stands   []leaf                 // values that are not their parameter's own input, and tensors that want a gradient
	finite   []finiteCheck          // values that must be finite
	checks   []inputCheck           // of the inputs' numbers

	layouts map[*Tensor]xla.Layout // how the devices of share divide parameters, inputs and results
	results []xla.Layout           // of the results that are wanted

	key    *Tensor           // where random numbers begin
	newKey func() *Tensor    // makes the value of key
	drawn  map[string]uint64 // how often each layer drew random numbers

	hidden map[int32]bool          // values that are computed only where a gradient is asked for
	hooks  map[int32][]*body       // what changes the gradients of values
	onLeaf map[*Tensor][]*gradHook // what does those of parameters, in this program only

	inside []string           // the user's layers whose Forward runs, as far as they are known
	taps   map[string]*Tensor // outputs that Features wants, by the layer's path
	calls  *[]call            // what ran, where Graph asks

	outer *recording     // of the function of a loop: the recording around it; nil for none
	inner *recording     // the recording of a loop's function that goes on now
	loop  *loopRecording // what the recording is, where it is that of a loop's function
	times int            // that what is recorded runs in the program; 0 for once
}

// programInput is a value that a program gets at each run.
type programInput struct {
	t     *Tensor // a value or a parameter
	sig   *signature
	id    int32
	split bool // its first axis is the batch, of which each device has a part

	earlier bool // it is the value of a parameter at an earlier time
}

// recorded is an operation in a recording.
type recorded struct {
	op       *operation
	names    []string // of the parameters among its inputs
	in       []int32
	out      int32  // the first of its outputs
	salt     uint64 // of random numbers
	numbers  int    // where in the recording's numbers its own begin
	count    int    // how many those are
	stop     bool   // no gradient goes through it
	gradient bool   // it is the gradients of in[0] for the others
	body     *body  // it is in[0], whose gradients for the others are what the body says
	inside   string // the user's layer whose Forward ran, as far as it is known
}

// inputCheck is a bound for the integers of an input: on the device a number
// beyond it would not fail.
type inputCheck struct {
	input int
	by    *operation
}

func newRecording(name string, on *xla.Device) *recording {
	return &recording{name: name, on: on, training: true, ids: make(map[*Tensor]int32, 128), stopOnNaN: stopOnNaN.Load()}
}

// argument adds an input whose value is t. Inside the recording the tensor that
// it returns stands for it.
func (r *recording) argument(t *Tensor, split bool) *Tensor {
	if t.rec != nil {
		recordingOf([]*Tensor{t}) // says so where its program is over
		panic(errOtherProgram)
	}
	return r.input(t, t.dtype, t.shape, split)
}

func (r *recording) input(t *Tensor, dtype DType, shape Shape, split bool) *Tensor {
	s := signatureOf(shape, dtype)
	r.text = append(r.text, 'i')
	if split {
		r.text = append(r.text, '/')
	}
	r.text = binary.AppendUvarint(r.text, s.id)
	x := r.symbol(s)
	r.inputs = append(r.inputs, programInput{t: t, sig: s, id: x.id, split: split})
	return x
}

// symbol returns a tensor for the next value.
func (r *recording) symbol(s *signature) *Tensor {
	if len(r.symbols) == 0 {
		r.symbols = make([]Tensor, 32)
	}
	x := &r.symbols[0]
	r.symbols = r.symbols[1:]
	x.shape, x.dtype, x.rec, x.id = s.shape, s.dtype, r, r.values
	x.symbol = s
	r.values++
	return x
}

var errOtherProgram = errors.New("dl: a tensor of another program is used here: return it from the function that made it")

// id returns the number of a tensor's value in the recording.
func (r *recording) id(t *Tensor) int32 {
	if t.v != nil {
		if other := r.replaced[t]; other != nil {
			t = other
		}
		if now := r.pending[t]; now != nil {
			return now.id
		}
	}
	if t.rec == r {
		if r.hidden[t.id] {
			panic(fmt.Errorf("dl: a tensor from inside of a backward function is used outside of it; it exists only while a gradient is computed"))
		}
		return t.id
	}
	if id, ok := r.ids[t]; ok {
		return id
	}
	if r.loop != nil {
		return r.loop.capture(t)
	}
	if t.rec != nil {
		recordingOf([]*Tensor{t})
		panic(errOtherProgram)
	}
	if t.tape != nil && !r.whole {
		return r.replay(t)
	}
	x := r.input(t, t.dtype, t.shape, false)
	r.ids[t] = x.id
	return x.id
}

// assign gives a parameter the value that a tensor of the recording has, when
// the program has run.
func (r *recording) assign(v, x *Tensor) {
	if r.loop != nil {
		r.loop.assigned()
	}
	if other := r.replaced[v]; other != nil {
		v = other
	}
	if r.pending == nil {
		r.pending = make(map[*Tensor]*Tensor, 128)
	}
	if r.pending[v] == nil {
		r.changed = append(r.changed, v)
	}
	r.pending[v] = x
	r.stands = append(r.stands, leaf{x.id, v})
}

// add records an operation.
func (r *recording) add(o *operation, names []string, salt uint64, numbers []float64, xs []*Tensor) []*Tensor {
	n := len(xs)
	if len(r.inputIDs) < n {
		r.inputIDs = make([]int32, n+256)
	}
	in := r.inputIDs[:n:n]
	r.inputIDs = r.inputIDs[n:]
	for i, x := range xs {
		in[i] = r.id(x)
	}
	return r.record(recorded{op: o, names: names, in: in, salt: salt, stop: r.stops || gradientsOff(), inside: r.calling()}, numbers)
}

func (r *recording) record(n recorded, numbers []float64) []*Tensor {
	outs := n.op.outs
	n.out, n.numbers, n.count = r.values, len(r.numbers), len(numbers)
	r.numbers = append(r.numbers, numbers...)
	kind := byte('o')
	if n.stop {
		kind = 's'
	}
	r.text = append(r.text, kind)
	r.text = binary.AppendUvarint(r.text, n.op.id)
	r.text = binary.AppendUvarint(r.text, n.salt)
	for _, id := range n.in {
		r.text = binary.AppendUvarint(r.text, uint64(id))
	}
	r.list = append(r.list, n)
	results := make([]*Tensor, len(outs))
	for i, s := range outs {
		results[i] = r.symbol(s)
	}
	return results
}

// write writes the recording into a graph, whose inputs are those of the
// recording and then the numbers that are not fixed, and returns the values of
// the given numbers.
func (r *recording) write(g *graph.Graph, dynamic []bool, wanted []int32) []*graph.Node {
	w := r.writing(g, dynamic)
	w.write(r.list)
	out := make([]*graph.Node, len(wanted))
	for i, id := range wanted {
		out[i] = w.nodes[id].value()
	}
	return out
}

// writing begins the writing of the recording into a graph, with its inputs.
func (r *recording) writing(g *graph.Graph, dynamic []bool) *writing {
	w := &writing{recording: r, graph: g, nodes: make([]*node, r.values), dynamic: make([]*graph.Node, len(r.numbers)), asking: new(int32)}
	context := &trace{graph: g}
	for _, in := range r.inputs {
		if in.split {
			w.set(in.id, context.examples(in.sig.dtype, in.sig.shape))
		} else {
			w.set(in.id, context.laidOut(in.sig.dtype, in.sig.shape, r.layouts[in.t]))
		}
	}
	for i := range w.dynamic {
		if dynamic[i] {
			w.dynamic[i] = xla.Parameter(g, Float32, nil)
		}
	}
	return w
}

// writing is a recording on its way into a graph.
type writing struct {
	*recording
	graph   *graph.Graph
	nodes   []*node       // of the values
	dynamic []*graph.Node // the numbers from Go; nil for one that is fixed
	asking  *int32        // the first of the gradients that are being written
}

// set notes a value, with the functions that change its gradient.
func (w *writing) set(id int32, v *node) {
	for _, hook := range w.hooks[id] {
		v = w.written(hook, v, []*node{v})
	}
	w.nodes[id] = v
}

// write writes operations.
func (w *writing) write(list []recorded) {
	asked := map[int32]bool{} // values for which gradients are wanted
	for _, n := range list {
		if n.gradient {
			for _, id := range n.in[1:] {
				asked[id] = true
			}
		}
	}
	for _, n := range list {
		in := make([]*node, len(n.in))
		for i, id := range n.in {
			in[i] = w.nodes[id]
		}
		switch {
		case n.gradient:
			before := *w.asking
			*w.asking = n.out
			for i, y := range differentiateNodes(in[0], in[1:]) {
				w.set(n.out+int32(i), y)
			}
			*w.asking = before
			continue
		case n.body != nil:
			for i, x := range in {
				in[i] = x.alone()
			}
			w.set(n.out, w.written(n.body, in[0], in[1:]).alone())
			continue
		}
		end := n.numbers + n.count
		outs := n.op.full(w.graph, in, n.names, n.salt, w.numbers[n.numbers:end], w.dynamic[n.numbers:end])
		for i, y := range outs {
			if n.stop {
				y = y.stopped()
			}
			if asked[n.out+int32(i)] {
				y = y.alone()
			}
			w.set(n.out+int32(i), y)
		}
	}
}

// differentiateNodes returns the gradients of y, one number, for the xs.
func differentiateNodes(y *node, xs []*node) []*node {
	at := make([]*graph.Node, len(xs))
	for i, x := range xs {
		at[i] = x.origin()
	}
	out := make([]*node, len(xs))
	for i, g := range graph.Gradient(graph.Reshape(y.value()), at...) {
		if xs[i].raw == at[i] && !xs[i].lastFirst {
			out[i] = xs[i].With(g)
		} else {
			out[i] = xs[i].withLast(g)
		}
	}
	return out
}

// random returns the tensor where a program's random numbers begin.
func (r *recording) random() *Tensor {
	if r.key == nil && r.loop != nil {
		r.key = r.input(nil, keyType, Shape{2}, false)
		r.loop.drawsFrom = r.key.id
	}
	if r.key == nil {
		key := r.newKey
		if key == nil {
			key = func() *Tensor { return randomKey(nextSeed(), 0) }
		}
		r.key = r.argument(key(), false)
	}
	return r.key
}

// draws returns what sets a layer's draw of random numbers apart from all
// others in the program.
func (r *recording) draws(place string) uint64 {
	if r.drawn == nil {
		r.drawn = map[string]uint64{}
	}
	n := r.drawn[place]
	r.drawn[place]++
	return saltOf(place) + n*0x9e3779b97f4a7c15
}

// close ends the recording: its tensors are of no use from now on.
func (r *recording) close() { r.closed = true }

// Which goroutines record: an operation without a tensor of a recording, such as
// dl.Randn, belongs to the recording of its goroutine.
var recorders struct {
	sync.Mutex
	n  atomic.Int32 // of those that record, so that the rest need not look
	by map[uintptr]*recording
}

// begin makes the recording that of the goroutine until end is called.
func (r *recording) begin() (end func()) {
	id := goroutine.ID()
	recorders.Lock()
	defer recorders.Unlock()
	if recorders.by == nil {
		recorders.by = map[uintptr]*recording{}
	}
	before := recorders.by[id]
	recorders.by[id] = r
	recorders.n.Add(1)
	return func() {
		recorders.Lock()
		defer recorders.Unlock()
		recorders.n.Add(-1)
		if before == nil {
			delete(recorders.by, id)
		} else {
			recorders.by[id] = before
		}
	}
}

// recordingOf returns the recording that an operation on some tensors belongs
// to; nil where it runs at once.
func recordingOf(lists ...[]*Tensor) *recording {
	for _, xs := range lists {
		for _, x := range xs {
			if x.rec == nil {
				continue
			}
			if x.rec.closed {
				panic(fmt.Errorf("dl: a tensor of a compiled function is used after the function has ended, and has no values; return it from the function"))
			}
			r := x.rec
			for r.inner != nil {
				r = r.inner
			}
			return r
		}
	}
	return goroutineRecording()
}

// goroutineRecording returns the recording of the goroutine, nil for none.
func goroutineRecording() *recording {
	if recorders.n.Load() == 0 {
		return nil
	}
	id := goroutine.ID()
	recorders.Lock()
	defer recorders.Unlock()
	return recorders.by[id]
}

// Gradients can be turned off for a goroutine.
var withoutGradients struct {
	sync.Mutex
	n  atomic.Int32
	by map[uintptr]int
}

// NoGrad runs f without keeping what gradients would need, as torch.no_grad
// does: no gradient goes through what f calculates.
func NoGrad(f func()) {
	id := goroutine.ID()
	change := func(by int) {
		withoutGradients.Lock()
		defer withoutGradients.Unlock()
		if withoutGradients.by == nil {
			withoutGradients.by = map[uintptr]int{}
		}
		withoutGradients.n.Add(int32(by))
		if withoutGradients.by[id] += by; withoutGradients.by[id] == 0 {
			delete(withoutGradients.by, id)
		}
	}
	change(1)
	defer change(-1)
	f()
}

// gradientsOff reports whether the goroutine runs inside of NoGrad.
func gradientsOff() bool {
	if withoutGradients.n.Load() == 0 {
		return false
	}
	id := goroutine.ID()
	withoutGradients.Lock()
	defer withoutGradients.Unlock()
	return withoutGradients.by[id] > 0
}

// trains reports whether a layer at a place is in training mode.
func (r *recording) trains(s *site) bool {
	if r != nil && !r.training {
		return false
	}
	return s == nil || !s.evaluates.Load()
}

// enter notes that a layer's Forward runs, and returns what to call at its
// end. Layers of this package name themselves.
func (r *recording) enter(layer any) (leave func()) {
	if r == nil || r.model == nil {
		return func() {}
	}
	path, kind, ok := r.model.walker.named(layer)
	if !ok {
		return func() {}
	}
	r.inside = append(r.inside, place{path: path}.label(kind))
	return func() { r.inside = r.inside[:len(r.inside)-1] }
}

// enterAt is enter for layer i of a Sequential, which also knows the place of a
// Func.
func (r *recording) enterAt(s Sequential, i int) (leave func()) {
	if _, ok := s[i].(Func); !ok || r == nil || r.model == nil {
		return r.enter(s[i])
	}
	path, ok := r.model.walker.slices[unsafe.Pointer(&s[0])]
	if !ok {
		return func() {}
	}
	r.inside = append(r.inside, place{path: join(path, strconv.Itoa(i))}.label("Func"))
	return func() { r.inside = r.inside[:len(r.inside)-1] }
}

// calling names the user's layer whose Forward runs, for messages.
func (r *recording) calling() string {
	if r == nil || len(r.inside) == 0 {
		return ""
	}
	return r.inside[len(r.inside)-1]
}

// saw notes the output of the layer at a path.
func (r *recording) saw(path string, out *Tensor) {
	if r == nil {
		return
	}
	if r.build != nil && r.model != nil {
		if m := r.model.walker.byPath[path]; m != nil {
			m.out = slices.Clone(out.shape)
		}
	}
	if _, ok := r.taps[path]; ok {
		r.taps[path] = out
	}
}
