package spell

import "go/types"

// SameLayout reports whether a value of type old can be read as one of type
// new, where both were written with the same names but some of the notebook's
// types were declared again. Interface types and maps keyed by them never can:
// the methods behind them belong to the old types.
func SameLayout(old, new types.Type) bool {
	type pair struct{ a, b types.Type }
	seen := map[pair]bool{}
	var same func(a, b types.Type) bool
	tuples := func(a, b *types.Tuple) bool {
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.At(i).Type(), b.At(i).Type()) {
				return false
			}
		}
		return true
	}
	same = func(a, b types.Type) bool {
		a, b = types.Unalias(a), types.Unalias(b)
		if types.Identical(a, b) || seen[pair{a, b}] {
			return true
		}
		seen[pair{a, b}] = true
		if an, ok := a.(*types.Named); ok {
			bn, ok := b.(*types.Named)
			if !ok || an.Obj().Name() != bn.Obj().Name() || an.Obj().Pkg() == nil || bn.Obj().Pkg() == nil ||
				an.Obj().Pkg().Path() != bn.Obj().Pkg().Path() || an.TypeArgs().Len() != bn.TypeArgs().Len() {
				return false
			}
			for i := range an.TypeArgs().Len() {
				if !same(an.TypeArgs().At(i), bn.TypeArgs().At(i)) {
					return false
				}
			}
			return same(an.Underlying(), bn.Underlying())
		}
		switch a := a.(type) {
		case *types.Pointer:
			b, ok := b.(*types.Pointer)
			return ok && same(a.Elem(), b.Elem())
		case *types.Slice:
			b, ok := b.(*types.Slice)
			return ok && same(a.Elem(), b.Elem())
		case *types.Array:
			b, ok := b.(*types.Array)
			return ok && a.Len() == b.Len() && same(a.Elem(), b.Elem())
		case *types.Chan:
			b, ok := b.(*types.Chan)
			return ok && a.Dir() == b.Dir() && same(a.Elem(), b.Elem())
		case *types.Map:
			b, ok := b.(*types.Map)
			return ok && !hasInterface(a.Key()) && same(a.Key(), b.Key()) && same(a.Elem(), b.Elem())
		case *types.Struct:
			b, ok := b.(*types.Struct)
			if !ok || a.NumFields() != b.NumFields() {
				return false
			}
			for i := range a.NumFields() {
				if a.Field(i).Name() != b.Field(i).Name() || !same(a.Field(i).Type(), b.Field(i).Type()) {
					return false
				}
			}
			return true
		case *types.Signature:
			b, ok := b.(*types.Signature)
			return ok && a.Variadic() == b.Variadic() && tuples(a.Params(), b.Params()) && tuples(a.Results(), b.Results())
		}
		return false // an interface whose methods mention a type that changed
	}
	return same(old, new)
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
