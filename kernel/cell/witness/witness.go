// Package witness writes variables of types that a library does not export.
//
// A library may return values of a type that it does not export, as
// gorgonia.NewTapeMachine does. No other package can write that type, but it can
// have the compiler infer it: the variable
//
//	machine := gorgonia.NewTapeMachine(g)
//
// is declared as
//
//	var Ħmachine = ˣv0(ˣw0(gorgonia.NewTapeMachine))
//	func ˣw0[R, A any](func(*gorgonia.ExprGraph, ...A) *R) (r R) { return }
//	func ˣv0[R any](R) (v *R) { return }
//
// which calls nothing of the library. An expression like ˣw0(…), whose value is
// a zero value of the type, is a witness of it. One is looked for in all that the
// package of the type exports: functions, variables, constants, types with fields and
// methods, and the methods of unexported types that were found before.
package witness

import (
	"fmt"
	"go/types"
	"slices"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// A Finder writes witnesses and the generic functions that they need, for one file.
type Finder struct {
	printer *spell.Printer
	prefix  string // of the names of the functions
	decl    strings.Builder
	count   int
	found   map[*types.Package][]witness
}

// NewFinder returns a finder for a file whose types the printer writes. The names of
// its functions begin with the prefix.
func NewFinder(printer *spell.Printer, prefix string) *Finder {
	return &Finder{printer: printer, prefix: prefix, found: map[*types.Package][]witness{}}
}

// Functions is the text of the generic functions that were needed so far.
func (f *Finder) Functions() string { return f.decl.String() }

// A witness is an expression that has a type without naming it.
type witness struct {
	typ  types.Type
	expr string
}

// onlyThere reports whether a type can only be written in its own package.
// What it is made of is not looked at.
func onlyThere(t types.Type) bool {
	foreign := func(obj types.Object) bool {
		return !obj.Exported() && obj.Pkg() != nil && obj.Pkg().Path() != spell.Path
	}
	switch t := t.(type) {
	case *types.Named:
		o := t.Obj()
		return foreign(o) && o.Parent() == o.Pkg().Scope()
	case *types.Struct:
		for v := range t.Fields() {
			if foreign(v) {
				return true
			}
		}
	case *types.Interface:
		for m := range t.ExplicitMethods() {
			if foreign(m) {
				return true
			}
		}
	}
	return false
}

// Needed reports whether a type is written with one that only its own package can
// write, so that a variable of it takes a witness.
func Needed(t types.Type) (found bool) {
	spell.Walk(t, func(t types.Type) { found = found || onlyThere(t) })
	return found
}

// pattern writes a type with type parameters in the place of types that cannot be
// written, and lists these.
func (f *Finder) pattern(write func(*spell.Printer) string) (text, params string, leaves []types.Type, ok bool) {
	p := *f.printer
	p.Err = nil
	var decl []string
	p.Leaf = func(t types.Type) (string, bool) {
		if !onlyThere(t) {
			return "", false
		}
		i := slices.IndexFunc(leaves, func(l types.Type) bool { return types.Identical(l, t) })
		if i < 0 {
			i = len(leaves)
			leaves = append(leaves, t)
			constraint := "any"
			if types.Comparable(t) {
				constraint = "comparable"
			}
			decl = append(decl, fmt.Sprintf("R%d %s", i, constraint))
		}
		return fmt.Sprintf("R%d", i), true
	}
	text = write(&p)
	return text, strings.Join(decl, ", "), leaves, p.Err == nil
}

// Of writes an expression of type t, which holds types that cannot be written. It is
// false where nothing that the library exports leads to them.
func (f *Finder) Of(t types.Type) (expr string, ok bool) {
	text, params, leaves, ok := f.pattern(func(p *spell.Printer) string { return p.String(t) })
	if !ok || !freeArguments(t) {
		return "", false
	}
	var args, list []string
	for i, l := range leaves {
		x, ok := f.leaf(l)
		if !ok {
			return "", false
		}
		args = append(args, x)
		list = append(list, fmt.Sprintf("R%d", i))
	}
	return f.helper(params, strings.Join(list, ", "), text) + "(" + strings.Join(args, ", ") + ")", true
}

// helper declares a generic function that returns a zero value, and returns its
// name.
func (f *Finder) helper(params, args, result string) string {
	name := fmt.Sprintf("%s%d", f.prefix, f.count)
	f.count++
	fmt.Fprintf(&f.decl, "func %s[%s](%s) (r %s) { return }\n", name, params, args, result)
	return name
}

// freeArguments reports whether type parameters can stand for what cannot be
// written where a type has type arguments.
func freeArguments(t types.Type) bool {
	free := true
	spell.Walk(t, func(t types.Type) {
		n, ok := t.(*types.Named)
		if !ok || onlyThere(n) {
			return
		}
		for i := range n.TypeArgs().Len() {
			if c, ok := n.TypeParams().At(i).Constraint().Underlying().(*types.Interface); Needed(n.TypeArgs().At(i)) && (!ok || c.NumMethods() > 0 || !c.IsMethodSet()) {
				free = false
			}
		}
	})
	return free
}

// mostWitnesses bounds the search in a package.
const mostWitnesses = 2000

// leaf finds a witness of a type that cannot be written.
func (f *Finder) leaf(t types.Type) (string, bool) {
	var pkg *types.Package
	switch t := t.(type) {
	case *types.Named:
		pkg = t.Obj().Pkg()
	case *types.Struct:
		for v := range t.Fields() {
			pkg = v.Pkg()
		}
	case *types.Interface:
		pkg = t.ExplicitMethod(0).Pkg()
	}
	for _, known := range f.found[pkg] {
		if types.Identical(known.typ, t) {
			return known.expr, true
		}
	}
	s := &search{f: f, want: t, pkg: pkg, known: f.found[pkg]}
	ok := s.run()
	f.found[pkg] = s.known
	if !ok {
		return "", false
	}
	return s.known[len(s.known)-1].expr, true
}

// A search looks through what a package exports for a type.
type search struct {
	f     *Finder
	want  types.Type
	pkg   *types.Package
	known []witness
	steps int
}

func (s *search) run() bool {
	scope := s.pkg.Scope()
	name := func(obj types.Object) string { return s.f.printer.Pkg(s.pkg) + "." + obj.Name() }
	for _, n := range scope.Names() {
		obj := scope.Lookup(n)
		if !obj.Exported() {
			continue
		}
		found := false
		switch obj := obj.(type) {
		case *types.Func:
			found = s.function(name(obj), obj.Signature())
		case *types.Var:
			found = s.value("&"+name(obj), types.NewPointer(obj.Type()))
		case *types.Const:
			found = s.value(name(obj), obj.Type())
		case *types.TypeName:
			found = s.typeName(name(obj), obj)
		}
		if found {
			return true
		}
	}
	// Methods of types that were found: a builder returns what it builds.
	for i := 0; i < len(s.known) && s.steps < mostWitnesses; i++ {
		if s.methods(s.known[i]) {
			return true
		}
	}
	return false
}

// function looks at what a function takes and returns. The type arguments of a
// generic one are those of the type that is wanted.
func (s *search) function(expr string, sig *types.Signature) bool {
	if sig.TypeParams().Len() == 0 {
		return s.value(expr, sig)
	}
	want, ok := s.want.(*types.Named)
	if !ok {
		return false
	}
	args := make([]types.Type, sig.TypeParams().Len())
	spell.Walk(sig, func(t types.Type) {
		n, ok := t.(*types.Named)
		if !ok || n.Origin() != want.Origin() {
			return
		}
		for i := range n.TypeArgs().Len() {
			if p, ok := n.TypeArgs().At(i).(*types.TypeParam); ok && want.TypeArgs().Len() > i {
				args[p.Index()] = want.TypeArgs().At(i)
			}
		}
	})
	var texts []string
	for _, a := range args {
		if a == nil || Needed(a) {
			return false
		}
		texts = append(texts, s.f.printer.String(a))
	}
	inst, err := types.Instantiate(nil, sig, args, true)
	if err != nil {
		return false
	}
	return s.value(expr+"["+strings.Join(texts, ", ")+"]", inst)
}

// typeName looks at the fields and methods of an exported type.
func (s *search) typeName(expr string, obj *types.TypeName) bool {
	t, ok := types.Unalias(obj.Type()).(*types.Named)
	if !ok || t.TypeParams().Len() > 0 {
		return false
	}
	if st, ok := t.Underlying().(*types.Struct); ok {
		for v := range st.Fields() {
			if v.Exported() && s.value("&new("+expr+")."+v.Name(), types.NewPointer(v.Type())) {
				return true
			}
		}
	} else if !types.IsInterface(t) && s.value("*new("+expr+")", t.Underlying()) {
		return true
	}
	recv := types.Type(types.NewPointer(t))
	if types.IsInterface(t) {
		recv = t
	} else {
		expr = "(*" + expr + ")"
	}
	for m := range types.NewMethodSet(recv).Methods() {
		fn := m.Obj().(*types.Func)
		if !fn.Exported() {
			continue
		}
		sig := fn.Signature()
		params := append([]*types.Var{types.NewVar(0, nil, "", recv)}, slices.Collect(sig.Params().Variables())...)
		if s.value(expr+"."+fn.Name(), types.NewSignatureType(nil, nil, nil, types.NewTuple(params...), sig.Results(), sig.Variadic())) {
			return true
		}
	}
	return false
}

// value takes in what the type of an expression is written with.
func (s *search) value(expr string, t types.Type) bool {
	if s.steps++; !Needed(t) || !freeArguments(t) || spell.Generic(t) {
		return false
	}
	text, params, leaves, ok := s.f.pattern(func(p *spell.Printer) string { return p.String(t) })
	return ok && s.add(leaves, func(i int) string {
		return s.f.helper(params, text, fmt.Sprintf("R%d", i)) + "(" + expr + ")"
	})
}

// methods takes in what the methods of a type are written with.
func (s *search) methods(of witness) bool {
	recv, expr := of.typ, of.expr
	if !types.IsInterface(recv) {
		recv, expr = types.NewPointer(recv), s.f.pointer()+"("+expr+")"
	}
	for m := range types.NewMethodSet(recv).Methods() {
		fn := m.Obj().(*types.Func)
		if s.steps++; !fn.Exported() || !Needed(fn.Signature()) || !freeArguments(fn.Signature()) {
			continue
		}
		text, params, leaves, ok := s.f.pattern(func(p *spell.Printer) string {
			var b strings.Builder
			p.Signature(&b, nil, fn.Signature())
			return b.String()
		})
		if ok && s.add(leaves, func(i int) string {
			m := fmt.Sprintf("M interface{ %s%s }, ", fn.Name(), text)
			return s.f.helper(m+params, "M", fmt.Sprintf("R%d", i)) + "(" + expr + ")"
		}) {
			return true
		}
	}
	return false
}

// pointer names the function whose result is a pointer to its argument's type.
func (f *Finder) pointer() string {
	name := f.prefix + "p"
	if !strings.Contains(f.decl.String(), "func "+name+"[") {
		fmt.Fprintf(&f.decl, "func %s[T any](T) (p *T) { return }\n", name)
	}
	return name
}

// add notes types that were not known, and reports whether the one that is wanted
// is among them. It is then the last.
func (s *search) add(leaves []types.Type, expr func(i int) string) bool {
	for i, t := range leaves {
		if slices.ContainsFunc(s.known, func(k witness) bool { return types.Identical(k.typ, t) }) {
			continue
		}
		s.known = append(s.known, witness{t, expr(i)})
		if types.Identical(t, s.want) {
			return true
		}
	}
	return false
}
