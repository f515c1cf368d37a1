package dl

import "fmt"

// Layer is a piece of a network. Its settings are the fields of a struct, the
// zero value being the default. It holds no weights: those live in the
// [Model] that [Build] makes, under the layer's place in it, such as
// "features.0.weight".
//
// A type of your own is a layer when it has a Forward method. Its exported
// fields may be layers, slices of layers or structs of such; Forward calls
// theirs.
type Layer interface {
	Forward(x *Node) *Node
}

// Func is a layer without weights made from a function.
type Func func(x *Node) *Node

// Forward calls f.
func (f Func) Forward(x *Node) *Node { return f(x) }

// Sequential is a network whose layers follow one another. Its parameters
// are named by position: "0.weight", "2.bias".
type Sequential []Layer

// Forward runs the layers in order.
func (s Sequential) Forward(x *Node) *Node {
	for _, layer := range s {
		leave := x.t.enter(layer)
		x = layer.Forward(x)
		leave()
		if x == nil {
			panic(fmt.Errorf("dl: %T: Forward returned nil; return the last node", layer))
		}
		x.t.seenPointer(layer, x)
	}
	if len(s) > 0 {
		x.t.seenSlice(&s[0], x)
	}
	return x
}

// place is embedded in every layer of this package: where in the model the
// layer is. Build writes it.
type place struct{ path string }

// unbound is the place of a layer that no Build has seen. A model that is a
// single layer has the path "", which join and the messages know.
const unbound = ""

// root is the path of a model that is one layer.
const root = "."

func (p *place) bind(path string) {
	if path == "" {
		path = root
	}
	p.path = path
}

// binder is what Build recognises the layers of this package by.
type binder interface{ bind(path string) }

// label names a layer in messages: "features.0 Conv2d".
func (p place) label(kind string) string {
	if p.path == unbound || p.path == root {
		return kind
	}
	return p.path + " " + kind
}

// join makes the full name of a parameter or a child.
func join(path, name string) string {
	if path == "" || path == root {
		return name
	}
	return path + "." + name
}

// seen tells whoever watches the trace what a layer of this package did: its
// text as PyTorch prints it, and the multiplications with addition that the
// output took.
func (p place) seen(text string, macs int, out *Node) *Node {
	if p.path != unbound {
		out.t.seen(p.path, text, macs, out)
	}
	return out
}
