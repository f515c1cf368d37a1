package dl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
)

// GraphNode is a part of a model's graph: a layer that ran, a parameter, the
// input or the output.
type GraphNode struct {
	Name   string   // unique: "features/0/Conv2d", "features/0/weight", "input"
	Op     string   // the layer's kind; Parameter, Buffer, Input or Output
	Text   string   // the layer as PyTorch prints it; "" for the others
	Inputs []string // the names of the nodes whose values it uses
	Shape  Shape    // of its value, for the input that Build got
}

// call is a layer of this package that ran.
type call struct {
	path string
	out  *Node
}

// Graph returns the layers in the order in which Forward calls them, with what
// each of them uses; a layer that is called twice is there twice. What
// functions do between layers belongs to the layer that uses their result.
// board.Writer.AddGraph shows it in TensorBoard.
func (m *Model) Graph() (nodes []GraphNode, err error) {
	on, err := current()
	if err != nil {
		return nil, err
	}
	g := graph.NewGraph(on.backend, "graph")
	defer g.Finalize()
	var calls []call
	t := m.forward(g, false)
	t.calls = &calls
	f := flow{owner: map[*graph.Node]string{}}
	err = guard(func() {
		x := t.begin(m, m.dtype, m.input)
		f.own("input", x)
		nodes = append(nodes, GraphNode{Name: "input", Op: "Input", Shape: x.Shape()})
		for _, s := range m.specs {
			name, op := strings.ReplaceAll(s.name, ".", "/"), "Parameter"
			if !s.trained {
				op = "Buffer"
			}
			f.owner[t.params[s.name]] = name
			nodes = append(nodes, GraphNode{Name: name, Op: op, Shape: slices.Clone(s.shape)})
		}
		y := m.call(x)
		used := map[string]int{}
		for _, c := range calls {
			layer := m.walker.byPath[c.path]
			if layer == nil {
				continue
			}
			name := strings.TrimPrefix(strings.ReplaceAll(c.path, ".", "/")+"/"+layer.kind, "/")
			if used[name]++; used[name] > 1 {
				name += fmt.Sprint("_", used[name]-1)
			}
			nodes = append(nodes, GraphNode{name, layer.kind, layer.text, f.sources(c.out), c.out.Shape()})
			f.own(name, c.out)
		}
		nodes = append(nodes, GraphNode{Name: "output", Op: "Output", Inputs: f.sources(y), Shape: y.Shape()})
	})
	if err != nil {
		return nil, during("Graph", err)
	}
	return nodes, nil
}

// flow knows which node of the program is the value of which [GraphNode].
type flow struct {
	owner map[*graph.Node]string
}

func (f flow) own(name string, x *Node) {
	for _, n := range [...]*graph.Node{x.raw, x.last} {
		if n != nil {
			f.owner[n] = name
		}
	}
}

// sources returns what a value is computed from, going back no further than
// to values that have an owner.
func (f flow) sources(x *Node) (names []string) {
	met := map[*graph.Node]bool{}
	var visit func(n *graph.Node)
	visit = func(n *graph.Node) {
		if met[n] {
			return
		}
		met[n] = true
		if name, ok := f.owner[n]; ok {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
			return
		}
		for _, in := range n.Inputs() {
			visit(in)
		}
	}
	visit(x.either())
	return names
}
