package display

import (
	"errors"
	"fmt"
	"image/color"
	"reflect"
	"slices"
	"strings"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/internal/thousands"
)

// Grapher is a model that knows what its layers use. A node N is a struct with
// the fields Name, Op and Inputs of [Node], and a Shape of ints. Holt's
// dl.Model is one.
type Grapher[N any] interface{ Graph() ([]N, error) }

// Graph is the drawing of a model: a box for each layer that it runs, from the
// input to the output, with arrows from what each of them uses. An error of
// the model is shown in its place.
//
//	display.Graph(model)
func Graph[N any](model Grapher[N]) Network {
	if model == nil || isNil(model) {
		return Network{err: errors.New("the model is nil, want one that was built")}
	}
	nodes, err := model.Graph()
	if err != nil {
		return Network{err: err}
	}
	n := Network{}
	for _, node := range nodes {
		one, ok := nodeOf(node)
		if !ok {
			return Network{err: fmt.Errorf("a node is a %s, want a struct with Name, Op, Inputs and Shape", kindName(node))}
		}
		n.Nodes = append(n.Nodes, one)
	}
	return n
}

// Network is a drawing of layers and what each of them uses. The boxes say the
// layer's kind and place, the shape of its output and the number of its
// parameters; its text is a table of the same.
type Network struct {
	Nodes []Node // each after those that it uses
	Title string
	// Max is how many boxes are drawn; 0 means 48. A larger network is drawn by
	// its modules: layer1.0 with all that is in it.
	Max int

	err error
}

// Node is a layer, an input, an output or a parameter of a [Network].
type Node struct {
	Name   string   // unique: the place, the kind last: "features/0/Conv2d"
	Op     string   // the layer's kind, or a function's name in small letters; Parameter and Buffer are counted with what uses them
	Inputs []string // names of what it uses
	Shape  []int    // of its value
}

func nodeOf(v any) (n Node, ok bool) {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Struct {
		return n, false
	}
	name, op := rv.FieldByName("Name"), rv.FieldByName("Op")
	inputs, shape := rv.FieldByName("Inputs"), rv.FieldByName("Shape")
	text := reflect.TypeFor[string]()
	if !name.IsValid() || name.Type() != text || !op.IsValid() || op.Type() != text || !inputs.IsValid() || inputs.Type() != reflect.TypeFor[[]string]() ||
		!shape.IsValid() || !shape.CanConvert(reflect.TypeFor[[]int]()) {
		return n, false
	}
	n.Name, n.Op = name.String(), op.String()
	n.Inputs = slices.Clone(inputs.Interface().([]string))
	n.Shape = slices.Clone(shape.Convert(reflect.TypeFor[[]int]()).Interface().([]int))
	return n, true
}

func (n Network) bundle() (frame.Bundle, error) {
	if n.err != nil {
		return frame.Bundle{}, fmt.Errorf("display: Graph: %w", n.err)
	}
	layers, err := layersOf(n.Nodes)
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: Graph: %w", err)
	}
	total := 0
	for _, l := range layers {
		total += l.params
	}
	title := fmt.Sprintf("%d layers, %s parameters", countLayers(layers), thousands.Text(total))
	if countLayers(layers) == 1 {
		title = fmt.Sprintf("1 layer, %s parameters", thousands.Text(total))
	}
	if n.Title != "" {
		title = n.Title + ": " + title
	}
	most := n.Max
	if most <= 0 {
		most = 48
	}
	text, err := networkText(title, layers)
	if err != nil {
		return frame.Bundle{}, err
	}
	p := plotter()
	if p == nil {
		return frame.Text(text), nil
	}
	d := Diagram{Title: title}
	for _, l := range fold(layers, most) {
		d.Boxes = append(d.Boxes, l.box())
	}
	m, err := p.Diagram(d)
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: Graph: %w", err)
	}
	return drawn(reduce(m), text)
}

// The text of a diagram has a line for each box, and names where its arrows come
// from unless that is just the line above.
func (d Diagram) bundle() (frame.Bundle, error) {
	if len(d.Boxes) == 0 {
		return frame.Bundle{}, errors.New("display: Diagram: there are no boxes")
	}
	var lines []string
	if d.Title != "" {
		lines = append(lines, d.Title)
	}
	for i, b := range d.Boxes {
		line := strings.Join(slices.DeleteFunc([]string{b.Name, b.Place, b.Note}, func(s string) bool { return s == "" }), "  ")
		var from []string
		for _, j := range b.From {
			if j < 0 || j >= i {
				return frame.Bundle{}, fmt.Errorf("display: Diagram: box %d, %s, has an arrow from box %d, want one before it", i, b.Name, j)
			}
			from = append(from, d.Boxes[j].Name)
		}
		if len(from) > 0 && !(len(from) == 1 && b.From[0] == i-1) {
			line += "  ← " + strings.Join(from, ", ")
		}
		lines = append(lines, line)
	}
	text := strings.Join(lines, "\n")
	p := plotter()
	if p == nil {
		return frame.Text(text), nil
	}
	m, err := p.Diagram(d)
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: Diagram: %w", err)
	}
	return drawn(reduce(m), text)
}

// unit is a layer, or several that are drawn as one.
type unit struct {
	path   []string // where it is
	op     string
	shape  []int
	params int
	from   []int // positions of those that it uses
	layers int   // 0 for an input, an output or a function
}

// layersOf takes parameters and buffers away, and counts them where they are
// used.
func layersOf(nodes []Node) (out []unit, err error) {
	place := map[string]int{}
	sizes := map[string]int{}
	for _, n := range nodes {
		if n.Op == "Parameter" || n.Op == "Buffer" {
			size := 0
			if n.Op == "Parameter" {
				size = 1
				for _, d := range n.Shape {
					size *= d
				}
			}
			sizes[n.Name] = size
			continue
		}
		u := unit{path: strings.Split(n.Name, "/"), op: n.Op, shape: n.Shape, layers: 1}
		u.path = u.path[:len(u.path)-1]
		if n.Op == "Input" || n.Op == "Output" {
			u.path, u.layers = nil, 0
		}
		if n.Op != "" && n.Op[0] >= 'a' && n.Op[0] <= 'z' {
			u.layers = 0
		}
		for _, name := range n.Inputs {
			if size, ok := sizes[name]; ok {
				u.params += size
				sizes[name] = 0 // of a layer that is called twice, or two that share
				continue
			}
			i, ok := place[name]
			if !ok {
				return nil, fmt.Errorf("node %q uses %q, want a node that comes before it", n.Name, name)
			}
			u.from = append(u.from, i)
		}
		if _, ok := place[n.Name]; ok {
			return nil, fmt.Errorf("two nodes are called %q, want names that are unique", n.Name)
		}
		place[n.Name] = len(out)
		out = append(out, u)
	}
	if len(out) == 0 {
		return nil, errors.New("there are no layers: Nodes is empty")
	}
	return out, nil
}

func countLayers(units []unit) (n int) {
	for _, u := range units {
		n += u.layers
	}
	return n
}

// fold draws together what lies in one module, as deep inside as leaves at
// most so many units, or in outermost modules where there are more of those.
// Only layers that follow each other are folded, so that arrows still go down.
func fold(units []unit, most int) []unit {
	deepest := 0
	for _, u := range units {
		deepest = max(deepest, len(u.path))
	}
	for depth := deepest; len(units) > most && depth > 0; depth-- {
		if folded := foldAt(units, depth); len(folded) <= most || depth == 1 {
			return folded
		}
	}
	return units
}

func foldAt(units []unit, depth int) (out []unit) {
	now := make([]int, len(units)) // where each is
	for i, u := range units {
		last := len(out) - 1
		if last >= 0 && len(u.path) >= depth && len(out[last].path) >= depth && slices.Equal(out[last].path[:depth], u.path[:depth]) {
			l := &out[last]
			l.layers += u.layers
			l.params += u.params
			l.path, l.shape = u.path[:depth], u.shape
			l.op = fmt.Sprintf("%d layers", l.layers)
			now[i] = last
		} else {
			out = append(out, u)
			out[last+1].from = nil
			now[i] = last + 1
		}
		for _, j := range u.from {
			if at := now[j]; at != now[i] && !slices.Contains(out[now[i]].from, at) {
				out[now[i]].from = append(out[now[i]].from, at)
			}
		}
	}
	return out
}

func (u unit) box() Box {
	b := Box{Name: u.op, Place: strings.Join(u.path, "."), Note: fmt.Sprint(u.shape), From: u.from, Color: Gray}
	if u.params > 0 {
		b.Note += "  " + thousands.Text(u.params)
	}
	b.Color = kindColor(u)
	return b
}

// kindColor tells kinds of layers apart.
func kindColor(u unit) color.NRGBA {
	switch {
	case strings.Contains(u.op, "Conv"), u.layers > 1:
		return Blue
	case strings.Contains(u.op, "Norm"):
		return Green
	case strings.Contains(u.op, "Pool"):
		return Orange
	case u.params > 0:
		return Purple
	}
	return Gray
}

// networkText has a line for each layer, and names what it uses where that is
// not just the line above.
func networkText(title string, units []unit) (string, error) {
	rows := [][]any{}
	name := func(u unit) string {
		if len(u.path) == 0 {
			return strings.ToLower(u.op)
		}
		return strings.Join(u.path, ".")
	}
	for i, u := range units {
		var from []string
		if !(len(u.from) == 1 && u.from[0] == i-1) {
			for _, j := range u.from {
				from = append(from, name(units[j]))
			}
		}
		params := any(nil)
		if u.params > 0 {
			params = thousands.Text(u.params)
		}
		rows = append(rows, []any{name(u), u.op, fmt.Sprint(u.shape), params, strings.Join(from, ", ")})
	}
	b, err := Table{Title: title, Head: []string{"layer", "", "output", "parameters", "uses"}, Rows: rows, Max: len(rows)}.bundle()
	if err != nil {
		return "", err
	}
	return b.Data["text/plain"].(string), nil
}
