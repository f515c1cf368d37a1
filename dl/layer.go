package dl

import (
	"fmt"
	"reflect"
	"slices"
	"sync/atomic"
)

// Layer is a piece of a network. Its settings are the fields of a struct, the
// zero value being the default. [Build] gives it its weights, which belong to
// it from then on: in another network the same layer has the same weights.
//
// A type of your own is a layer when it has a Forward method. Its exported
// fields may be layers, slices of layers or structs of such; Forward calls
// theirs. A field tagged dl:"-" is left out: one that points back to its owner, say.
type Layer interface {
	Forward(x *Tensor) *Tensor
}

// Func is a layer without weights made from a function.
type Func func(x *Tensor) *Tensor

// Forward calls f.
func (f Func) Forward(x *Tensor) *Tensor { return f(x) }

// Sequential is a network whose layers follow one another. Its parameters
// are named by position: "0.weight", "2.bias".
type Sequential []Layer

// Forward runs the layers in order.
func (s Sequential) Forward(x *Tensor) *Tensor {
	r := recordingOf([]*Tensor{x})
	for i, layer := range s {
		leave := r.enterAt(s, i)
		x = layer.Forward(x)
		leave()
		if x == nil {
			panic(fmt.Errorf("dl: %T: Forward returned nil; return the last tensor", layer))
		}
		if r != nil && r.model != nil {
			r.model.walker.sawPointer(r, layer, x)
		}
	}
	if len(s) > 0 && r != nil && r.model != nil {
		r.model.walker.sawSlice(r, &s[0], x)
	}
	return x
}

// place is embedded in every layer of this package: where in the model the
// layer is, and what it has there. Build writes it.
type place struct {
	path string
	site *site
}

// site is what a layer has from Build on: its weights and its mode.
type site struct {
	path      string
	names     []string // of params, without the path
	params    []*Tensor
	whole     []string           // the names with the path
	reserved  map[string]*Tensor // what becomes of weights by their names, for the layer's fields
	evaluates atomic.Bool        // it is in evaluation mode
}

var siteType = reflect.TypeFor[*site]()

// add gives the layer a further weight.
func (s *site) add(name string, v *Tensor) {
	s.names, s.params, s.whole = append(s.names, name), append(s.params, v), append(s.whole, join(s.path, name))
}

// unbound is the path of a layer that no Build has seen. A model that is a
// single layer has the path "", which join and the messages know.
const unbound = ""

// root is the path of a model that is one layer.
const root = "."

// bind gives the layer its place, and a site of its own unless it has one.
func (p *place) bind(path string) *site {
	if path == "" {
		path = root
	}
	if p.site == nil {
		p.site = &site{}
	}
	p.path, p.site.path = path, path
	p.site.whole = nil
	for _, name := range p.site.names {
		p.site.whole = append(p.site.whole, join(path, name))
	}
	return p.site
}

// binder is what Build recognises the layers of this package by.
type binder interface {
	bind(path string) *site
	where() place
}

func (p *place) where() place { return *p }

// take takes the place out of a layer, so that only its settings are left.
func (p *place) take() place {
	old := *p
	*p = place{}
	return old
}

func (p *place) put(at place) { *p = at }

// layerOf is what all layers of this package have.
type layerOf[L any] interface {
	*L
	take() place
	put(place)
}

type oneInput[L any] interface {
	layerOf[L]
	forward(x *node) *node
}

// forward runs a layer of one input and one output.
func forward[L any, P oneInput[L]](l L, x *Tensor) *Tensor {
	return runLayer[L, P](l, func(l L, in []*node) []*node { return []*node{P(&l).forward(in[0])} }, nil, x)[0]
}

// runLayer runs a layer as one operation. Its settings are those of l, without
// its place, and more.
func runLayer[L any, P layerOf[L]](l L, f func(l L, in []*node) []*node, more any, xs ...*Tensor) []*Tensor {
	at := P(&l).take()
	l = settled(l)
	own := settingsOf(l)
	if more != nil {
		own = [2]any{own, more}
	}
	return at.run("layer", own, func(t *trace, in []*node) []*node {
		l := l
		P(&l).put(place{path: t.path})
		return f(l, in)
	}, xs)
}

// run runs a layer.
func (p place) run(name string, settings any, lower lowering, xs []*Tensor) []*Tensor {
	r := recordingOf(xs)
	k := opKey{name: name, settings: settings, training: r.trains(p.site)}
	var params []*Tensor
	var names []string
	if p.site != nil {
		k.path = p.site.path
		params, names = p.site.params, p.site.whole
		if r != nil && r.build != nil {
			r.build.make(k, p.site, lower, xs)
			params, names = p.site.params, p.site.whole
		}
	}
	outs, o := do(k, nil, lower, xs, params, names)
	n := len(outs) - len(o.updates)
	for j, i := range o.updates {
		if r != nil {
			r.assign(params[i], outs[n+j])
			continue
		}
		unlock := lockVariables(params[i : i+1])
		install(params[i:i+1], outs[n+j:n+j+1])
		unlock()
	}
	outs = outs[:n]
	if r != nil && p.site != nil {
		r.ran(p.site.path, o, outs[0])
	}
	return outs
}

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
	if name == "" { // of a Param
		return path
	}
	return path + "." + name
}

// seen notes what a layer of this package is: its text as PyTorch prints it,
// and the multiplications with addition that the output took.
func (p place) seen(text string, macs int, out *node) *node {
	out.t.text, out.t.macs = text, macs
	return out
}

// ran notes that a layer of this package ran in the recording.
func (r *recording) ran(path string, o *operation, out *Tensor) {
	if path == root {
		path = ""
	}
	if r.calls != nil {
		*r.calls = append(*r.calls, call{path, out})
	}
	if r.build != nil && r.model != nil {
		if m := r.model.walker.byPath[path]; m != nil {
			m.text, m.out = o.text, slices.Clone(out.shape)
			m.macs += o.macs * max(r.times, 1)
		}
	}
	r.saw(path, out)
}
