package dl

import (
	"fmt"
	"runtime"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
)

// program is a computation compiled for one device and fixed shapes.
type program struct {
	on   *device
	exec *executable
	outs []shapes.Shape

	spread *spread // devices that share the batch; nil for one
	split  []bool  // with spread, which inputs have the batch as their first axis
}

// run executes the program. Nothing is donated: go-xla v0.4.4 writes no
// aliasing into its programs, so XLA would not reuse a donated buffer, and a
// step that fails would have lost the weights. The outputs are on the device.
func (p *program) run(inputs ...*Tensor) ([]*Tensor, error) {
	if p.spread != nil {
		return p.spread.execute(p, inputs)
	}
	buffers := make([]compute.Buffer, len(inputs))
	for i, t := range inputs {
		t.pin()
		defer t.unpin()
		b, err := t.buffer(p.on)
		if err != nil {
			return nil, err
		}
		buffers[i] = b
	}
	var results []compute.Buffer
	err := p.on.roomy(func() (err error) {
		results, err = p.exec.Execute(buffers, nil, p.on.num)
		return err
	})
	runtime.KeepAlive(p)
	if err != nil {
		return nil, fmt.Errorf("dl: run on %s: %w", p.on.label(), err)
	}
	outputs := make([]*Tensor, len(results))
	for i, b := range results {
		outputs[i] = deviceTensor(p.on, b, p.outs[i])
	}
	return outputs, nil
}

// programs is a cache of compiled programs. Two goroutines that want the same
// one compile it once.
type programs struct {
	mu  sync.Mutex
	all map[string]*entry
}

type entry struct {
	mu sync.Mutex
	p  *program
}

// get returns the program under a key, compiling it at the first call. A
// failure is not kept.
func (c *programs) get(key string, compile func() (*program, error)) (*program, error) {
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
