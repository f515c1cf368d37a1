package dl

import (
	"fmt"
	"reflect"
)

// Replace puts another layer in a layer's place, such as a new last layer for
// other classes:
//
//	err := model.Replace("classifier.6", dl.Linear{Out: 2})
//
// The new layer's weights start as [Build] starts them; all others stay, and
// so does what is frozen outside of the path. An unknown path, and shapes that
// no longer fit, are errors that leave the model as it was.
//
// The layer may be of any type where the network holds it as a [Layer], as a
// [Sequential] does; in a field of a layer's own type it must have that type.
// Replace changes the network that Build was given. It waits for a training
// step that is going on; nobody else may use the model meanwhile.
func (m *Model) Replace(path string, layer Layer) error {
	if layer == nil {
		return fmt.Errorf("dl: Replace: the layer for %s is nil, want one; dl.Func(func(x *dl.Tensor) *dl.Tensor { return x }) does nothing", path)
	}
	if path == "" || path == root {
		return fmt.Errorf("dl: Replace: path is empty, want a layer inside of the model; use dl.Build for a model of another network")
	}
	if _, err := m.module("Replace", path); err != nil {
		return err
	}
	defer lockVariables(m.vars)()
	put := &replacement{path: path, layer: layer}
	next := &Model{inputs: m.inputs, input: m.input, dtype: m.dtype}
	if err := next.assemble(m.net, &walker{put: put}); err != nil {
		put.undo()
		return during("Replace", err)
	}
	if put.undone == nil {
		return fmt.Errorf("dl: Replace: %s is the same as another layer, by its pointer; replace that one", path)
	}
	seeds.Lock()
	b := &builder{model: next, seed: seeds.seed, serial: seeds.built, replacing: true}
	seeds.built++
	seeds.Unlock()
	if err := b.run(); err != nil {
		put.undo()
		return during("Replace "+path, err)
	}
	m.forward = next.forward
	m.net, m.root, m.walker, m.specs, m.vars = next.net, next.root, next.walker, next.specs, next.vars
	return nil
}

// replacement is a layer on its way into a network.
type replacement struct {
	path   string
	layer  Layer
	undone func() // puts the old layer back; nil until into was called
}

// into puts the layer into the place that v is.
func (r *replacement) into(v reflect.Value) error {
	layer := reflect.ValueOf(r.layer)
	if layer.Kind() == reflect.Pointer && layer.Type().Elem() == v.Type() {
		layer = layer.Elem()
	}
	if !layer.Type().AssignableTo(v.Type()) {
		return fmt.Errorf("dl: %s is a field of type %v, which cannot hold a %v; declare the field as dl.Layer", r.path, v.Type(), layer.Type())
	}
	old := reflect.New(v.Type()).Elem()
	old.Set(v)
	r.undone = func() { v.Set(old) }
	v.Set(layer)
	return nil
}

func (r *replacement) undo() {
	if r.undone != nil {
		r.undone()
	}
}
