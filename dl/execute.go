package dl

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"os"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// keyOf returns the checksum of all that the program depends on.
func (r *recording) keyOf(wanted []int32) [sha256.Size]byte {
	text := r.text
	text = append(text, '>')
	for _, id := range wanted {
		text = binary.AppendUvarint(text, uint64(id))
	}
	text = append(text, r.on.Label()...)
	if r.counted {
		text = append(append(text, '#'), os.Getenv(xla.OneDNNEnv)...)
	}
	if r.share != nil {
		text = append(append(text, '/'), r.share.Key()...)
		for _, in := range r.inputs {
			text = append(append(text, ' '), r.layouts[in.t]...)
		}
		for _, l := range r.results {
			text = append(append(text, '>'), l...)
		}
	}
	return sha256.Sum256(text)
}

// compiled returns the program that gives the wanted values.
func (r *recording) compiled(ctx context.Context, shape Shape, wanted []int32) (*xla.Variant, error) {
	compile := func(inputs []bool) (*xla.Program, error) { return r.compile(ctx, shape, inputs, wanted) }
	if r.opaque || r.on.Plans() {
		inputs := make([]bool, len(r.numbers))
		p, err := compile(inputs)
		return &xla.Variant{Program: p, Inputs: inputs}, err
	}
	return xla.FindVariant(r.keyOf(wanted), r.numbers, compile)
}

func (r *recording) compile(ctx context.Context, shape Shape, dynamic []bool, wanted []int32) (*xla.Program, error) {
	p, err := xla.Compile(ctx, r.on, r.share, r.results, r.name, r.counted, shape, func(g *graph.Graph) []*graph.Node {
		return r.write(g, dynamic, wanted)
	})
	if err != nil {
		return nil, err
	}
	r.place(p)
	return p, nil
}

// runHooks are called while a program runs. Each may be nil.
type runHooks struct {
	check  func(out []*Tensor) error // with the results, before anything changes
	commit func(out []*Tensor)       // when the parameters have their new values
	end    func()                    // at the end, however it came
}

// run is runWith with one context and no hooks.
func (r *recording) run(ctx context.Context, shape Shape, wanted []*Tensor) ([]*Tensor, error) {
	return r.runWith(ctx, ctx, shape, wanted, runHooks{})
}

// runWith compiles the recording, unless that was done, and runs it: it returns
// the values of the wanted tensors, and gives the parameters that have new
// values theirs. A step either happens or does not: when anything fails, all
// parameters keep their values. Cancelling ctx ends the wait for the compiler,
// and running that for the program, which then goes on to its end.
func (r *recording) runWith(ctx, running context.Context, shape Shape, wanted []*Tensor, h runHooks) (results []*Tensor, err error) {
	end := func() {
		if h.end != nil {
			h.end()
		}
	}
	ids := make([]int32, 0, len(wanted)+len(r.changed))
	for _, x := range wanted {
		ids = append(ids, r.id(x))
	}
	for _, v := range r.changed {
		ids = append(ids, r.pending[v].id)
	}
	values := len(ids)
	if len(r.finite) > 0 {
		ids = append(ids, r.soundnesses().id)
	}
	if r.share != nil {
		r.results = make([]xla.Layout, len(ids))
		for i, x := range append(wanted[:len(wanted):len(wanted)], r.changed...) {
			r.results[i] = r.layouts[x]
		}
	}
	var v *xla.Variant
	inGo := r.small(ids)
	if r.inGo = inGo != nil; !r.inGo {
		v, err = r.compiled(ctx, shape, ids)
	}
	if err == nil {
		err = running.Err()
	}
	if err == nil && r.on.Plans() {
		err = notRun{v.Program}
	}
	if err != nil {
		end()
		return nil, err
	}
	err = xla.Await(running, func() error {
		defer end()
		if len(r.changed) > 0 {
			defer lockVariables(r.changed)()
		}
		for _, c := range r.checks {
			if err := c.by.checkInput(r.inputs[c.input].t); err != nil {
				return err
			}
		}
		inputs, release := r.inputValues()
		defer release()
		var out []*Tensor
		if inGo != nil {
			out, err = runSmall(inGo, inputs, r.numbers)
		} else {
			for i, n := range r.numbers {
				if v.Inputs[i] {
					inputs = append(inputs, Scalar(float32(n)))
				}
			}
			p := v.Program.Quick(r.nth, func(g *graph.Graph) []*graph.Node { return r.write(g, v.Inputs, ids) })
			out, err = runProgram(p, inputs)
		}
		if err != nil {
			return err
		}
		if err := r.unsound(running, out[values:], inputs); err != nil {
			return err
		}
		if h.check != nil {
			if err := h.check(out[:len(wanted)]); err != nil {
				return err
			}
		}
		install(r.changed, out[len(wanted):values])
		for _, f := range r.after {
			f()
		}
		if h.commit != nil {
			h.commit(out[:len(wanted)])
		}
		results = out[:len(wanted)]
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// inputValues returns the values of the inputs, those of all parameters at one
// moment, pinned.
func (r *recording) inputValues() (values []*Tensor, release func()) {
	values = make([]*Tensor, len(r.inputs), len(r.inputs)+len(r.numbers))
	func() {
		commits.RLock()
		defer commits.RUnlock()
		for i, in := range r.inputs {
			values[i] = in.t
			if in.t.v != nil {
				values[i] = in.t.v.now.Load()
			}
			values[i].data.Pin()
		}
	}()
	n := len(values)
	all := values
	return values, func() {
		for _, t := range all[:n] {
			t.data.Unpin()
		}
	}
}

// runProgram runs a program on values.
func runProgram(p *xla.Program, inputs []*Tensor) ([]*Tensor, error) {
	in := make([]*xla.Array, len(inputs))
	for i, t := range inputs {
		in[i] = t.data
	}
	results, err := p.Run(in)
	if err != nil {
		return nil, err
	}
	out := make([]*Tensor, len(results))
	for i, a := range results {
		out[i] = arrayTensor(a)
	}
	return out, nil
}
