package xla

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Program is a computation compiled for one device and fixed shapes.
type Program struct {
	Split []bool // in a group, which inputs have the batch as their first axis

	name  string
	on    *Device
	exec  atomic.Pointer[executable]
	outs  []shapes.Shape
	group *Group // devices that share the batch; nil for one

	runs    atomic.Int64 // that Quicken has seen
	settled atomic.Bool  // exec stays as it is
	quick   atomic.Pointer[chan *executable]
}

// Quicken is called before each run of a program that may have another form, which
// is quicker: with calls of oneDNN. build writes the program's graph again.
func (p *Program) Quicken(build func(g *graph.Graph) []*graph.Node) {
	if p.settled.Load() {
		return
	}
	switch n := p.runs.Add(1); {
	case n == quickBegins:
		if p.group != nil || !p.on.mayCallOneDNN() {
			p.settled.Store(true)
			return
		}
		done := make(chan *executable, 1)
		q, compile, calls, err := writeGraph(p.on, nil, p.name, true, build)
		if err != nil || calls == 0 {
			p.settled.Store(true)
			return
		}
		p.quick.Store(&done)
		go func() {
			if Shield(func() error {
				if !p.on.callsOneDNN() {
					return errors.ErrUnsupported
				}
				return compile()
			}) == nil {
				done <- q.exec.Load()
			}
			close(done)
		}()
	case n >= quickFrom:
		if done := p.quick.Load(); done != nil && p.settled.CompareAndSwap(false, true) {
			if e := <-*done; e != nil {
				p.exec.Store(e)
			}
		}
	}
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
		t.Pin()
		defer t.Unpin()
		b, err := t.buffer(p.on)
		if err != nil {
			return nil, err
		}
		buffers[i] = b
	}
	var results []compute.Buffer
	err := p.on.RetryOOM(func() (err error) {
		results, err = p.exec.Load().Execute(buffers, nil, p.on.Num)
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
