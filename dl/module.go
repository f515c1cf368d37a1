package dl

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/holt-dl/holt/internal/near"
)

// module is a layer at its place in a model.
type module struct {
	path     string
	name     string  // the last part of path
	kind     string  // its type's name
	text     string  // as PyTorch prints it, once it was run
	out      Shape   // nil until it was run, and where Forward is the user's and called by the user's
	leaf     bool    // a layer of this package that holds no others
	again    string  // the path under which the same pointer was met before
	params   int     // elements of its own trained parameters
	macs     int     // multiplications with addition for the input of Build
	sites    []*site // of the layers of this package that are here: one, or those that a struct embeds
	children []*module
}

// walker finds the layers of a model and tells each its path.
type walker struct {
	byPath   map[string]*module
	pointers map[unsafe.Pointer]string // user's structs and layers met behind a pointer
	slices   map[unsafe.Pointer]string // a Sequential's first element
	sites    map[*site]string          // layers of this package, which copies of a layer share
	put      *replacement              // what takes a layer's place; nil for nothing

	within []holder // what holds the value that is visited
}

// holder is a pointer or a slice whose layers are being visited.
type holder struct {
	at  unsafe.Pointer
	len int // of a slice; -1 for a pointer
}

// enter notes that the layers of v, a pointer or a slice, are visited until leave is
// called. One that is visited already holds itself: an error.
func (w *walker) enter(v reflect.Value, path, kind string) (leave func(), err error) {
	here := holder{v.UnsafePointer(), -1}
	if v.Kind() == reflect.Slice {
		here.len = v.Len()
	}
	if slices.Contains(w.within, here) {
		return nil, fmt.Errorf("dl: Build: %s is the %s that holds it, so the layers are a cycle and have no end; take it out, or tag a field that only points back with `dl:\"-\"`", path, kind)
	}
	w.within = append(w.within, here)
	return func() { w.within = w.within[:len(w.within)-1] }, nil
}

var (
	layerType      = reflect.TypeFor[Layer]()
	binderType     = reflect.TypeFor[binder]()
	sequentialType = reflect.TypeFor[Sequential]()
)

// composite is a layer of this package that is made of others: see
// [TransformerEncoderLayer]. It makes its parts by its settings.
type composite interface{ compose() }

// walk visits v, which is settable, and returns its module, or nil if it is
// not a layer and holds none. It copies the slices it meets, so that a layer
// used in two models keeps two paths.
func (w *walker) walk(v reflect.Value, path, name string) (*module, error) {
	if w.put != nil && w.put.path == path {
		if err := w.put.into(v); err != nil {
			return nil, err
		}
		w.put = nil
	}
	switch v.Kind() {
	case reflect.Interface:
		if v.IsNil() {
			return nil, fmt.Errorf("dl: Build: layer %s is nil, want a layer; fill it in or take it out", path)
		}
		if v.Elem().Kind() == reflect.Pointer {
			return w.walk(v.Elem(), path, name)
		}
		inner := reflect.New(v.Elem().Type()).Elem()
		inner.Set(v.Elem())
		m, err := w.walk(inner, path, name)
		v.Set(inner)
		if err == nil && m == nil {
			m = w.add(&module{path: path, name: name, kind: typeText(inner.Type()), leaf: true})
		}
		return m, err
	case reflect.Pointer:
		if v.IsNil() {
			return nil, fmt.Errorf("dl: Build: layer %s is a nil *%s, want a layer; fill it in or take it out", path, typeText(v.Type()))
		}
		leave, err := w.enter(v, path, typeText(v.Type().Elem()))
		if err != nil {
			return nil, err
		}
		defer leave()
		if first, ok := w.pointers[v.UnsafePointer()]; ok {
			return w.add(&module{path: path, name: name, kind: typeText(v.Type().Elem()), leaf: true, again: first}), nil
		}
		w.pointers[v.UnsafePointer()] = path
		return w.walk(v.Elem(), path, name)
	case reflect.Slice, reflect.Array:
		return w.walkList(v, path, name)
	case reflect.Struct:
		if v.CanAddr() {
			if b, ok := v.Addr().Interface().(binder); ok && v.Type().PkgPath() == sequentialType.PkgPath() {
				if first, ok := w.sites[b.where().site]; ok {
					return w.add(&module{path: path, name: name, kind: typeText(v.Type()), leaf: true, again: first}), nil
				}
				s := b.bind(path)
				w.sites[s] = path
				if a, ok := b.(interface{ without(reflect.Value) }); ok {
					a.without(v)
				}
				return w.add(&module{path: path, name: name, kind: typeText(v.Type()), leaf: true, sites: []*site{s}}), nil
			}
		}
		if v.CanAddr() {
			if c, ok := v.Addr().Interface().(composite); ok {
				c.compose()
			}
		}
		return w.walkStruct(v, path, name)
	}
	return nil, nil
}

func (w *walker) walkList(v reflect.Value, path, name string) (*module, error) {
	if v.Kind() == reflect.Slice && v.Len() > 0 {
		leave, err := w.enter(v, path, typeText(v.Type()))
		if err != nil {
			return nil, err
		}
		defer leave()
	}
	if v.Kind() == reflect.Slice {
		own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(own, v)
		v.Set(own)
		if v.Len() > 0 {
			w.slices[own.UnsafePointer()] = path
		}
	}
	m := w.add(&module{path: path, name: name, kind: typeText(v.Type())})
	for i := range v.Len() {
		step := strconv.Itoa(i)
		child, err := w.walk(v.Index(i), join(path, step), step)
		if err != nil {
			return nil, err
		}
		if child != nil {
			m.children = append(m.children, child)
		}
	}
	return m, nil
}

func (w *walker) walkStruct(v reflect.Value, path, name string) (*module, error) {
	m := w.add(&module{path: path, name: name, kind: typeText(v.Type())})
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if field.Tag.Get("dl") == "-" || !holdsLayers(field.Type, nil) {
			continue
		}
		if field.Type.Kind() == reflect.Map {
			return nil, fmt.Errorf("dl: Build: field %s of %s holds layers in a map, whose order is not fixed; use a slice", field.Name, m.kind)
		}
		if !field.IsExported() && !field.Anonymous {
			return nil, fmt.Errorf("dl: Build: field %s of %s holds layers but is not exported, so its weights cannot be found; call it %s",
				field.Name, m.kind, capital(field.Name))
		}
		if absent(v.Field(i)) {
			continue
		}
		step := strings.ToLower(field.Name)
		if tag := field.Tag.Get("dl"); tag != "" {
			step = tag
		}
		inner := join(path, step)
		if field.Anonymous && field.Tag.Get("dl") == "" {
			inner, step = path, name // as Go promotes an embedded field's names
		}
		child, err := w.walk(v.Field(i), inner, step)
		switch {
		case err != nil:
			return nil, err
		case child == nil:
		case inner == path:
			m.children, m.sites = append(m.children, child.children...), append(m.sites, child.sites...)
			w.byPath[path] = m
		default:
			if m.child(step) != nil {
				return nil, fmt.Errorf("dl: Build: two fields of %s are both called %s in lower case; tag one with `dl:\"name\"`", m.kind, step)
			}
			m.children = append(m.children, child)
		}
	}
	return m, nil
}

// named returns the path and kind of a layer of the user's behind a
// pointer.
func (w *walker) named(layer any) (path, kind string, ok bool) {
	v := reflect.ValueOf(layer)
	if v.Kind() != reflect.Pointer {
		return "", "", false
	}
	path, ok = w.pointers[v.UnsafePointer()]
	kind = typeText(v.Type())
	return path, kind, ok && kind != "" && v.Type().Elem().PkgPath() != sequentialType.PkgPath()
}

// sawPointer and sawSlice note the output of a layer of the user's, which is
// known by its place.
func (w *walker) sawPointer(r *recording, layer Layer, out *Tensor) {
	v := reflect.ValueOf(layer)
	if v.Kind() == reflect.Pointer {
		if path, ok := w.pointers[v.UnsafePointer()]; ok {
			r.saw(path, out)
		}
	}
}

func (w *walker) sawSlice(r *recording, first *Layer, out *Tensor) {
	if path, ok := w.slices[unsafe.Pointer(first)]; ok {
		r.saw(path, out)
	}
}

func (w *walker) add(m *module) *module {
	if m.kind == "" {
		m.kind = "layer"
	}
	w.byPath[m.path] = m
	return m
}

func (m *module) child(name string) *module {
	for _, c := range m.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// absent reports whether a field is a pointer or interface left nil, as a
// shortcut that not every block has.
func absent(v reflect.Value) bool {
	return (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil()
}

// holdsLayers reports whether a value of type t can hold layers.
func holdsLayers(t reflect.Type, within []reflect.Type) bool {
	if t == tensorType.Elem() { // what a recording holds is not the network's
		return false
	}
	for _, outer := range within {
		if outer == t {
			return false
		}
	}
	if t == layerType || t == sequentialType || t.Implements(layerType) || reflect.PointerTo(t).Implements(binderType) {
		return t.Kind() != reflect.Func
	}
	within = append(within, t)
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return holdsLayers(t.Elem(), within) || reflect.PointerTo(t.Elem()).Implements(layerType)
	case reflect.Struct:
		for i := range t.NumField() {
			if holdsLayers(t.Field(i).Type, within) {
				return true
			}
		}
		return reflect.PointerTo(t).Implements(layerType)
	}
	return false
}

// typeText is a type's name without its package and pointer.
func typeText(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() != "" {
		return t.Name()
	}
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
		return "ModuleList"
	}
	return ""
}

func capital(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	return strings.ToUpper(string(r)) + name[n:]
}

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
// step that is going on; nothing else may use the model meanwhile.
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

// unknown is the error for a path or a name that a model does not have. It
// lists those there are, a few of them where there are many, and names the
// one that was likely meant: fields have capital letters, parameters none.
func unknown(op, what, got string, names []string) error {
	const most = 24
	list, hint := strings.Join(names, ", "), ""
	if len(names) > most {
		list = fmt.Sprintf("%s, … (%d in all)", strings.Join(names[:most], ", "), len(names))
	}
	if len(names) == 0 {
		return fmt.Errorf("dl: %s: %s is %q, but the model is one layer, which has no name", op, what, got)
	}
	if n := near.To(got, names); n != "" && withoutDigits(n) != withoutDigits(got) { // of 0 to 9, any may be meant
		hint = fmt.Sprintf("; did you mean %s?", n)
	}
	return fmt.Errorf("dl: %s: %s is %q, want one of %s%s", op, what, got, list, hint)
}

func withoutDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, s)
}
