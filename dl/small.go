package dl

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/small"
	"github.com/holt-dl/holt/dl/internal/xla"
)

// An operation on a few thousand values is over before XLA has begun, so it runs
// in Go, where nothing is compiled and nothing waits: [small.Program]. It is written
// by the same code that writes it for XLA. What is larger, or has an element type
// or a part that Go's loops do not cover, is XLA's. A training step of a small network
// runs in Go, too: XLA's threads would spend most of its time on handing work to one
// another.

// smallCost is how long, by estimate, a program may take in Go, in nanoseconds.
const smallCost = 150_000

// smallStep is the same for a training step. On two cores with AVX-512 XLA takes longer up to about
// 700_000 by this estimate; on more cores it has more of them for the products.
const smallStep = 400_000

// mostOfStep is how many values a step's inputs may have; a larger one is not even written.
const mostOfStep = 1 << 19

// smallInput is how many values a tensor may have that would have to be copied
// from a device first.
const smallInput = 1 << 17

// alwaysXLA turns small programs off, for tests that compare.
var alwaysXLA bool

// smallPrograms are the small programs of an operation.
type smallPrograms struct {
	mu        sync.Mutex
	tried     bool
	forward   *small.Program            // nil where there is none
	backwards map[string]*small.Program // by the outputs that have a gradient, and the inputs that want one
}

// mayBeSmall reports whether there are small programs for a device, and for values that may be
// placed on it by the user.
func mayBeSmall(on *xla.Device, placed bool) bool {
	return !alwaysXLA && !placed && (on.Kind == "cpu" || on.Kind == "go")
}

// fitsSmall reports whether values may be used by a small program.
func fitsSmall(on *xla.Device, placed bool, values []*Tensor) bool {
	if !mayBeSmall(on, placed) {
		return false
	}
	for _, x := range values {
		if x.shape.Size() > smallInput && !x.data.OnHost() {
			return false
		}
	}
	return true
}

// small returns the operation as a small program, nil where it is none.
func (o *operation) small(numbers []float64, names []string) *small.Program {
	defer o.wide()
	o.smalls.mu.Lock()
	defer o.smalls.mu.Unlock()
	if !o.smalls.tried {
		o.smalls.tried = true
		o.smalls.forward = o.writeSmall(smallCost, numbers, names, func(_ *graph.Graph, _ []*node, outs []*node) []*graph.Node {
			nodes := make([]*graph.Node, len(outs))
			for i, y := range outs {
				nodes[i] = y.value()
			}
			return nodes
		})
	}
	return o.smalls.forward
}

// smallGradient returns the program that gives the gradients of the inputs that are
// wanted from those of the outputs that are given, in this order; nil where there is
// none. which has a 1 for each such output and then for each such input, else a 0.
func (o *operation) smallGradient(numbers []float64, names []string, which []byte) *small.Program {
	defer o.wide()
	o.smalls.mu.Lock()
	defer o.smalls.mu.Unlock()
	p, ok := o.smalls.backwards[string(which)]
	if ok {
		return p
	}
	p = o.writeSmall(4*smallCost, numbers, names, func(g *graph.Graph, in, outs []*node) []*graph.Node {
		at := make([]*graph.Node, 0, len(in))
		for i, x := range in {
			if which[len(outs)+i] != 0 {
				at = append(at, x.raw)
			}
		}
		// The gradient of an output is put in its place by an identity.
		var total *graph.Node
		for i, y := range outs {
			if which[i] == 0 {
				continue
			}
			gradient := xla.Parameter(g, y.DType(), y.Shape())
			end := graph.ConvertDType(graph.ReduceAllSum(graph.IdentityWithCustomGradient(y.value(),
				func(_, _ *graph.Node) *graph.Node { return gradient })), Float32)
			if total == nil {
				total = end
			} else {
				total = graph.Add(total, end)
			}
		}
		return graph.Gradient(total, at...)
	})
	if o.smalls.backwards == nil {
		o.smalls.backwards = map[string]*small.Program{}
	}
	o.smalls.backwards[string(which)] = p
	return p
}

// wideOperations are those of many inputs that have small programs, the longest unused one
// first. Such a program takes a kilobyte or two for each input, and a loop may want another
// one in each round: Concat of an episode's steps, say. The last few are kept.
var wideOperations struct {
	sync.Mutex
	recent []*operation
}

const (
	manyInputs = 64
	mostWide   = 32
)

// wide notes that small programs of the operation were used.
func (o *operation) wide() {
	if len(o.in) < manyInputs {
		return
	}
	w := &wideOperations
	w.Lock()
	w.recent = append(slices.DeleteFunc(w.recent, func(x *operation) bool { return x == o }), o)
	var old *operation
	if len(w.recent) > mostWide {
		old = w.recent[0]
		w.recent = slices.Delete(w.recent, 0, 1)
	}
	w.Unlock()
	if old != nil {
		old.smalls.mu.Lock()
		defer old.smalls.mu.Unlock()
		old.smalls.tried, old.smalls.forward, old.smalls.backwards = false, nil, nil
	}
}

// writeSmall writes the operation, and what finish makes of it, as a small program.
// Its inputs are those of the operation, the key of random numbers, the numbers
// from Go, and what finish adds.
func (o *operation) writeSmall(limit float64, numbers []float64, names []string, finish func(g *graph.Graph, in, outs []*node) []*graph.Node) *small.Program {
	p, err := smallProgram(limit, func(g *graph.Graph) []*graph.Node {
		t := &trace{graph: g}
		in := make([]*node, 0, len(o.in)+1)
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
		outs := o.full(g, append([]*node{}, in...), names, 0, numbers, dynamic)
		return finish(g, in, outs)
	})
	if err != nil {
		return nil
	}
	return p
}

// smallProgram writes a small program. What Go's loops do not cover is an error.
func smallProgram(limit float64, build func(g *graph.Graph) []*graph.Node) (*small.Program, error) {
	var p *small.Program
	err := xla.Guard(func() {
		g := graph.NewGraph(&small.Backend{Limit: limit}, "small")
		defer g.Finalize()
		if err := g.CompileWithSharding(build(g), nil); err != nil {
			panic(err)
		}
		p = g.Executable().(*small.Program)
	})
	return p, err
}

// runSmall runs a small program. Each of the values is a tensor's; the results
// are tensors on the host.
func runSmall(p *small.Program, values []*Tensor, numbers []float64) ([]*Tensor, error) {
	flats, err := p.Run(smallInputs(values, numbers, nil))
	if err != nil {
		return nil, fmt.Errorf("dl: %w", err)
	}
	outs := make([]*Tensor, len(flats))
	for i, s := range p.Outputs() {
		outs[i] = hostTensor(s.DType, s.Dimensions, flats[i])
	}
	return outs, nil
}

// smallInputs returns what a small program gets.
func smallInputs(values []*Tensor, numbers []float64, more []*Tensor) []any {
	inputs := make([]any, 0, len(values)+len(numbers)+len(more))
	for _, x := range values {
		inputs = append(inputs, x.flat())
	}
	for _, n := range numbers {
		inputs = append(inputs, []float32{float32(n)})
	}
	for _, x := range more {
		inputs = append(inputs, x.flat())
	}
	return inputs
}

// smallRecordings are the small programs of recordings, by what these say; nil for one
// that is not small.
var smallRecordings struct {
	sync.Mutex
	all map[[sha256.Size]byte]*small.Program
}

// mostSmall is how many are kept. They take microseconds to write, so when they are
// too many all go.
const mostSmall = 512

// small returns the recording of a call at once, or of a training step, as a small program that
// gives the wanted values; nil where it is none. Of a step the shapes decide, and not where the
// values are: a training that goes on from a checkpoint has the bits of one without a break.
func (r *recording) small(wanted []int32) *small.Program {
	limit := 0.0
	switch {
	case r.opaque || r.share != nil:
	case r.atOnce:
		limit = 4 * smallCost
	case r.step:
		limit = smallStep
	}
	if limit == 0 {
		return nil
	}
	size := 0
	for _, in := range r.inputs {
		x := in.t
		placed := x.v == nil && x.data.Placed() != nil
		if x.v != nil {
			x = x.v.now.Load()
		}
		size += x.shape.Size()
		fits := size <= mostOfStep && mayBeSmall(r.on, placed)
		if r.atOnce {
			fits = fitsSmall(r.on, placed, []*Tensor{x})
		}
		if !fits {
			return nil
		}
	}
	key := r.keyOf(wanted)
	smallRecordings.Lock()
	p, ok := smallRecordings.all[key]
	smallRecordings.Unlock()
	if ok {
		return p
	}
	dynamic := slices.Repeat([]bool{true}, len(r.numbers))
	p, _ = smallProgram(limit, func(g *graph.Graph) []*graph.Node { return r.write(g, dynamic, wanted) })
	smallRecordings.Lock()
	defer smallRecordings.Unlock()
	if smallRecordings.all == nil || len(smallRecordings.all) >= mostSmall {
		smallRecordings.all = map[[sha256.Size]byte]*small.Program{}
	}
	smallRecordings.all[key] = p
	return p
}

// errNotSmall says that gradients cannot be found by small programs alone.
var errNotSmall = errors.New("not all operations are small")

// gradientsNow finds the gradients of t for all that learns, operation by
// operation, where all operations behind t ran in Go.
func (t *Tensor) gradientsNow() (leaves []leaf, gradients []*Tensor, err error) {
	order, ok := t.tape.behind()
	if !ok || stopOnNaN.Load() {
		return nil, nil, errNotSmall
	}
	sums := map[*Tensor]*sum{}
	add := func(x *Tensor, flat any) {
		s := sums[x]
		if s == nil {
			sums[x] = &sum{flat: flat}
			if x.v != nil || x.wants {
				leaves = append(leaves, leaf{t: x})
			}
			return
		}
		if !s.own {
			s.flat, s.own = small.Copy(s.flat), true
		}
		small.AddTo(s.flat, flat)
	}
	add(t, small.One(t.dtype))
	var which []byte
	for _, at := range order {
		which = append(which[:0], make([]byte, len(at.outs)+len(at.in))...)
		given, wanted := which[:len(at.outs)], which[len(at.outs):]
		flow := make([]*Tensor, 0, len(at.outs)) // the outputs' gradients
		for i, y := range at.outs {
			if s := sums[y]; s != nil {
				given[i] = 1
				flow = append(flow, y.changed(s))
				if !y.wants {
					delete(sums, y)
				}
			}
		}
		for i, x := range at.in {
			if x.dtype.IsFloat() && (x.v == nil && x.tape != nil || x.learns()) {
				wanted[i] = 1
			}
		}
		if len(flow) == 0 || !bytes.Contains(wanted, []byte{1}) {
			continue
		}
		p := at.op.smallGradient(at.numbers, at.names, which)
		if p == nil {
			return nil, nil, errNotSmall
		}
		flats, err := p.Run(smallInputs(at.values, at.numbers, flow))
		if err != nil {
			return nil, nil, fmt.Errorf("dl: Backward: %w", err)
		}
		for i, x := range at.in {
			if wanted[i] != 0 {
				add(x, flats[0])
				flats = flats[1:]
			}
		}
	}
	for _, l := range leaves {
		gradients = append(gradients, hostTensor(l.t.dtype, l.t.shape, sums[l.t].flat))
	}
	return leaves, gradients, nil
}

// changed returns the gradient of a value that others are calculated from, as the
// functions of OnGrad change it.
func (t *Tensor) changed(s *sum) *Tensor {
	g := hostTensor(t.dtype, t.shape, s.flat)
	if hooks := t.gradHooks(); len(hooks) > 0 {
		s.own = false // they may keep it
		NoGrad(func() { g = t.hooked(nil, g) })
	}
	return g
}

// sum is the gradient of a value as far as it is known.
type sum struct {
	flat any
	own  bool // no other has the slice
}

// behind returns the operations that a value was calculated by, the last one
// first, and reports whether all of them ran as small programs.
func (at *tape) behind() (order []*tape, ok bool) {
	seen := map[*tape]bool{at: true}
	order = []*tape{at}
	for i := 0; i < len(order); i++ {
		if !order[i].small {
			return nil, false
		}
		for _, x := range order[i].in {
			if x.v == nil && x.tape != nil && !seen[x.tape] {
				seen[x.tape] = true
				order = append(order, x.tape)
			}
		}
	}
	slices.SortFunc(order, func(a, b *tape) int { return cmp.Compare(b.order, a.order) })
	return order, true
}
