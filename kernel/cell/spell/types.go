package spell

import (
	"fmt"
	"go/types"
	"strconv"
	"strings"
)

// A Printer writes types as Go source.
type Printer struct {
	Pkg  func(*types.Package) string        // the name by which a package is imported
	Name func(*types.TypeName) string       // a type of the notebook
	Anon func(*types.Struct) (string, bool) // an alias for a struct type without a name
	// Method names a method of an interface type without a name; nil as in the
	// cell's text.
	Method func(*types.Func) string
	// Embed names a type that is embedded in a struct, whose name is the
	// field's; nil where Name does.
	Embed func(*types.TypeName) (string, bool)
	Leaf  func(types.Type) (string, bool) // what stands for a type, or nil
	Err   error                           // the first type that cannot be written
}

func (p *Printer) String(t types.Type) string {
	var b strings.Builder
	p.write(&b, t)
	return b.String()
}

func (p *Printer) Fail(format string, args ...any) {
	if p.Err == nil {
		p.Err = fmt.Errorf(format, args...)
	}
}

func (p *Printer) write(b *strings.Builder, t types.Type) {
	if p.Leaf != nil {
		if name, ok := p.Leaf(t); ok {
			b.WriteString(name)
			return
		}
	}
	switch t := t.(type) {
	case *types.Basic:
		if t.Kind() == types.UnsafePointer {
			b.WriteString(p.Pkg(types.Unsafe) + ".Pointer")
			return
		}
		if t.Kind() == types.Invalid {
			p.Fail("the type is not known")
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
		p.Signature(b, nil, t)
	case *types.Struct:
		if alias, ok := p.Anon(t); ok {
			b.WriteString(alias)
			return
		}
		b.WriteString("struct{")
		for i := range t.NumFields() {
			f := t.Field(i)
			if i > 0 {
				b.WriteString("; ")
			}
			if !f.Exported() && f.Pkg() != nil && f.Pkg().Path() != Path {
				p.Fail("its type has the unexported field %s of package %s", f.Name(), f.Pkg().Path())
			}
			if f.Embedded() {
				p.Embedded(b, f.Type())
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
		if obj.Pkg() != nil && obj.Pkg().Path() != Path && !obj.Exported() {
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
		p.Fail("a value of %s cannot be kept", t)
	}
}

// Embedded writes the type of an embedded field.
func (p *Printer) Embedded(b *strings.Builder, t types.Type) {
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
	if p.Embed != nil && obj != nil {
		if name, ok := p.Embed(obj); ok {
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

func (p *Printer) named(b *strings.Builder, obj *types.TypeName, args *types.TypeList) {
	switch {
	case obj.Pkg() == nil: // error, any, comparable
		b.WriteString(obj.Name())
	case obj.Pkg().Path() == Path:
		if obj.Parent() != nil && obj.Parent() != obj.Pkg().Scope() {
			p.Fail("its type %s is declared inside a function", obj.Name())
		}
		b.WriteString(p.Name(obj))
	default:
		if !obj.Exported() {
			p.Fail("its type %s.%s is not exported, so a later cell could not name it", obj.Pkg().Name(), obj.Name())
		}
		b.WriteString(p.Pkg(obj.Pkg()) + "." + obj.Name())
	}
	p.arguments(b, args)
}

// arguments writes the type arguments of an instantiated type.
func (p *Printer) arguments(b *strings.Builder, args *types.TypeList) {
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

// Signature writes the parameters and results of t; recv, when given, becomes
// the first parameter.
func (p *Printer) Signature(b *strings.Builder, recv types.Type, t *types.Signature) {
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

func (p *Printer) iface(b *strings.Builder, t *types.Interface) {
	if t.Empty() && t.NumEmbeddeds() == 0 {
		b.WriteString("interface{}")
		return
	}
	b.WriteString("interface{")
	sep := ""
	for i := range t.NumExplicitMethods() {
		m := t.ExplicitMethod(i)
		if !m.Exported() && m.Pkg().Path() != Path {
			p.Fail("its type has the unexported method %s of package %s", m.Name(), m.Pkg().Path())
		}
		name := m.Name()
		if p.Method != nil {
			name = p.Method(m)
		}
		b.WriteString(sep + name)
		p.Signature(b, nil, m.Type().(*types.Signature))
		sep = "; "
	}
	for i := range t.NumEmbeddeds() {
		b.WriteString(sep)
		p.write(b, t.EmbeddedType(i))
		sep = "; "
	}
	b.WriteByte('}')
}

// Walk calls visit for t and the types it is written with, each once. What
// a named type is made of is not looked at.
func Walk(t types.Type, visit func(types.Type)) {
	seen := map[types.Type]bool{}
	var walk func(types.Type)
	tuple := func(t *types.Tuple) {
		for v := range t.Variables() {
			walk(v.Type())
		}
	}
	walk = func(t types.Type) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		visit(t)
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
			for v := range t.Fields() {
				walk(v.Type())
			}
		case *types.Interface:
			for m := range t.ExplicitMethods() {
				walk(m.Type())
			}
			for e := range t.EmbeddedTypes() {
				walk(e)
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
}

// NotebookTypes calls f for the name of every type of the notebook in t.
func NotebookTypes(t types.Type, f func(*types.TypeName)) {
	Walk(t, func(t types.Type) {
		n, ok := t.(interface{ Obj() *types.TypeName }) // a Named or an Alias
		if _, param := t.(*types.TypeParam); !ok || param {
			return
		}
		if p := n.Obj().Pkg(); p != nil && p.Path() == Path {
			f(n.Obj())
		}
	})
}

// Generic reports whether t mentions a type parameter.
func Generic(t types.Type) (found bool) {
	Walk(t, func(t types.Type) {
		_, param := t.(*types.TypeParam)
		found = found || param
	})
	return found
}

var ErrorType = types.Universe.Lookup("error").Type()

func IsError(t types.Type) bool { return types.Identical(t, ErrorType) }
