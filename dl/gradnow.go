package dl

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/gomlx/gomlx/core/graph"
)

// Gradients that are asked for at once, by [Grad], can themselves be differentiated:
// all that the function did is one operation, whose inputs are what the function was
// given and what it took from outside, parameters too. So it has a tape like any
// other, and Backward goes through it: WGAN-GP's penalty needs no compiled function.

// gradOperations are such operations, by what their recordings say.
var gradOperations struct {
	sync.Mutex
	all map[[sha256.Size]byte]*operation
}

// mostGradOperations is how many are kept.
const mostGradOperations = 512

// now runs the recording of a Grad at once, and returns the values of the wanted
// tensors. Buffers that got new values in it are given them.
func (r *recording) now(wanted []*Tensor) ([]*Tensor, error) {
	ids := make([]int32, 0, len(wanted)+len(r.changed))
	for _, x := range wanted {
		ids = append(ids, r.id(x))
	}
	for _, v := range r.changed {
		ids = append(ids, r.pending[v].id)
	}
	xs := make([]*Tensor, len(r.inputs))
	in := make([]*signature, len(r.inputs))
	for i, input := range r.inputs {
		xs[i], in[i] = input.t, input.sig
	}
	for _, c := range r.checks {
		if err := c.by.checkInput(xs[c.input]); err != nil {
			return nil, err
		}
	}
	o := r.operation(in, ids)
	if len(r.changed) > 0 {
		defer lockVariables(r.changed)()
	}
	out := o.now(r.numbers, xs, nil)
	fresh := out[len(wanted):]
	for _, y := range fresh {
		y.tape = nil
	}
	install(r.changed, fresh)
	for _, f := range r.after {
		f()
	}
	return out[:len(wanted)], nil
}

// operation returns what the recording did as one operation.
func (r *recording) operation(in []*signature, ids []int32) *operation {
	text := append(r.text[:len(r.text):len(r.text)], '>')
	for _, id := range ids {
		text = binary.AppendUvarint(text, uint64(id))
	}
	key := sha256.Sum256(text)
	gradOperations.Lock()
	defer gradOperations.Unlock()
	if o := gradOperations.all[key]; o != nil && !r.opaque {
		return o
	}
	list, hooks, values, inputs := r.list, r.hooks, r.values, make([]int32, len(r.inputs))
	for i, input := range r.inputs {
		inputs[i] = input.id
	}
	k := opKey{name: "gradient", settings: new(int)} // kept here, and not among the others
	o := k.find(func(t *trace, in []*node) []*node {
		w := &writing{recording: &recording{numbers: t.fixed, hooks: hooks}, graph: t.graph, nodes: make([]*node, values), dynamic: t.dynamic, asking: new(int32)}
		for i, x := range in {
			w.set(inputs[i], x)
		}
		w.write(list)
		out := make([]*node, len(ids))
		for i, id := range ids {
			// An output of its own, also where it is an input, or twice.
			out[i] = w.nodes[id].With(graph.IdentityWithCustomGradient(w.nodes[id].value(), func(_, v *graph.Node) *graph.Node { return v }))
		}
		return out
	}, slices.Clone(in), r.numbers, layerInputs{})
	if r.opaque {
		return o
	}
	if gradOperations.all == nil || len(gradOperations.all) >= mostGradOperations {
		gradOperations.all = map[[sha256.Size]byte]*operation{}
	}
	gradOperations.all[key] = o
	return o
}
