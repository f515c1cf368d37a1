package spell

import "go/types"

// SameLayout reports whether a value of type old can be read as one of type
// new, where both were written with the same names but some of the notebook's
// types were declared again. Interface types and maps keyed by them never can:
// the methods behind them belong to the old types.
func SameLayout(old, new types.Type) bool { return layouts{}.same(old, new) }

// layouts are pairs of types that are compared, or were: where a type leads back to
// itself, the comparison ends.
type layouts map[[2]types.Type]bool

func (l layouts) same(a, b types.Type) bool {
	a, b = types.Unalias(a), types.Unalias(b)
	if types.Identical(a, b) || l[[2]types.Type{a, b}] {
		return true
	}
	l[[2]types.Type{a, b}] = true
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
	case *types.Chan:
		b, ok := b.(*types.Chan)
		return ok && a.Dir() == b.Dir() && l.same(a.Elem(), b.Elem())
	case *types.Map:
		b, ok := b.(*types.Map)
		return ok && !hasInterface(a.Key()) && l.same(a.Key(), b.Key()) && l.same(a.Elem(), b.Elem())
	case *types.Struct:
		b, ok := b.(*types.Struct)
		return ok && l.sameFields(a, b)
	case *types.Signature:
		b, ok := b.(*types.Signature)
		return ok && a.Variadic() == b.Variadic() && l.sameTuple(a.Params(), b.Params()) && l.sameTuple(a.Results(), b.Results())
	}
	return false // an interface whose methods mention a type that changed
}

// sameNamed compares types that were declared under one name.
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
