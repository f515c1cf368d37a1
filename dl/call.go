package dl

import (
	"fmt"
	"strings"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// do runs an operation on tensors: it is recorded where one of them belongs to a
// recording, or the goroutine records; else it runs at once. The outputs are
// those of the operation, and then the new values of the layer's buffers.
func do(k opKey, numbers []float64, lower lowering, xs, params []*Tensor, names []string) ([]*Tensor, *operation) {
	r := recordingOf(xs, params)
	all := xs
	if len(params) > 0 {
		all = append(append(make([]*Tensor, 0, len(xs)+len(params)+2), xs...), params...)
	}
	l := layerInputs{names: names, inside: r.calling()}
	if r != nil {
		if k.batch = 0; len(names) > 0 {
			k.batch = r.batch
		}
		k.precision = r.precision
		l.build = r.build
	}
	var few [8]*signature
	in := few[:0]
	for _, x := range all {
		in = append(in, x.signature())
	}
	o := k.find(lower, in, numbers, l)
	if r == nil {
		return o.now(numbers, all, names), o
	}
	if o.ids > 0 {
		r.check(all[0], o)
	}
	if o.rows {
		all = append(all, r.rows)
	}
	var salt uint64
	if o.random {
		all, salt = append(all, r.random()), r.draws(k.path)
	}
	return r.add(o, names, salt, numbers, all), o
}

// check notes that the numbers of an input must stay below n. Values that the
// program computes itself cannot be looked at.
func (r *recording) check(x *Tensor, o *operation) {
	id := r.id(x)
	for i, in := range r.inputs {
		if in.id == id {
			r.checks = append(r.checks, inputCheck{i, o})
		}
	}
}

// checkInput finds a number of the first input that is beyond what it counts.
func (o *operation) checkInput(x *Tensor) error {
	name := map[string]string{"gather": "Gather", "scatteradd": "ScatterAdd", "indexselect": "IndexSelect"}[o.name]
	err := limits{ids: o.ids, index: name != ""}.inputs(x)
	if err == nil {
		return nil
	}
	if name == "" {
		name = strings.TrimSpace(o.key.path + " Embedding")
	}
	return fmt.Errorf("%s: %w", name, err)
}

// signature returns the tensor's shape and type.
func (t *Tensor) signature() *signature {
	if t.symbol != nil {
		return t.symbol
	}
	if s := t.sig.Load(); s != nil {
		return s
	}
	s := signatureOf(t.shape, t.dtype)
	t.sig.Store(s)
	return s
}

// now runs the operation at once.
func (o *operation) now(numbers []float64, xs []*Tensor, names []string) []*Tensor {
	values := xs
	learns := false
	for i, x := range xs {
		learns = learns || x.learns() || x.tape != nil
		if x.v != nil {
			if &values[0] == &xs[0] {
				values = append([]*Tensor{}, xs...)
			}
			values[i] = x.v.now.Load()
		}
	}
	if o.ids > 0 {
		if err := o.checkInput(values[0]); err != nil {
			panic(fmt.Errorf("dl: %w", err))
		}
	}
	on, placed, err := commonDevice(values)
	if err != nil {
		panic(err)
	}
	if o.random {
		key := randomKey(nextSeed(), 0)
		xs, values = append(append([]*Tensor{}, xs...), key), append(append([]*Tensor{}, values...), key)
	}
	var out []*Tensor
	inGo := false
	if fitsSmall(on, placed, values) {
		if p := o.small(numbers, names); p != nil {
			inGo = true
			out, err = runSmall(p, values, numbers)
		}
	}
	if !inGo {
		out, err = o.compiled(on, values, numbers, names)
	}
	if err != nil {
		panic(err)
	}
	for _, y := range out {
		y.data.Place(placed)
	}
	if learns && !gradientsOff() {
		for i, x := range xs {
			if x.v != nil {
				values[i].kept()
			}
		}
		at := &tape{op: o, names: names, numbers: numbers, in: xs, values: values, outs: out, small: inGo, order: tapes.Add(1)}
		for i, y := range out {
			if y.dtype.IsFloat() {
				y.tape, y.out = at, i
			}
		}
	}
	return out
}

// compiled runs the operation on a device, compiling it at the first call.
func (o *operation) compiled(on *xla.Device, values []*Tensor, numbers []float64, names []string) ([]*Tensor, error) {
	write := func(g *graph.Graph) []*graph.Node {
		t := &trace{graph: g}
		var in []*node
		for _, s := range o.in {
			in = append(in, t.input(s.dtype, s.shape))
		}
		if o.random {
			in = append(in, t.input(keyType, Shape{2}))
		}
		dynamic := make([]*graph.Node, len(numbers))
		for i := range numbers {
			dynamic[i] = xla.Parameter(g, Float32, nil)
		}
		var out []*graph.Node
		for _, y := range o.full(g, in, names, 0, numbers, dynamic) {
			out = append(out, y.value())
		}
		return out
	}
	p, err := o.programs.Get(on.Label(), func() (*xla.Program, error) {
		var first Shape
		if len(values) > 0 {
			first = values[0].shape
		}
		return xla.Compile(xla.Context(), on, nil, nil, "tensor operation", false, first, write)
	})
	if err != nil {
		return nil, err
	}
	inputs := values
	for _, n := range numbers {
		inputs = append(inputs[:len(inputs):len(inputs)], Scalar(float32(n)))
	}
	var out []*Tensor
	err = xla.Await(xla.Context(), func() error {
		var err error
		out, err = runProgram(p, inputs)
		return err
	})
	return out, err
}

// unary runs an operation of one tensor.
func (t *Tensor) unary(name string, f func(x *node) *node) *Tensor {
	return t.with(name, nil, f)
}

// with runs an operation of one tensor that has settings, which are compared by
// ==.
func (t *Tensor) with(name string, settings any, f func(x *node) *node) *Tensor {
	out, _ := do(opKey{name: name, settings: settings}, nil, func(_ *trace, in []*node) []*node { return []*node{f(in[0])} }, []*Tensor{t}, nil, nil)
	return out[0]
}

// binary runs an operation of two tensors.
func (t *Tensor) binary(name string, u *Tensor, f func(x, y *node) *node) *Tensor {
	out, _ := do(opKey{name: name}, nil, func(_ *trace, in []*node) []*node { return []*node{f(in[0], in[1])} }, []*Tensor{t, u}, nil, nil)
	return out[0]
}

// number runs an operation of one tensor with numbers that may change from call
// to call without another program.
func (t *Tensor) number(name string, f func(t *trace, x *graph.Node) *graph.Node, numbers ...float64) *Tensor {
	out, _ := do(opKey{name: name}, numbers, func(tr *trace, in []*node) []*node {
		return []*node{in[0].each(func(x *graph.Node) *graph.Node { return f(tr, x) })}
	}, []*Tensor{t}, nil, nil)
	return out[0]
}

// several runs an operation of several tensors, some of which may be nil.
func several(name string, settings any, f func(in []*node) []*node, xs ...*Tensor) []*Tensor {
	present := make([]bool, len(xs))
	var all []*Tensor
	mask := 0 // which are there
	for i, x := range xs {
		if present[i] = x != nil; x != nil {
			all = append(all, x)
			mask |= 1 << i
		}
	}
	out, _ := do(opKey{name: name, settings: struct {
		settings any
		present  int
	}{settings, mask}}, nil, func(_ *trace, in []*node) []*node {
		full := make([]*node, len(present))
		for i := range full {
			if present[i] {
				full[i], in = in[0], in[1:]
			}
		}
		return f(full)
	}, all, nil, nil)
	return out
}
