package cell

import (
	"fmt"
	"go/types"
	"strconv"
	"strings"
)

// A typePrinter writes types as Go source.
type typePrinter struct {
	pkg  func(*types.Package) string        // the name by which a package is imported
	name func(*types.TypeName) string       // a type of the notebook
	anon func(*types.Struct) (string, bool) // an alias for a struct type without a name
	// embed names a type that is embedded in a struct, whose name is the
	// field's; nil where name does.
	embed func(*types.TypeName) (string, bool)
	err   error // the first type that cannot be written
}

func (p *typePrinter) String(t types.Type) string {
	var b strings.Builder
	p.write(&b, t)
	return b.String()
}

func (p *typePrinter) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

func (p *typePrinter) write(b *strings.Builder, t types.Type) {
	switch t := t.(type) {
	case *types.Basic:
		if t.Kind() == types.UnsafePointer {
			b.WriteString(p.pkg(types.Unsafe) + ".Pointer")
			return
		}
		if t.Kind() == types.Invalid {
			p.fail("the type is not known")
		}
		b.WriteString(t.Name())
	case *types.Pointer:
		b.WriteByte('*')
		p.write(b, t.Elem())
	case *types.Slice:
		b.WriteString("[]")
		p.write(b, t.Elem())
	case *types.Array:
		b.WriteString("[" + strconv.FormatInt(t.Len(), 10) + "]")
		p.write(b, t.Elem())
	case *types.Map:
		b.WriteString("map[")
		p.write(b, t.Key())
		b.WriteByte(']')
		p.write(b, t.Elem())
	case *types.Chan:
		switch t.Dir() {
		case types.SendOnly:
			b.WriteString("chan<- (")
		case types.RecvOnly:
			b.WriteString("<-chan (")
		default:
			b.WriteString("chan (")
		}
		p.write(b, t.Elem())
		b.WriteByte(')')
	case *types.Signature:
		b.WriteString("func")
		p.signature(b, nil, t)
	case *types.Struct:
		if alias, ok := p.anon(t); ok {
			b.WriteString(alias)
			return
		}
		b.WriteString("struct{")
		for i := range t.NumFields() {
			f := t.Field(i)
			if i > 0 {
				b.WriteString("; ")
			}
			if !f.Exported() && f.Pkg() != nil && f.Pkg().Path() != notebookPath {
				p.fail("its type has the unexported field %s of package %s", f.Name(), f.Pkg().Path())
			}
			if f.Embedded() {
				p.embedded(b, f.Type())
			} else {
				b.WriteString(f.Name() + " ")
				p.write(b, f.Type())
			}
			if tag := t.Tag(i); tag != "" {
				b.WriteString(" " + strconv.Quote(tag))
			}
		}
		b.WriteByte('}')
	case *types.Interface:
		p.iface(b, t)
	case *types.Named:
		p.named(b, t.Obj(), t.TypeArgs())
	case *types.Alias:
		obj := t.Obj()
		if obj.Pkg() != nil && obj.Pkg().Path() != notebookPath && !obj.Exported() {
			p.write(b, types.Unalias(t))
			return
		}
		p.named(b, obj, t.TypeArgs())
	case *types.TypeParam:
		b.WriteString(t.Obj().Name())
	case *types.Union:
		for i := range t.Len() {
			if i > 0 {
				b.WriteString(" | ")
			}
			if t.Term(i).Tilde() {
				b.WriteByte('~')
			}
			p.write(b, t.Term(i).Type())
		}
	default:
		p.fail("a value of %s cannot be kept", t)
	}
}

// embedded writes the type of an embedded field.
func (p *typePrinter) embedded(b *strings.Builder, t types.Type) {
	elem := t
	if ptr, ok := t.(*types.Pointer); ok {
		elem = ptr.Elem()
	}
	var obj *types.TypeName
	var args *types.TypeList
	switch n := elem.(type) {
	case *types.Named:
		obj, args = n.Obj(), n.TypeArgs()
	case *types.Alias:
		obj, args = n.Obj(), n.TypeArgs()
	}
	if p.embed != nil && obj != nil {
		if name, ok := p.embed(obj); ok {
			if elem != t {
				b.WriteByte('*')
			}
			b.WriteString(name)
			p.arguments(b, args)
			return
		}
	}
	p.write(b, t)
}

func (p *typePrinter) named(b *strings.Builder, obj *types.TypeName, args *types.TypeList) {
	switch {
	case obj.Pkg() == nil: // error, any, comparable
		b.WriteString(obj.Name())
	case obj.Pkg().Path() == notebookPath:
		if obj.Parent() != nil && obj.Parent() != obj.Pkg().Scope() {
			p.fail("its type %s is declared inside a function", obj.Name())
		}
		b.WriteString(p.name(obj))
	default:
		if !obj.Exported() {
			p.fail("its type %s.%s is not exported, so a later cell could not name it", obj.Pkg().Name(), obj.Name())
		}
		b.WriteString(p.pkg(obj.Pkg()) + "." + obj.Name())
	}
	p.arguments(b, args)
}

// arguments writes the type arguments of an instantiated type.
func (p *typePrinter) arguments(b *strings.Builder, args *types.TypeList) {
	if args.Len() == 0 {
		return
	}
	b.WriteByte('[')
	for i := range args.Len() {
		if i > 0 {
			b.WriteString(", ")
		}
		p.write(b, args.At(i))
	}
	b.WriteByte(']')
}

// signature writes the parameters and results of t; recv, when given, becomes
// the first parameter.
func (p *typePrinter) signature(b *strings.Builder, recv types.Type, t *types.Signature) {
	b.WriteByte('(')
	n := 0
	if recv != nil {
		p.write(b, recv)
		n++
	}
	for i := range t.Params().Len() {
		if n > 0 {
			b.WriteString(", ")
		}
		n++
		pt := t.Params().At(i).Type()
		if t.Variadic() && i == t.Params().Len()-1 {
			b.WriteString("...")
			if s, ok := pt.(*types.Slice); ok {
				pt = s.Elem()
			}
		}
		p.write(b, pt)
	}
	b.WriteByte(')')
	if t.Results().Len() > 0 {
		b.WriteString(" (")
		for i := range t.Results().Len() {
			if i > 0 {
				b.WriteString(", ")
			}
			p.write(b, t.Results().At(i).Type())
		}
		b.WriteByte(')')
	}
}

func (p *typePrinter) iface(b *strings.Builder, t *types.Interface) {
	if t.Empty() && t.NumEmbeddeds() == 0 {
		b.WriteString("interface{}")
		return
	}
	b.WriteString("interface{")
	sep := ""
	for i := range t.NumExplicitMethods() {
		m := t.ExplicitMethod(i)
		if !m.Exported() && m.Pkg().Path() != notebookPath {
			p.fail("its type has the unexported method %s of package %s", m.Name(), m.Pkg().Path())
		}
		b.WriteString(sep + m.Name())
		p.signature(b, nil, m.Type().(*types.Signature))
		sep = "; "
	}
	for i := range t.NumEmbeddeds() {
		b.WriteString(sep)
		p.write(b, t.EmbeddedType(i))
		sep = "; "
	}
	b.WriteByte('}')
}

// notebookTypes calls f for the name of every type of the notebook in t.
func notebookTypes(t types.Type, f func(*types.TypeName)) {
	seen := map[types.Type]bool{}
	var walk func(types.Type)
	tuple := func(t *types.Tuple) {
		for i := range t.Len() {
			walk(t.At(i).Type())
		}
	}
	walk = func(t types.Type) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		switch t := t.(type) {
		case *types.Pointer:
			walk(t.Elem())
		case *types.Slice:
			walk(t.Elem())
		case *types.Array:
			walk(t.Elem())
		case *types.Map:
			walk(t.Key())
			walk(t.Elem())
		case *types.Chan:
			walk(t.Elem())
		case *types.Signature:
			tuple(t.Params())
			tuple(t.Results())
		case *types.Struct:
			for i := range t.NumFields() {
				walk(t.Field(i).Type())
			}
		case *types.Interface:
			for i := range t.NumExplicitMethods() {
				walk(t.ExplicitMethod(i).Type())
			}
			for i := range t.NumEmbeddeds() {
				walk(t.EmbeddedType(i))
			}
		case *types.Named:
			if p := t.Obj().Pkg(); p != nil && p.Path() == notebookPath {
				f(t.Obj())
			}
			for i := range t.TypeArgs().Len() {
				walk(t.TypeArgs().At(i))
			}
		case *types.Alias:
			if p := t.Obj().Pkg(); p != nil && p.Path() == notebookPath {
				f(t.Obj())
			}
			walk(types.Unalias(t))
		}
	}
	walk(t)
}

// structsIn calls f for every struct type without a name in t, inner ones first.
func structsIn(t types.Type, f func(*types.Struct)) {
	switch t := t.(type) {
	case *types.Pointer:
		structsIn(t.Elem(), f)
	case *types.Slice:
		structsIn(t.Elem(), f)
	case *types.Array:
		structsIn(t.Elem(), f)
	case *types.Chan:
		structsIn(t.Elem(), f)
	case *types.Map:
		structsIn(t.Key(), f)
		structsIn(t.Elem(), f)
	case *types.Named:
		for a := range t.TypeArgs().Types() {
			structsIn(a, f)
		}
	case *types.Signature:
		for v := range t.Params().Variables() {
			structsIn(v.Type(), f)
		}
		for v := range t.Results().Variables() {
			structsIn(v.Type(), f)
		}
	case *types.Struct:
		for i := range t.NumFields() {
			structsIn(t.Field(i).Type(), f)
		}
		f(t)
	}
}

// generic reports whether t mentions a type parameter.
func generic(t types.Type) bool {
	found := false
	seen := map[types.Type]bool{}
	var walk func(types.Type)
	walk = func(t types.Type) {
		if seen[t] {
			return
		}
		seen[t] = true
		switch t := t.(type) {
		case *types.TypeParam:
			found = true
		case *types.Pointer:
			walk(t.Elem())
		case *types.Slice:
			walk(t.Elem())
		case *types.Array:
			walk(t.Elem())
		case *types.Chan:
			walk(t.Elem())
		case *types.Map:
			walk(t.Key())
			walk(t.Elem())
		case *types.Struct:
			for v := range t.Fields() {
				walk(v.Type())
			}
		case *types.Signature:
			for v := range t.Params().Variables() {
				walk(v.Type())
			}
			for v := range t.Results().Variables() {
				walk(v.Type())
			}
		case *types.Named:
			for a := range t.TypeArgs().Types() {
				walk(a)
			}
		case *types.Alias:
			walk(types.Unalias(t))
		}
	}
	walk(t)
	return found
}

func hidesFields(t *types.Struct) bool {
	for i := range t.NumFields() {
		if !t.Field(i).Exported() {
			return true
		}
	}
	return false
}

// sameLayout reports whether a value of type old can be read as one of type
// new, where both were written with the same names but some of the notebook's
// types were declared again. Interface types and maps keyed by them never can:
// the methods behind them belong to the old types.
func sameLayout(old, new types.Type) bool {
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

var errorType = types.Universe.Lookup("error").Type()

func isError(t types.Type) bool { return types.Identical(t, errorType) }
