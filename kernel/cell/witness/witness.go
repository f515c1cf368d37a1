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
//	var Ħmachine = ˣw1(ˣw0(gorgonia.NewTapeMachine))
//	func ˣw0[R0 any](func(*gorgonia.ExprGraph, ...gorgonia.VMOpt) (*R0)) (r R0) { return }
//	func ˣw1[R0 any](R0) (r *R0) { return }
//
// which calls nothing of the library. An expression like ˣw0(…), whose value is
// a zero value of the type, is a witness of it. One is looked for in all that the
// package of the type exports: functions, variables, constants, types with fields and
// methods, and the methods of unexported types that were found before.
//
// The compiler finds R0 by unifying the type of the argument with that of the parameter (Go
// specification, "Type inference"); the function that is the argument is never called. So the
// initialiser of the variable, which runs when the plugin is loaded, runs no code of the
// library.
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
	printer *spell.Printer               // writes the types of the file, and notes its imports
	prefix  string                       // of the names of the functions
	decl    strings.Builder              // the text of the functions
	count   int                          // how many functions were numbered
	found   map[*types.Package][]witness // what the search of a package has come upon so far
}

// NewFinder returns a finder for a file whose types the printer writes. The names of
// its functions begin with the prefix.
//
// The generator gives ˣw; the checker, which only asks whether a type can be inferred, gives
// "" and drops the text. A finder belongs to one check or one file: it is not safe for
// concurrent use.
func NewFinder(printer *spell.Printer, prefix string) *Finder {
	return &Finder{printer: printer, prefix: prefix, found: map[*types.Package][]witness{}}
}

// Functions is the text of the generic functions that were needed so far.
func (f *Finder) Functions() string { return f.decl.String() }

// A witness is an expression that has a type without naming it.
type witness struct {
	typ  types.Type // of one package alone: a named type, a struct or an interface
	expr string     // a zero value of typ, as Go text
}

// onlyThere reports whether a type can only be written in its own package.
// What it is made of is not looked at.
//
//	tapeMachine of gorgonia          only there: a name that is not exported
//	struct{ n int } of gorgonia      only there: n is another field in another package
//	interface{ eval() } of gorgonia  only there, for the same reason
//	*tapeMachine, []tapeMachine      not itself; [Needed] looks at the parts
//
// By the specification ("Uniqueness of identifiers"), names that are not exported differ when
// they are from different packages, so that the same text elsewhere is another type.
func onlyThere(t types.Type) bool {
	// Names without a package are Go's own, such as error. Those of the notebook get exported
	// names by the code that is generated (package gen), so that they can be written
	// everywhere.
	foreign := func(obj types.Object) bool {
		return !obj.Exported() && obj.Pkg() != nil && obj.Pkg().Path() != spell.Path
	}
	switch t := t.(type) {
	case *types.Named:
		o := t.Obj()
		// A type that is declared inside a function has no expression at package level either:
		// it is left to the printer, which refuses it by its own message.
		return foreign(o) && o.Parent() == o.Pkg().Scope()
	case *types.Struct:
		for v := range t.Fields() {
			if foreign(v) {
				return true
			}
		}
	case *types.Interface:
		// Embedded interfaces are types of their own, which Walk visits.
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
// It looks at what the type is written with and not at what named types are made of: a struct
// that the library exports can be written, whatever its fields are.
func Needed(t types.Type) (found bool) {
	spell.Walk(t, func(t types.Type) { found = found || onlyThere(t) })
	return found
}

// pattern writes a type with type parameters in the place of types that cannot be
// written, and lists these.
//
//	*lib.hidden                  *R0                  R0 any
//	map[lib.key]*lib.hidden      map[R0]*R1           R0 comparable, R1 any
//	func(lib.Graph, lib.hidden)  func(lib.Graph, R0)  R0 any
//
// where values of key can be compared, and those of hidden, which holds a slice, cannot.
//
// The same type has the same parameter in all its places, or the compiler could infer two. ok
// is false where another part cannot be written, as a type from inside a function.
func (f *Finder) pattern(write func(*spell.Printer) string) (text, params string, leaves []types.Type, ok bool) {
	p := *f.printer
	// A copy, since an attempt that fails must not fail the file that the printer is of.
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
			// Not any for all: map[R0]int is no type unless R0 is comparable.
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
//
// For a variable of type []*lib.hidden, where ˣw0(lib.New) is a witness of hidden, it is
//
//	ˣw1(ˣw0(lib.New))                                       with
//	func ˣw1[R0 any](R0) (r []*R0) { return }
//
// Where it fails, functions that were declared on the way stay in [Finder.Functions].
func (f *Finder) Of(t types.Type) (expr string, ok bool) {
	text, params, leaves, ok := f.pattern(func(p *spell.Printer) string { return p.String(t) })
	if !ok || !freeArguments(t) {
		return "", false
	}
	// One witness for each type that cannot be written: they are the arguments from which the
	// compiler infers R0, R1 and so on.
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
//
// Its result is named, so that a bare return gives the zero value of any type.
func (f *Finder) helper(params, args, result string) string {
	name := fmt.Sprintf("%s%d", f.prefix, f.count)
	f.count++
	fmt.Fprintf(&f.decl, "func %s[%s](%s) (r %s) { return }\n", name, params, args, result)
	return name
}

// freeArguments reports whether type parameters can stand for what cannot be
// written where a type has type arguments.
//
// In lib.Set[lib.hidden], R0 stands for hidden, and Set[R0] compiles only when R0 itself
// satisfies Set's constraint. The constraint any is the only one of which this is certain: a
// constraint with methods or with a union would have to be repeated for R0, and may be
// unexported, too.
func freeArguments(t types.Type) bool {
	free := true
	spell.Walk(t, func(t types.Type) {
		n, ok := t.(*types.Named)
		// The arguments of a type that cannot be written are not written: the whole of it is
		// R0.
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
//
// It counts the objects, fields and methods that were looked at, and ends the second part of
// the search: the names of a package are finitely many, but the methods of what was found lead
// to ever more types, and a cell that is checked waits for the search.
const mostWitnesses = 2000

// leaf finds a witness of a type that cannot be written.
//
// What a search comes upon on its way is kept by package, whether it succeeds or not, since a
// variable of another type of the same library is likely.
func (f *Finder) leaf(t types.Type) (string, bool) {
	// The package whose exported names are searched is the one that the type belongs to.
	// Fields of one struct type are all of the package that wrote it, so the last does as well
	// as any.
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
	// The search ends at the type that is wanted, so it is the last that was noted.
	return s.known[len(s.known)-1].expr, true
}

// A search looks through what a package exports for a type.
type search struct {
	f     *Finder        // takes the functions that witnesses need
	want  types.Type     // ends the search
	pkg   *types.Package // whose exported names are searched
	known []witness      // of all types that were found, also by searches before
	steps int            // see mostWitnesses
}

// run reports whether a witness of the wanted type was found. It looks at what the package
// exports, in the order of the names so that the generated text is the same each time, and
// then at the methods of what that has led to.
func (s *search) run() bool {
	scope := s.pkg.Scope()
	// The name is written where it is needed, because to ask for a package's name imports it.
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
			// The address reads nothing. The value could be written by another goroutine at
			// this moment.
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
	// The list grows while it is walked, so types that are several methods away are reached,
	// the nearest first.
	for i := 0; i < len(s.known) && s.steps < mostWitnesses; i++ {
		if s.methods(s.known[i]) {
			return true
		}
	}
	return false
}

// function looks at what a function takes and returns. The type arguments of a
// generic one are those of the type that is wanted.
//
// For a value of type *lib.ring[int], of
//
//	func NewRing[T any](size int) *ring[T]
//
// T is int, and lib.NewRing[int] is looked at as a function without type parameters. Functions
// in which a type parameter is not an argument of the wanted type are left out: nothing says
// what it should be.
func (s *search) function(expr string, sig *types.Signature) bool {
	if sig.TypeParams().Len() == 0 {
		return s.value(expr, sig)
	}
	want, ok := s.want.(*types.Named)
	if !ok {
		return false
	}
	// Where the wanted type stands in the signature, its arguments there are the function's
	// type parameters, or part of them; the same places of the wanted type have what they
	// stand for.
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
	// With validation, since the arguments may not satisfy constraints that mention each
	// other.
	inst, err := types.Instantiate(nil, sig, args, true)
	if err != nil {
		return false
	}
	return s.value(expr+"["+strings.Join(texts, ", ")+"]", inst)
}

// typeName looks at the fields and methods of an exported type.
//
//	&new(lib.T).F    has type *hidden, for a field F of type hidden
//	*new(lib.L)      has the underlying type []hidden, for type L []hidden
//	(*lib.T).M       is func(*T) hidden, for a method M (specification, "Method expressions")
//	lib.I.M          the same, of an interface
//
// A pointer from new is used, not a nil one, because the expressions of fields are evaluated.
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
	// The method set of *T holds that of T, and methods that are promoted from embedded
	// fields.
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
		// The type of a method expression has the receiver as its first parameter.
		params := append([]*types.Var{types.NewVar(0, nil, "", recv)}, slices.Collect(sig.Params().Variables())...)
		if s.value(expr+"."+fn.Name(), types.NewSignatureType(nil, nil, nil, types.NewTuple(params...), sig.Results(), sig.Variadic())) {
			return true
		}
	}
	return false
}

// value takes in what the type of an expression is written with.
// Each of them that was not known has the witness
//
//	ˣw3(lib.New)    with func ˣw3[R0 any](func() (R0, error)) (r R0) { return }
//
// It reports whether the type that is wanted was among them.
func (s *search) value(expr string, t types.Type) bool {
	// Most of a library needs no witness. What mentions type parameters of the library cannot
	// be the type of an expression.
	if s.steps++; !Needed(t) || !freeArguments(t) || spell.Generic(t) {
		return false
	}
	text, params, leaves, ok := s.f.pattern(func(p *spell.Printer) string { return p.String(t) })
	return ok && s.add(leaves, func(i int) string {
		return s.f.helper(params, text, fmt.Sprintf("R%d", i)) + "(" + expr + ")"
	})
}

// methods takes in what the methods of a type are written with.
//
// The type has no name here, so there is no method expression. Its methods are asked for by a
// constraint instead:
//
//	ˣw4(ˣwp(ˣw0(lib.New)))
//	func ˣw4[M interface{ Build() (R0) }, R0 any](M) (r R0) { return }
//
// M is inferred from the argument, and then R0 from M's method Build, as Go does since 1.21.
func (s *search) methods(of witness) bool {
	recv, expr := of.typ, of.expr
	if !types.IsInterface(recv) {
		// ˣwp makes a pointer of it, whose method set has the methods with pointer receivers,
		// too.
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
			// params is not empty: a signature for which Needed is true has a type to stand in
			// for.
			return s.f.helper(m+params, "M", fmt.Sprintf("R%d", i)) + "(" + expr + ")"
		}) {
			return true
		}
	}
	return false
}

// pointer names the function whose result is a pointer to its argument's type.
// It is declared once, when it is first needed. Its name has no number, so it is no other
// helper's.
func (f *Finder) pointer() string {
	name := f.prefix + "p"
	if !strings.Contains(f.decl.String(), "func "+name+"[") {
		fmt.Fprintf(&f.decl, "func %s[T any](T) (p *T) { return }\n", name)
	}
	return name
}

// add notes types that were not known, and reports whether the one that is wanted
// is among them. It is then the last.
// The first witness of a type is kept: later ones would add functions and nothing else. expr
// is called for new types alone, since it declares a function.
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
