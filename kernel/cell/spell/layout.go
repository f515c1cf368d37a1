package spell

import "go/types"

// SameLayout reports whether a value of type old can be read as one of type
// new, where both were written with the same names but some of the notebook's
// types were declared again. Interface types and maps keyed by them never can:
// the methods behind them belong to the old types.
//
//	type point struct{ x, y int }            the old type
//	type point struct{ x, y int }            the same, with a new method: true
//	type point struct{ x, y, z int }         false
//	type point struct{ y, x int }            false: each x would be read as a y
//	[]point, map[string]*point               as point is
//
// The value is not copied part by part: its memory is taken as it is, and what it points to
// is used under the new type. So what is behind pointers has to be alike as well, and names
// count, though Go's layout does not depend on them: two fields that changed places are not
// meant to change their values.
func SameLayout(old, new types.Type) bool { return layouts{}.same(old, new) }

// layouts are pairs of types that are compared, or were: where a type leads back to
// itself, the comparison ends.
//
// A pair that is met again while it is compared counts as the same: were it not, the comparison
// that is under way would find out. For a list that is type node struct{ next *node }, this is
// where it ends. The answer of a pair that was found to differ is not kept as such, but then the
// whole comparison is false anyway.
type layouts map[[2]types.Type]bool

// same compares two types, by their form where they are not identical.
func (l layouts) same(a, b types.Type) bool {
	a, b = types.Unalias(a), types.Unalias(b)
	if types.Identical(a, b) || l[[2]types.Type{a, b}] {
		return true
	}
	l[[2]types.Type{a, b}] = true
	// A named type is compared with a named one only: a field that was a point and is a
	// struct{ x, y int } is another thing by what the text says.
	if a, ok := a.(*types.Named); ok {
		b, ok := b.(*types.Named)
		return ok && l.sameNamed(a, b)
	}
	switch a := a.(type) {
	case *types.Pointer:
		b, ok := b.(*types.Pointer)
		return ok && l.same(a.Elem(), b.Elem())
	case *types.Slice:
		b, ok := b.(*types.Slice)
		return ok && l.same(a.Elem(), b.Elem())
	case *types.Array:
		b, ok := b.(*types.Array)
		return ok && a.Len() == b.Len() && l.same(a.Elem(), b.Elem())
	// The goroutines that hold a channel send values of the old type, which are read as new
	// ones: hence its elements have to be alike.
	case *types.Chan:
		b, ok := b.(*types.Chan)
		return ok && a.Dir() == b.Dir() && l.same(a.Elem(), b.Elem())
	// A map finds keys by hash and equality of their type. Those of an interface depend on the
	// type that is in it, and an old one never equals a new one.
	case *types.Map:
		b, ok := b.(*types.Map)
		return ok && !hasInterface(a.Key()) && l.same(a.Key(), b.Key()) && l.same(a.Elem(), b.Elem())
	case *types.Struct:
		b, ok := b.(*types.Struct)
		return ok && l.sameFields(a, b)
	// A function is code of the old package, and is called with values of the new types.
	case *types.Signature:
		b, ok := b.(*types.Signature)
		return ok && a.Variadic() == b.Variadic() && l.sameTuple(a.Params(), b.Params()) && l.sameTuple(a.Results(), b.Results())
	}
	return false // an interface whose methods mention a type that changed
}

// sameNamed compares types that were declared under one name.
//
// Two objects of one name are a type and what it was before it was declared again. Of a
// library's type with type arguments of the notebook, such as atomic.Pointer[point], the name is
// the same and what is underneath is compared: with each argument in its place.
func (l layouts) sameNamed(a, b *types.Named) bool {
	p, q := a.Obj(), b.Obj()
	if p.Name() != q.Name() || p.Pkg() == nil || q.Pkg() == nil || p.Pkg().Path() != q.Pkg().Path() || a.TypeArgs().Len() != b.TypeArgs().Len() {
		return false
	}
	for i := range a.TypeArgs().Len() {
		if !l.same(a.TypeArgs().At(i), b.TypeArgs().At(i)) {
			return false
		}
	}
	return l.same(a.Underlying(), b.Underlying())
}

// sameFields compares structs field by field, in order. Tags do not count: they change no
// memory.
func (l layouts) sameFields(a, b *types.Struct) bool {
	if a.NumFields() != b.NumFields() {
		return false
	}
	for i := range a.NumFields() {
		if a.Field(i).Name() != b.Field(i).Name() || !l.same(a.Field(i).Type(), b.Field(i).Type()) {
			return false
		}
	}
	return true
}

// sameTuple compares parameters or results by their types; their names do not count.
func (l layouts) sameTuple(a, b *types.Tuple) bool {
	if a.Len() != b.Len() {
		return false
	}
	for i := range a.Len() {
		if !l.same(a.At(i).Type(), b.At(i).Type()) {
			return false
		}
	}
	return true
}

// hasInterface reports whether a map's key is or holds an interface. A pointer or a channel in
// it is compared by address, whatever it leads to.
func hasInterface(t types.Type) bool {
	switch t := t.Underlying().(type) {
	case *types.Interface:
		return true
	case *types.Array:
		return hasInterface(t.Elem())
	case *types.Struct:
		for i := range t.NumFields() {
			if hasInterface(t.Field(i).Type()) {
				return true
			}
		}
	}
	return false
}
