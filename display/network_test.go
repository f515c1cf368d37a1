package display_test

import (
	"errors"
	"fmt"
	"image"
	"testing"

	"github.com/holt-dl/holt/display"
	"github.com/holt-dl/holt/internal/hooks"
)

// shape and graphNode stand for dl.Shape and dl.GraphNode.
type shape []int

type graphNode struct {
	Name, Op, Text string
	Inputs         []string
	Shape          shape
}

// residual is a model with a way around its second layer.
type residual struct{ err error }

func (r residual) Graph() ([]graphNode, error) {
	return []graphNode{
		{Name: "input", Op: "Input", Shape: shape{2, 4}},
		{Name: "body/0/weight", Op: "Parameter", Shape: shape{1200, 4}},
		{Name: "body/1/mean", Op: "Buffer", Shape: shape{4}},
		{Name: "body/0/Linear", Op: "Linear", Inputs: []string{"input", "body/0/weight"}, Shape: shape{2, 4}},
		{Name: "body/1/BatchNorm1d", Op: "BatchNorm1d", Inputs: []string{"body/0/Linear", "body/1/mean"}, Shape: shape{2, 4}},
		{Name: "head/Linear", Op: "Linear", Inputs: []string{"body/1/BatchNorm1d", "body/0/Linear", "body/0/weight"}, Shape: shape{2, 4}},
		{Name: "output", Op: "Output", Inputs: []string{"head/Linear"}, Shape: shape{2, 4}},
	}, r.err
}

type numbered struct{}

func (numbered) Graph() ([]int, error) { return []int{1}, nil }

const residualText = `3 layers, 4,800 parameters
layer                output  parameters  uses
input   Input        [2 4]
body.0  Linear       [2 4]        4,800
body.1  BatchNorm1d  [2 4]
head    Linear       [2 4]               body.1, body.0
output  Output       [2 4]`

func TestGraph(t *testing.T) {
	nodes := func(nodes ...display.Node) display.Network { return display.Network{Nodes: nodes} }
	var none *residual
	tests := []struct {
		name string
		v    any
		want string
	}{
		{"model", display.Graph(residual{}), residualText},
		{"nil", display.Graph[graphNode](nil), "display: Graph: the model is nil, want one that was built"},
		{"nil pointer", display.Graph[graphNode](none), "display: Graph: the model is nil, want one that was built"},
		{"failing", display.Graph(residual{errors.New("dl: Graph: no backend")}), "display: Graph: dl: Graph: no backend"},
		{"numbers", display.Graph(numbered{}), "display: Graph: a node is a int, want a struct with Name, Op, Inputs and Shape"},
		{"a function", nodes(display.Node{Name: "input", Op: "Input", Shape: []int{2}}, display.Node{Name: "0/Linear", Op: "Linear", Inputs: []string{"input"}, Shape: []int{2}},
			display.Node{Name: "add", Op: "add", Inputs: []string{"0/Linear", "input"}, Shape: []int{2}}), `1 layer, 0 parameters
layer          output  parameters  uses
input  Input   [2]
0      Linear  [2]
add    add     [2]                 0, input`},
		{"nothing", display.Network{}, "display: Graph: there are no layers: Nodes is empty"},
		{"later", nodes(display.Node{Name: "a", Op: "ReLU", Inputs: []string{"b"}}), `display: Graph: node "a" uses "b", want a node that comes before it`},
		{"twice", nodes(display.Node{Name: "a"}, display.Node{Name: "a"}), `display: Graph: two nodes are called "a", want names that are unique`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := plainText(display.Render(tt.v)); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// boxes keeps the last diagram that it was to draw.
type boxes struct {
	flat
	last *display.Diagram
}

func (b boxes) Diagram(d display.Diagram) (image.Image, error) {
	*b.last = d
	return image.NewGray(image.Rect(0, 0, 4, 2)), nil
}

// TestGraphFolds draws a module of a large network as one box, but not what
// has something of another module between it.
func TestGraphFolds(t *testing.T) {
	var d display.Diagram
	t.Cleanup(hooks.Set(func(h *hooks.Hooks) { h.Plotter = boxes{last: &d} }))
	n := display.Graph(residual{})
	for _, tt := range []struct {
		max  int
		want string
	}{
		{5, "Input []; Linear body.0 [0]; BatchNorm1d body.1 [1]; Linear head [2 1]; Output  [3]"},
		{4, "Input []; 2 layers body [0]; Linear head [1]; Output  [2]"},
		{1, "Input []; 2 layers body [0]; Linear head [1]; Output  [2]"},
	} {
		n.Max = tt.max
		display.Render(n)
		got := ""
		for i, b := range d.Boxes {
			if i > 0 {
				got += "; "
			}
			got += b.Name
			if i > 0 {
				got += " " + b.Place
			}
			got += fmt.Sprint(" ", b.From)
		}
		if got != tt.want {
			t.Errorf("at most %d: %s\nwant %s", tt.max, got, tt.want)
		}
	}
	if b := d.Boxes[1]; b.Note != "[2 4]  4,800" || b.Color != display.Blue {
		t.Errorf("the module is noted as %q in %v", b.Note, b.Color)
	}
}

func ExampleGraph() {
	display.Show(display.Graph(residual{})) // in a notebook: a model that dl.Build made
	// Output:
	// 3 layers, 4,800 parameters
	// layer                output  parameters  uses
	// input   Input        [2 4]
	// body.0  Linear       [2 4]        4,800
	// body.1  BatchNorm1d  [2 4]
	// head    Linear       [2 4]               body.1, body.0
	// output  Output       [2 4]
}

func ExampleNetwork() {
	display.Show(display.Network{Title: "by hand", Nodes: []display.Node{
		{Name: "input", Op: "Input", Shape: []int{1, 28, 28}},
		{Name: "head/Linear", Op: "Linear", Inputs: []string{"input"}, Shape: []int{1, 10}},
	}})
	// Output:
	// by hand: 1 layer, 0 parameters
	// layer          output     parameters  uses
	// input  Input   [1 28 28]
	// head   Linear  [1 10]
}
