package dl

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// Compiled is a function whose calls run as one program: see [Compile].
type Compiled[F any] struct {
	// Call calls the function. It has the function's own type.
	Call F

	f    reflect.Value // the function itself
	name string
	seed uint64        // with calls, where random numbers begin
	n    atomic.Uint64 // calls
}

// Compile returns a function that does what f does in one program, which XLA
// compiles as a whole: forward pass, backward pass and the optimizer's step of
// everything that f touches.
//
//	step := dl.Compile(func(x, y *dl.Tensor) *dl.Tensor {
//		loss := model.Call(x).CrossEntropy(y)
//		loss.Backward()
//		opt.Step()
//		return loss
//	})
//	loss := step.Call(batch.Inputs, batch.Labels).Item()
//
// f runs at every call, on tensors that have a shape and no values, so it may
// read variables, loop, and decide in Go as it likes. What it did finds the
// program: one that was not seen before is compiled, which takes from half a
// second to some seconds. Numbers that differ from call to call do not make
// another program.
//
// F may have any parameters and results. Tensors among them, also in slices,
// structs and maps from strings, such as those of a [Batch], become inputs and
// outputs of the program; tensors that f takes from elsewhere are read at each
// call. f begins without gradients, and those that it finds
// are gone when it ends. Parameters get their new values when the whole program
// has run: a call that fails changes nothing.
//
// Reading a value inside of f (Item, Float32s, print) panics: there is none yet.
// Call panics with what goes wrong in f and in the program. If the last result of
// f is an error, Call returns that instead, and zero values beside it; an error
// that f itself returns comes back the same, and the program does not run.
func Compile[F any](f F) *Compiled[F] {
	v := reflect.ValueOf(f)
	if !v.IsValid() || v.Kind() != reflect.Func || v.IsNil() {
		panic(fmt.Errorf("dl: Compile: got %T, want a function; write dl.Compile(func(x *dl.Tensor) *dl.Tensor { … })", f))
	}
	c := &Compiled[F]{f: v, name: "compiled function", seed: nextSeed()}
	t := v.Type()
	c.Call = reflect.MakeFunc(t, func(args []reflect.Value) []reflect.Value {
		n := t.NumOut()
		if n == 0 || t.Out(n-1) != errorType {
			return c.call(args)
		}
		var results []reflect.Value
		if err := xla.Guard(func() { results = c.call(args) }); err != nil {
			results = make([]reflect.Value, n)
			for i := range n - 1 {
				results[i] = reflect.Zero(t.Out(i))
			}
			results[n-1] = reflect.ValueOf(&err).Elem()
		}
		return results
	}).Interface().(F)
	return c
}

var errorType = reflect.TypeFor[error]()

// run calls the function itself.
func (c *Compiled[F]) run(args []reflect.Value) []reflect.Value {
	if c.f.Type().IsVariadic() {
		return c.f.CallSlice(args)
	}
	return c.f.Call(args)
}

// call runs the function as a program and panics with what goes wrong.
func (c *Compiled[F]) call(args []reflect.Value) []reflect.Value {
	var given []*Tensor
	for _, a := range args {
		given = append(given, tensorsIn(a)...)
	}
	if recordingOf(given) != nil {
		return c.run(args) // a part of another program
	}
	on, placed, err := commonDevice(given)
	if err != nil {
		panic(err)
	}
	r, results, outs, err := c.record(on, c.n.Add(1)-1, args)
	defer r.close()
	if err != nil {
		panic(err)
	}
	var shape Shape
	if len(given) > 0 {
		shape = given[0].shape
	}
	ctx := xla.Context()
	values, err := r.run(ctx, shape, outs)
	if err != nil {
		panic(during(c.name, err))
	}
	for _, y := range values {
		y.data.Place(placed)
	}
	for i, y := range results {
		results[i] = mapTensors(y, func(t *Tensor) *Tensor {
			if t.v != nil && r.pending[t] == nil {
				return t
			}
			y := values[0]
			values = values[1:]
			return y
		})
	}
	return results
}

// record records the nth call of the function, and returns its results and the tensors among them
// that the program gives.
func (c *Compiled[F]) record(on *xla.Device, n uint64, args []reflect.Value) (r *recording, results []reflect.Value, outs []*Tensor, err error) {
	r = newRecording(c.name, on)
	r.counted, r.nth = true, int(n)
	r.newKey = func() *Tensor { return randomKey(c.seed, n) }
	err = xla.Guard(func() {
		defer r.begin()()
		inside := make([]reflect.Value, len(args))
		for i, a := range args {
			inside[i] = mapTensors(a, func(t *Tensor) *Tensor {
				if t.v != nil {
					return t // a parameter
				}
				x := r.argument(t, false)
				if t.wants {
					x.RequiresGrad()
				}
				return x
			})
		}
		results = c.run(inside)
		if n := len(results); n > 0 && results[n-1].Type() == errorType && !results[n-1].IsNil() {
			panic(results[n-1].Interface())
		}
		for _, y := range results {
			for _, t := range tensorsIn(y) {
				if t.v != nil && r.pending[t] == nil {
					continue // returned as it is
				}
				outs = append(outs, r.of(t))
			}
		}
	})
	return r, results, outs, err
}

// Plan says what a call with such arguments would need of a GPU, such as "h100", as [Step.Plan] does
// of a step: its memory, and its operations. The function is called once to record what it
// computes; that does not run, the values of the arguments are not read, and no parameter changes.
// An error is as of [Model.Plan]; arguments that the function does not take are one, too.
func (c *Compiled[F]) Plan(gpu string, args ...any) (Plan, error) {
	p, err := c.plan(gpu, args)
	if err != nil {
		return Plan{}, during("Plan", err)
	}
	return p, nil
}

func (c *Compiled[F]) plan(gpu string, args []any) (Plan, error) {
	t := c.f.Type()
	if len(args) != t.NumIn() {
		return Plan{}, fmt.Errorf("got %d arguments, want %d, as the function %v has", len(args), t.NumIn(), t)
	}
	values := make([]reflect.Value, len(args))
	var given []*Tensor
	for i, a := range args {
		v := reflect.ValueOf(a)
		if !v.IsValid() || !v.Type().AssignableTo(t.In(i)) {
			return Plan{}, fmt.Errorf("argument %d is %T, want %v, as the function %v has", i, a, t.In(i), t)
		}
		values[i] = v
		given = append(given, tensorsIn(v)...)
	}
	on, err := xla.Planned(gpu)
	if err != nil {
		return Plan{}, err
	}
	r, _, outs, err := c.record(on, c.n.Load(), values)
	defer r.close()
	if err != nil {
		return Plan{}, err
	}
	text, err := plannedText(r.run(xla.Context(), nil, outs))
	if err != nil {
		return Plan{}, err
	}
	rows := 0
	if len(given) > 0 && len(given[0].shape) > 0 {
		rows = given[0].shape[0]
	}
	return planFor(gpu, 1, plannedProgram{name: c.name, batch: rows, text: text})
}

var tensorType = reflect.TypeFor[*Tensor]()

// tensorsIn returns the tensors of a parameter or result, in order.
func tensorsIn(v reflect.Value) []*Tensor {
	var all []*Tensor
	mapTensors(v, func(t *Tensor) *Tensor { all = append(all, t); return t })
	return all
}

// mapTensors returns v with f of its tensors in their places: of a tensor, a slice or array
// of tensors or a map from strings to them, or a struct with exported fields of
// these.
func mapTensors(v reflect.Value, f func(*Tensor) *Tensor) reflect.Value {
	switch {
	case v.Type() == tensorType:
		if v.IsNil() {
			return v
		}
		return reflect.ValueOf(f(v.Interface().(*Tensor)))
	case (v.Kind() == reflect.Slice && !v.IsNil() || v.Kind() == reflect.Array) && holdsTensors(v.Type().Elem()):
		all := reflect.New(v.Type()).Elem()
		if v.Kind() == reflect.Slice {
			all = reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		}
		for i := range v.Len() {
			all.Index(i).Set(mapTensors(v.Index(i), f))
		}
		return all
	case v.Kind() == reflect.Map && !v.IsNil() && v.Type().Key().Kind() == reflect.String && holdsTensors(v.Type().Elem()):
		all := reflect.MakeMapWithSize(v.Type(), v.Len())
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			all.SetMapIndex(key, mapTensors(v.MapIndex(key), f))
		}
		return all
	case v.Kind() == reflect.Struct && holdsTensors(v.Type()):
		s := reflect.New(v.Type()).Elem()
		s.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				s.Field(i).Set(mapTensors(v.Field(i), f))
			}
		}
		return s
	}
	return v
}

// holdsTensors reports whether mapTensors finds tensors in values of a type, which
// may hold itself.
func holdsTensors(t reflect.Type, within ...reflect.Type) bool {
	if slices.Contains(within, t) {
		return false
	}
	within = append(within[:len(within):len(within)], t)
	switch {
	case t == tensorType:
		return true
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Array, t.Kind() == reflect.Map && t.Key().Kind() == reflect.String:
		return holdsTensors(t.Elem(), within...)
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() && holdsTensors(t.Field(i).Type, within...) {
				return true
			}
		}
	}
	return false
}

// GoMLX runs a function of GoMLX's graph package on tensors, for operations that
// dl does not have. f is called whenever a program is written, with a node for
// each tensor, and returns the nodes of the results. name is for messages.
//
// What f does cannot be seen from outside, so a program with it is written anew
// at each call, which takes milliseconds; XLA compiles it once for its text.
func GoMLX(name string, f func(xs ...*graph.Node) []*graph.Node, xs ...*Tensor) []*Tensor {
	k := opKey{name: name, settings: new(int)} // like no other
	r := recordingOf(xs)
	if r != nil {
		r.opaque = true
	}
	outs, _ := do(k, nil, func(_ *trace, in []*node) (out []*node) {
		raw := make([]*graph.Node, len(in))
		for i, x := range in {
			raw[i] = x.value()
		}
		for _, y := range f(raw...) {
			out = append(out, &node{raw: y, t: in[0].t})
		}
		return out
	}, xs, nil, nil)
	return outs
}
