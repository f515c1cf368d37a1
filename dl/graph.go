package dl

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// GraphNode is a part of a model's graph: a layer that ran, a function between layers, a
// parameter, the input or the output.
type GraphNode struct {
	Name   string   // unique: "features/0/Conv2d", "features/0/weight", "input"
	Op     string   // the layer's kind; a function's name in small letters; Parameter, Buffer, Input or Output
	Text   string   // the layer as PyTorch prints it; "" for the others
	Inputs []string // the names of the nodes whose values it uses
	Shape  Shape    // of its value, for the input that Build got
}

// call is a layer of this package that ran.
type call struct {
	path string
	out  *Tensor
}

// Graph returns the layers in the order in which Forward calls them, with what
// each of them uses; a layer that is called twice is there twice. Of the functions between
// layers there are those of [graphFunctions]: activations, and what joins two values, such as the
// add of a residual block. What others do belongs to the layer that uses their result.
// board.Writer.AddGraph shows it in TensorBoard.
func (m *Model) Graph() (nodes []GraphNode, err error) {
	on, err := xla.Current()
	if err != nil {
		return nil, err
	}
	var calls []call
	r := m.record("graph", on)
	defer r.close()
	r.training, r.calls = false, &calls
	f := flow{recording: r, owner: map[int32]string{}, made: map[int32][]int32{}}
	err = xla.Guard(func() {
		defer r.begin()()
		x := r.input(nil, m.dtype, m.input, false)
		f.owner[x.id] = "input"
		nodes = append(nodes, GraphNode{Name: "input", Op: "Input", Shape: x.Shape()})
		for i, s := range m.specs {
			name, op := strings.ReplaceAll(s.name, ".", "/"), "Parameter"
			if !s.trained {
				op = "Buffer"
			}
			f.owner[r.id(m.vars[i])] = name
			nodes = append(nodes, GraphNode{Name: name, Op: op, Shape: slices.Clone(s.shape)})
		}
		y := m.call(r, x)
		f.trace()
		used := map[string]int{}
		add := func(path, op, text string, inputs []string, id int32, shape Shape) {
			name := strings.TrimPrefix(strings.ReplaceAll(path, ".", "/")+"/"+op, "/")
			if used[name]++; used[name] > 1 {
				name += fmt.Sprint("_", used[name]-1)
			}
			nodes = append(nodes, GraphNode{name, op, text, inputs, shape})
			f.owner[id] = name
		}
		rest := r.list
		// functions adds those that ran before the value with this number was made.
		functions := func(before int32) {
			for len(rest) > 0 && rest[0].out < before {
				n := rest[0]
				rest = rest[1:]
				if n.op == nil || f.owner[n.out] != "" || !slices.Contains(graphFunctions, n.op.name) {
					continue
				}
				inputs := f.sources(n.out)
				if len(n.in) > 1 && len(inputs) < 2 {
					continue // with a number, or with itself
				}
				path, _, inner := strings.Cut(n.inside, " ")
				if !inner { // the whole model has no path
					path = ""
				}
				add(path, n.op.name, "", inputs, n.out, Shape(slices.Clone(n.op.outs[0].shape)))
			}
		}
		for _, c := range calls {
			layer := m.walker.byPath[c.path]
			if layer == nil {
				continue
			}
			functions(c.out.id)
			add(c.path, layer.kind, layer.text, f.sources(c.out.id), c.out.id, c.out.Shape())
		}
		functions(math.MaxInt32)
		nodes = append(nodes, GraphNode{Name: "output", Op: "Output", Inputs: f.sources(r.id(y)), Shape: y.Shape()})
	})
	if err != nil {
		return nil, during("Graph", err)
	}
	return nodes, nil
}

// graphFunctions are the functions that [Model.Graph] tells of, by their operations' names.
var graphFunctions = []string{
	"add", "sub", "mul", "concat", "relu", "sigmoid", "tanh", "gelu", "silu", "softmax",
}

// flow knows which value of a recording is that of which [GraphNode].
type flow struct {
	recording *recording
	owner     map[int32]string
	made      map[int32][]int32 // what each value is calculated from
}

// trace notes what each value is calculated from.
func (f flow) trace() {
	for _, n := range f.recording.list {
		for k := range n.outputs() {
			f.made[n.out+int32(k)] = n.in
		}
	}
}

// sources returns what a value is computed from, going back no further than
// to values that have an owner.
func (f flow) sources(id int32) (names []string) {
	met := map[int32]bool{}
	var visit func(id int32)
	visit = func(id int32) {
		if met[id] {
			return
		}
		met[id] = true
		if name, ok := f.owner[id]; ok {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
			return
		}
		for _, in := range f.made[id] {
			visit(in)
		}
	}
	visit(id)
	return names
}

// Features runs the model on a batch in evaluation mode and returns what the
// layer at a path gives, such as "features.3": its feature maps. Where the
// model runs the layer more than once, it is the last time's.
//
// An unknown path is an error that lists the paths there are. So is a struct
// of your own whose Forward your own code calls: only its layers are known.
func (m *Model) Features(path string, x *Tensor) (*Tensor, error) {
	if _, err := m.module("Features", path); err != nil {
		return nil, err
	}
	on, err := m.on()
	if err != nil {
		return nil, err
	}
	y, err := m.apply("feature maps", on, []*Tensor{x}, func(r *recording, xs []*Tensor) *Tensor {
		r.taps = map[string]*Tensor{path: nil}
		r.saw("", m.call(r, xs...))
		y := r.taps[path]
		if y == nil {
			panic(fmt.Errorf("dl: %s: its output is not known, because your Forward calls it or does not use it; name a layer inside, or put it behind a pointer into a Sequential", path))
		}
		return y
	})
	if err != nil {
		return nil, during("Features", err)
	}
	return y, nil
}
