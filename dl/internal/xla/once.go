package xla

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"reflect"
	"runtime"
	"slices"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
)

// XLA compiles a program once for its text, also where the program is
// made again: the gradient of a function that is written at each call, the step of
// a network that a cell builds again. The text of a program has all of it, constants included;
// one for several devices takes the first ones, whose number it has.

// executable is a compiled program, which its users share.
type executable struct{ compute.Executable }

// mostKept is how many executables are kept that are not in use.
const mostKept = 128

// compiled holds the executables by their text's checksum.
var compiled struct {
	sync.Mutex
	by     map[textKey]*making
	recent []textKey // the longest unused one first
	count  int       // how often XLA has compiled
}

type textKey struct {
	backend compute.Backend
	sum     [sha256.Size]byte
}

// making is an executable, or the wait for it.
type making struct {
	sync.Mutex
	exec *executable
}

// once is a backend for one graph, whose program is compiled once for its text.
type once struct {
	compute.Backend
	closures *closures
}

// NewGraph begins a graph for the device, in which there can be loops.
func (on *Device) NewGraph(name string) *graph.Graph {
	g, _ := on.newGraph(name, asXLA)
	return g
}

func (on *Device) newGraph(name string, how form) (*graph.Graph, *closures) {
	c := &closures{how: how}
	return graph.NewGraph(once{on.Backend, c}, name), c
}

// Builder begins a program.
func (b once) Builder(name string) compute.Builder {
	builder := b.Backend.Builder(name)
	b.closures.builder = builder
	return onceBuilder{builder, b.Backend, b.closures}
}

type onceBuilder struct {
	compute.Builder
	on       compute.Backend
	closures *closures
}

// Compile returns the executable of the program's text. A failure is not kept.
func (b onceBuilder) Compile() (compute.Executable, error) {
	if b.closures.planned {
		var text bytes.Buffer
		if !b.write(&text) {
			return nil, errors.New("dl: the program's text cannot be had from this version of go-xla")
		}
		return &executable{written{text: text.Bytes()}}, nil
	}
	h := sha256.New()
	if !b.write(h) {
		return b.compile()
	}
	key := textKey{backend: b.on, sum: [sha256.Size]byte(h.Sum(nil))}
	compiled.Lock()
	if compiled.by == nil {
		compiled.by = map[textKey]*making{}
	}
	m := compiled.by[key]
	if m == nil {
		m = &making{}
		compiled.by[key] = m
	}
	compiled.recent = append(slices.DeleteFunc(compiled.recent, func(k textKey) bool { return k == key }), key)
	if len(compiled.recent) > mostKept {
		delete(compiled.by, compiled.recent[0])
		compiled.recent = slices.Delete(compiled.recent, 0, 1)
	}
	compiled.Unlock()
	m.Lock()
	defer m.Unlock()
	if m.exec == nil {
		exec, err := b.compile()
		if err != nil {
			return nil, err
		}
		m.exec = exec
	}
	return m.exec, nil
}

func (b onceBuilder) compile() (*executable, error) {
	compiled.Lock()
	compiled.count++
	compiled.Unlock()
	exec, err := b.Builder.Compile()
	if err != nil {
		return nil, err
	}
	e := &executable{exec}
	runtime.AddCleanup(e, func(e compute.Executable) { e.Finalize() }, exec)
	return e, nil
}

// write writes the program's StableHLO, and reports whether it can. go-xla v0.4.4 has it
// in a field of its builder (compute/xla/builder.go: builder) and shows it to
// no caller; other backends have none.
func (b onceBuilder) write(to io.Writer) bool {
	v := reflect.ValueOf(b.Builder)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return false
	}
	inner := v.Elem().FieldByName("builder")
	if !inner.IsValid() || inner.Kind() != reflect.Pointer || inner.IsNil() {
		return false
	}
	w, ok := reflect.NewAt(inner.Type().Elem(), inner.UnsafePointer()).Interface().(interface{ Write(io.Writer) error })
	return ok && w.Write(to) == nil
}

// Compilations returns how often a compiler has run, for tests.
func Compilations() int {
	compiled.Lock()
	defer compiled.Unlock()
	return compiled.count
}
