package xla

import (
	"reflect"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
)

// closures puts the functions of a graph's loops inside of one another, which
// GoMLX v0.28.5 does not: it asks the builder for the main function and that for
// a closure (core/graph/function.go: NewClosure), while XLA wants a loop's
// functions to be closures of the function that has the loop. So from the second
// time on the builder's main function is one that makes closures of the function
// that is being written.
//
// What GoMLX and go-xla keep for reuse in one function does not exist in another:
// the scalars of a graph (core/graph/graph.go: getScalarConst), and the functions
// of a builder's reductions (go-xla v0.4.4, compute/xla/ops_reduce.go:
// getReductionFn). So a function begins without any, and leaves none behind.
type closures struct {
	builder compute.Builder
	main    compute.Function
	inside  []compute.Function // that are being written, the innermost last
	last    compute.Function   // that was made
	how     form               // that the program is written in
	planned bool               // the program is only written
}

// calling reports whether the main function has calls, of oneDNN or of package calls.
func (c *closures) calling() bool { return c.how != asXLA }

// calls returns how many calls there are, or oneDNN's form has.
func (c *closures) calls() int {
	if f, ok := c.main.(*oneDNN); ok {
		return f.calls
	}
	return 0
}

// loops reports whether there are loops, or calls in their place.
func (c *closures) loops() bool {
	f, ok := c.main.(*oneDNN)
	return c.last != nil || ok && f.loops
}

// Main returns the main function.
func (b onceBuilder) Main() compute.Function {
	if b.closures.main == nil {
		b.closures.main = b.Builder.Main()
		if b.closures.calling() {
			b.closures.main = &oneDNN{Function: b.closures.main, builder: b.Builder, on: b.on, own: b.closures.how == unoptimised}
		}
		return b.closures.main
	}
	return closureMaker{b.closures.main, b.closures}
}

// closureMaker is the main function for those who want a closure of it.
type closureMaker struct {
	compute.Function
	closures *closures
}

// Closure makes a closure of the function that is being written.
func (m closureMaker) Closure() (compute.Function, error) {
	outer := m.Function
	if n := len(m.closures.inside); n > 0 {
		outer = m.closures.inside[n-1]
	}
	f, err := outer.Closure()
	m.closures.last = f
	return f, err
}

// Closure writes a function into the backend's graph that a loop calls.
func (b once) Closure(g *graph.Graph, f func() []*graph.Node) *graph.Function {
	c := b.closures
	defer withEmptyMaps(g, "scalars")()
	return graph.NewClosure(g, func(*graph.Graph) []*graph.Node {
		defer withEmptyMaps(c.builder, "cacheReductions", "cacheArgMinMax", "cacheSelections")()
		c.inside = append(c.inside, c.last)
		defer func() { c.inside = c.inside[:len(c.inside)-1] }()
		return f()
	})
}

// withEmptyMaps puts empty maps into fields of a struct, as far as it has them,
// until restore.
func withEmptyMaps(of any, fields ...string) (restore func()) {
	var undo []func()
	v := reflect.ValueOf(of)
	for _, name := range fields {
		if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
			continue
		}
		f := v.Elem().FieldByName(name)
		if !f.IsValid() || f.Kind() != reflect.Map {
			continue
		}
		f = reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem()
		before := reflect.ValueOf(f.Interface())
		f.Set(reflect.MakeMap(f.Type()))
		undo = append(undo, func() { f.Set(before) })
	}
	return func() {
		for _, u := range undo {
			u()
		}
	}
}
