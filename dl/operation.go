package dl

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// An operation is one thing that can be done with tensors: x.ReLU() of a
// float32 [64 128], say. What it does follows from its key alone: its name, its
// settings and the shapes of its inputs. So an operation is described once, and
// from then on a call is a look-up: of the output's shape where a program is
// recorded, of a compiled program where the call runs at once.

// signature is a shape and an element type. There is one of each kind, so that
// signatures are compared by their address.
type signature struct {
	id    uint64
	shape Shape
	dtype DType
}

var signatures struct {
	sync.RWMutex
	all map[string]*signature
}

// signatureOf returns the signature of a shape and type.
func signatureOf(shape Shape, dtype DType) *signature {
	var buf [64]byte
	key := binary.AppendVarint(buf[:0], int64(dtype))
	for _, n := range shape {
		key = binary.AppendVarint(key, int64(n))
	}
	signatures.RLock()
	s := signatures.all[string(key)]
	signatures.RUnlock()
	if s != nil {
		return s
	}
	signatures.Lock()
	defer signatures.Unlock()
	if signatures.all == nil {
		signatures.all = map[string]*signature{}
	}
	if s = signatures.all[string(key)]; s == nil {
		s = &signature{id: uint64(len(signatures.all)), shape: append(Shape{}, shape...), dtype: dtype}
		signatures.all[string(key)] = s
	}
	return s
}

// lowering writes an operation into a program: from the nodes of its inputs,
// the nodes of its outputs. It may use nothing else that can change.
type lowering func(t *trace, in []*node) []*node

// opKey is all that an operation depends on.
type opKey struct {
	name      string
	settings  any    // comparable
	path      string // of the layer, for random numbers and messages; "" outside of layers
	training  bool
	batch     int   // examples in a batch of which not all count; 0 where all do
	precision DType // of the forward pass; 0 for that of the inputs
	in        [4]*signature
	more      string // the addresses of further inputs' signatures
}

// operation is what is known of a key.
type operation struct {
	id    uint64 // of the key, for the texts of recordings
	name  string
	lower lowering
	in    []*signature
	outs  []*signature
	key   opKey

	random  bool  // the last input is a key of random numbers
	rows    bool  // the input before that is the number of examples that count
	updates []int // which of the layer's parameters the further outputs are new values of
	ids     int   // what the numbers of the first input must stay below; 0 for anything

	text string // of a layer, as PyTorch prints it
	macs int    // multiplications with addition, of a layer

	programs xla.Programs  // by device, for calls that run at once
	smalls   smallPrograms // the same in Go, where it is small
}

// operations holds the operations by their keys. It is emptied when it is
// full: what is compiled is found again by the program's text.
var operations struct {
	sync.RWMutex
	all map[opKey]*operation
}

var operationIDs atomic.Uint64

const mostOperations = 1 << 16

// layerInputs are the inputs that a layer has besides those of its call.
type layerInputs struct {
	names  []string // full names of the parameters that are the last inputs
	inside string   // the user's layer that calls, for messages
	build  *builder // makes the parameters that are missing; nil outside of Build
}

// find returns the operation of a key, describing it at the first call.
func (k opKey) find(lower lowering, in []*signature, numbers []float64, l layerInputs) *operation {
	k.in, k.more = [4]*signature{}, ""
	n := copy(k.in[:], in)
	if n < len(in) {
		more := make([]byte, 0, 8*(len(in)-n))
		for _, s := range in[n:] {
			more = binary.AppendUvarint(more, s.id)
		}
		k.more = string(more)
	}
	operations.RLock()
	o := operations.all[k]
	operations.RUnlock()
	if o != nil {
		return o
	}
	o = k.describe(lower, append([]*signature{}, in...), numbers, l)
	if _, once := k.settings.(*int); once { // see GoMLX
		return o
	}
	operations.Lock()
	defer operations.Unlock()
	if have := operations.all[k]; have != nil {
		return have
	}
	if operations.all == nil || len(operations.all) >= mostOperations {
		operations.all = map[opKey]*operation{}
	}
	operations.all[k] = o
	return o
}

// describe writes the operation once into a program of its own that is thrown
// away: that checks the shapes and gives those of the outputs.
func (k opKey) describe(lower lowering, in []*signature, numbers []float64, l layerInputs) *operation {
	on, err := xla.Current()
	if err != nil {
		panic(err)
	}
	g := on.NewGraph("describe")
	defer g.Finalize()
	o := &operation{id: operationIDs.Add(1), name: k.name, lower: lower, in: in, key: k}
	t := o.trace(g)
	t.inside, t.build = l.inside, l.build
	t.fixed, t.dynamic = numbers, make([]*graph.Node, len(numbers))
	var nodes []*node
	for _, s := range in {
		nodes = append(nodes, t.input(s.dtype, s.shape))
	}
	outs := o.write(t, nodes, l.names)
	for _, y := range outs {
		o.outs = append(o.outs, signatureOf(y.Shape(), y.DType()))
	}
	for i, name := range t.names {
		if t.updates[name] != nil {
			o.updates = append(o.updates, i)
		}
	}
	for _, i := range o.updates {
		y := t.updates[t.names[i]]
		o.outs = append(o.outs, signatureOf(y.Shape().Dimensions, y.DType()))
	}
	o.random, o.rows, o.ids, o.text, o.macs = t.asks, t.usesRows, t.ids, t.text, t.macs
	return o
}

// trace begins the writing of the operation into a program.
func (o *operation) trace(g *graph.Graph) *trace {
	return &trace{graph: g, path: o.key.path, training: o.key.training, precision: o.key.precision, batch: o.key.batch}
}

// write writes the operation, whose parameters, named names, are the last of
// the inputs.
func (o *operation) write(t *trace, in []*node, names []string) []*node {
	t.names = names
	t.params, t.updates = map[string]*graph.Node{}, map[string]*graph.Node{}
	n := len(in) - len(names)
	for i, name := range names {
		t.params[name] = in[n+i].value()
	}
	return o.lower(t, in[:n])
}

// full writes the operation into a program as it is recorded: with the inputs
// for random numbers and rows, and the new values of buffers among the outputs.
func (o *operation) full(g *graph.Graph, in []*node, names []string, salt uint64, fixed []float64, dynamic []*graph.Node) []*node {
	t := o.trace(g)
	t.salt, t.fixed, t.dynamic = salt, fixed, dynamic
	for _, x := range in {
		x.t = t
	}
	if o.random {
		t.key, in = in[len(in)-1].value(), in[:len(in)-1]
	}
	if o.rows {
		t.rows, in = in[len(in)-1].value(), in[:len(in)-1]
	}
	outs := o.write(t, in, names)
	for _, i := range o.updates {
		outs = append(outs, &node{raw: t.updates[names[i]], t: t})
	}
	return outs
}

// plainTypes tells which types of settings are compared as a whole by ==: those
// without pointers, slices and the like.
var plainTypes sync.Map // reflect.Type → bool

// settingsOf returns settings in a form that is compared by ==.
func settingsOf(v any) any {
	if arePlain(v) {
		return v
	}
	return settings(v)
}

// arePlain reports whether settings are compared as a whole by ==.
func arePlain(v any) bool {
	t := reflect.TypeOf(v)
	plain, ok := plainTypes.Load(t)
	if !ok {
		plain = isPlain(t)
		plainTypes.Store(t, plain)
	}
	return plain.(bool)
}

// settled returns a copy of settings that shares nothing with the original: with
// slices and numbers behind pointers of its own. An operation keeps its settings for as long
// as it is known.
func settled[T any](settings T) T {
	if arePlain(settings) {
		return settings
	}
	v := reflect.ValueOf(&settings).Elem()
	settle(v)
	return settings
}

func settle(v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			inner := reflect.New(v.Elem().Type()).Elem()
			inner.Set(v.Elem())
			settle(inner)
			v.Set(inner)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				settle(v.Field(i))
			}
		}
	case reflect.Slice:
		if !v.IsNil() {
			own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(own, v)
			v.Set(own)
		}
	case reflect.Pointer:
		if v.Type() != tensorType && !v.IsNil() && v.Elem().Kind() != reflect.Struct {
			own := reflect.New(v.Type().Elem())
			own.Elem().Set(v.Elem())
			v.Set(own)
		}
	}
}

func isPlain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i).Type; f != siteType && f != tensorType && !isPlain(t.Field(i).Type) {
				return false
			}
		}
		return true
	case reflect.Array:
		return isPlain(t.Elem())
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Func, reflect.Interface, reflect.Chan, reflect.UnsafePointer:
		return false
	}
	return true
}

// ints is a list of a few numbers that is compared by ==.
type ints struct {
	n int
	v [8]int
}

// intsOf returns numbers in a form that is compared by ==.
func intsOf(v []int) any {
	if len(v) > 8 {
		return fmt.Sprint(v)
	}
	l := ints{n: len(v)}
	copy(l.v[:], v)
	return l
}
