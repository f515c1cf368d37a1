package spell

import (
	"fmt"
	"go/types"
	"strconv"
	"strings"
)

// A Printer writes types as Go source.
//
// types.TypeString does not do, since what it writes is for people: it writes a package by its
// path or name without a thought of imports, and what cannot be written at all, such as the
// unexported type of a library. How packages and types of the notebook are named is the
// caller's: the checked package and each generated file have names of their own for them.
//
// A Printer has no state but Err, and can write many types. It is for one goroutine.
type Printer struct {
	Pkg  func(*types.Package) string        // the name by which a package is imported
	Name func(*types.TypeName) string       // a type of the notebook
	Anon func(*types.Struct) (string, bool) // an alias for a struct without a name, if any
	// Method names a method of an interface type without a name; nil as in the
	// cell's text.
	Method func(*types.Func) string
	// Embed names a type that is embedded in a struct, whose name is the
	// field's; nil where Name does.
	Embed func(*types.TypeName) (string, bool)
	// Leaf says what stands for a type, whatever it is made of; nil where nothing does.
	// Package witness has it write type parameters for types that cannot be written.
	Leaf func(types.Type) (string, bool)
	// Err is the first type that cannot be written. The text is of no use then. It reads as
	// the end of a sentence: "x cannot be kept for later cells: its type …".
	Err error
}

// String writes a type. Whether that could be done is in Err.
func (p *Printer) String(t types.Type) string {
	var b strings.Builder
	p.write(&b, t)
	return b.String()
}

// Fail notes that a type cannot be written, unless an earlier one could not.
func (p *Printer) Fail(format string, args ...any) {
	if p.Err == nil {
		p.Err = fmt.Errorf(format, args...)
	}
}

// write writes a type, and in it those that it is made of, down to names.
func (p *Printer) write(b *strings.Builder, t types.Type) {
	if p.Leaf != nil {
		if name, ok := p.Leaf(t); ok {
			b.WriteString(name)
			return
		}
	}
	switch t := t.(type) {
	case *types.Basic:
		// Go's basic types have the names that they are declared by. unsafe.Pointer is one
		// of them, and in a package.
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
		// The parentheses keep chan (<-chan int) from being read as a chan<- of something:
		// <- belongs to the leftmost chan that it can (Go spec, "Channel types").
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
		// A struct with unexported fields is another type in each package that spells it.
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
			// A field of this name that we write would be ours, and the struct another type.
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
		// An alias is kept where it can be named, since it is what the person wrote. One that a
		// library does not export may stand for a type that can be written.
		obj := t.Obj()
		if obj.Pkg() != nil && obj.Pkg().Path() != Path && !obj.Exported() {
			p.write(b, types.Unalias(t))
			return
		}
		p.named(b, obj, t.TypeArgs())
	// It stands inside of a declaration that has a parameter of this name.
	case *types.TypeParam:
		b.WriteString(t.Obj().Name())
	// This is of a constraint, such as ~int | ~string.
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
	// A tuple, say, is no type of a value.
	default:
		p.Fail("a value of %s cannot be kept", t)
	}
}

// Embedded writes the type of an embedded field.
//
// Go allows T, *T, and T with type arguments, where T is the name of a type or an alias, and
// calls the field T. Embed may give T a name that keeps the field's.
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

// named writes the name of a type and its type arguments. Not every type can be named from
// another package: one of a function's body, or one that a library does not export, cannot.
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
//
// Names of parameters are left out: they are no part of the type. Results have parentheses
// always, one of them too.
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
			// The last parameter of a variadic function is a slice to go/types, but for append of a
			// string to bytes, where it is the string itself.
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

// iface writes an interface type: its own methods, and then what it embeds, unions among it.
func (p *Printer) iface(b *strings.Builder, t *types.Interface) {
	if t.Empty() && t.NumEmbeddeds() == 0 {
		b.WriteString("interface{}")
		return
	}
	b.WriteString("interface{")
	sep := ""
	for i := range t.NumExplicitMethods() {
		m := t.ExplicitMethod(i)
		// As with fields: a method of this name that we write would be another method.
		if !m.Exported() && m.Pkg().Path() != Path {
			p.Fail("its type has the unexported method %s of package %s", m.Name(), m.Pkg().Path())
		}
		name := m.Name()
		if p.Method != nil {
			// Generated code has other names for methods that are not exported.
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
//
// It ends for every type: types that lead back to themselves do so by a named type, and of
// these only the type arguments are gone on with. An alias leads to what it stands for.
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
		case *types.Union:
			for term := range t.Terms() {
				walk(term.Type())
			}
		case *types.Alias:
			walk(types.Unalias(t))
		}
	}
	walk(t)
}

// NotebookTypes calls f for the name of every type of the notebook in t.
//
// An alias of the notebook is called for, and then the type that it stands for, since either
// may be declared again.
func NotebookTypes(t types.Type, f func(*types.TypeName)) {
	Walk(t, func(t types.Type) {
		n, ok := t.(interface{ Obj() *types.TypeName }) // a Named or an Alias
		if _, param := t.(*types.TypeParam); !ok || param {
			return
		}
		// error and any have no package.
		if p := n.Obj().Pkg(); p != nil && p.Path() == Path {
			f(n.Obj())
		}
	})
}

// Generic reports whether t mentions a type parameter.
//
// Such a type means something inside of one declaration alone.
func Generic(t types.Type) (found bool) {
	Walk(t, func(t types.Type) {
		_, param := t.(*types.TypeParam)
		found = found || param
	})
	return found
}

// ErrorType is Go's error. Types of that name that a cell declares are others.
var ErrorType = types.Universe.Lookup("error").Type()

// IsError reports whether t is error itself. A type that merely implements it, *os.PathError
// say, is a value as any other, as the last result of a call too.
func IsError(t types.Type) bool { return types.Identical(t, ErrorType) }
