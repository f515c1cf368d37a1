package xla

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/internal/hooks"
)

// Program is a computation compiled for one device and fixed shapes.
type Program struct {
	// In a group:
	Split   []bool   // which inputs have the batch as their first axis
	Layouts []Layout // of the inputs that are not split; nil where each device has all whole
	Results []Layout // of the outputs

	name  string
	how   form
	on    *Device
	exec  *executable
	outs  []shapes.Shape
	group *Group // devices that share the batch; nil for one

	quick struct { // the form of it with calls of oneDNN, or an optimised one
		begin sync.Once
		done  chan struct{} // closed when it is known
		form  *Program      // nil where there is none
		holds sync.Once
	}
}

// layoutOf returns the layout of an input that is not split.
func (p *Program) layoutOf(input int) Layout {
	if input < len(p.Layouts) {
		return p.Layouts[input]
	}
	return Replicated
}

// Quick returns what is to be run as the nth run, counted from 0, of what the program belongs to,
// such as a training: the program itself, and from the [quickFrom]th on its form with calls of
// oneDNN, where it has one. build writes the program's graph again.
func (p *Program) Quick(n int, build func(g *graph.Graph) []*graph.Node) *Program {
	q := &p.quick
	if p.how == withCalls { // and no other form will be compiled beside its runs
		if n > 0 { // the first one makes the weights
			q.holds.Do(holdMemory)
		}
		return p
	}
	if n < quickBegins {
		return p
	}
	q.begin.Do(func() { p.compileQuick(build) })
	if n < quickFrom {
		return p
	}
	<-q.done
	q.holds.Do(holdMemory)
	if q.form != nil {
		return q.form
	}
	return p
}

// holdMemory keeps the memory that a run gives back for the next one. Earlier, while a program's
// other form is compiled beside its runs, the compiler's own numbers would come to lie in it, and
// the next run would need as much anew: a process of an LSTM held twice what it needed.
func holdMemory() {
	if f := hooks.Get().HoldMemory; f != nil {
		f()
	}
}

// closedChannel is the done of a program that has no other form.
var closedChannel = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// compileQuick begins to compile the form with calls of oneDNN, where there is one. Where their
// check fails, or the compiler, an unoptimised program gets an optimised one instead.
func (p *Program) compileQuick(build func(g *graph.Graph) []*graph.Node) {
	q := &p.quick
	q.done = closedChannel
	if p.group != nil || !p.on.mayCallOneDNN() {
		return
	}
	form, compile, c, err := writeGraph(p.on, nil, nil, p.name, withCalls, build)
	if err != nil || c.calls() == 0 {
		return
	}
	var own *Program
	var compileOwn func() error
	if p.how == unoptimised {
		if own, compileOwn, _, err = writeGraph(p.on, nil, nil, p.name, asXLA, build); err != nil {
			return
		}
	}
	q.done = make(chan struct{})
	go func() {
		defer close(q.done)
		err := Shield(func() error {
			if !p.on.callsOneDNN() {
				return errors.ErrUnsupported
			}
			return compile()
		})
		if err == nil {
			q.form = form
		} else if own != nil && Shield(compileOwn) == nil {
			q.form = own
		}
	}()
}

// Run executes the program. Nothing is donated: go-xla v0.4.4 writes no
// aliasing into its programs, so XLA would not reuse a donated buffer, and a
// step that fails would have lost the weights. The outputs are on the device.
func (p *Program) Run(inputs []*Array) ([]*Array, error) {
	if p.group != nil {
		return p.group.execute(p, inputs)
	}
	buffers := make([]compute.Buffer, len(inputs))
	for i, t := range inputs {
		t.pinRun()
		defer t.unpinRun()
		b, err := t.buffer(p.on)
		if err != nil {
			return nil, err
		}
		buffers[i] = b
	}
	var results []compute.Buffer
	err := p.on.RetryOOM(func() (err error) {
		results, err = p.exec.Execute(buffers, nil, p.on.Num)
		return err
	})
	runtime.KeepAlive(p)
	if err != nil {
		return nil, fmt.Errorf("dl: run on %s: %w", p.on.Label(), err)
	}
	outputs := make([]*Array, len(results))
	for i, b := range results {
		outputs[i] = deviceArray(p.on, b, p.outs[i])
	}
	return outputs, nil
}

// Programs is a cache of compiled programs. Two goroutines that want the same
// one compile it once.
type Programs struct {
	mu  sync.Mutex
	all map[string]*entry
}

type entry struct {
	mu sync.Mutex
	p  *Program
}

// Get returns the program under a key, compiling it at the first call. A
// failure is not kept.
func (c *Programs) Get(key string, compile func() (*Program, error)) (*Program, error) {
	c.mu.Lock()
	if c.all == nil {
		c.all = map[string]*entry{}
	}
	e := c.all[key]
	if e == nil {
		e = &entry{}
		c.all[key] = e
	}
	c.mu.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.p != nil {
		return e.p, nil
	}
	p, err := compile()
	e.p = p
	return p, err
}
