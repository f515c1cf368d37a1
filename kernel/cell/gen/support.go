package gen

import (
	"fmt"
	"go/types"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
	"github.com/holt-dl/holt/kernel/cell/witness"
)

// support.go of a program: what stands beside the code of the cell. Unexported names of
// one package are out of another's reach, and cells are packages, so that everything a
// later cell may mention has an exported name here. Functions and methods have a hook, a
// variable that they read when they are called: a later cell that gives one another
// body sets it, and earlier callers call the new body.
//
// A cell, as program 3, and what its support.go holds but for the helpers:
//
//	type point struct{ x int }             type Ħpoint = point
//	func area(r float64) float64 { … }     var ĦˣH_area func(float64) (float64)
//	p := point{1}                          var Ħp point
//	                                       type Ħˣs0[ˣ0 any] = struct { x ˣ0 }
//	                                       func ĦˣF_Ħˣs0ˣ_x[…](ˣv *ˣS) *ˣ0 { … }
//	                                       func Run() { ˣrt.Reached = 0; …; ˣrun() }

// A support is the file with what the cell's own text does not hold: variables, hooks,
// accessors, aliases, and Run.
//
// The declarations and the body of Run are written side by side, since a name often needs
// something in both: a function with a new body, a declaration and an assignment.
type support struct {
	g    *generator
	tp   *spell.Printer
	use  map[string]string // imports: name → path
	decl strings.Builder   // declarations
	run  strings.Builder   // what Run does before the cell's own statements
}

// support writes the support file, and returns its text and what it imports.
//
// Run does first what makes the program's names right, and then what the cell says:
//
//	zero for variables whose type has other memory now
//	hooks of functions and methods with new bodies
//	zero for variables that no name means any more
//	a deferred look for values of old types
//	the statements (ˣrun), and last a func main
//
// The error is that of a type which no text can spell.
func (g *generator) support(hasRun bool) (string, map[string]string, error) {
	use := map[string]string{"ˣrt": RuntimePath}
	s := &support{g: g, tp: g.printer(use), use: use}
	s.variables()
	named := s.declared()
	s.bodies()
	// A variable that no name means any more would keep its value alive for as long as the
	// process lives, since the package that holds it cannot be unloaded.
	for _, old := range g.released {
		s.zero(old)
	}
	// Never is false: the conversions are linked into the plugin and do not run.
	if keep := g.keep(s.tp, named); keep != "" {
		fmt.Fprintf(&s.decl, "func ˣkeep() {\n%s}\n", keep)
		s.run.WriteString("\tif ˣrt.Never { ˣkeep() }\n")
	}
	g.aliases(&s.decl, s.tp, s.use)
	// A field that embeds a type is called by the type's name, also where that one is of
	// another program: the file writes the plain name, which this alias declares.
	for _, name := range sortedKeys(g.localAlias) {
		obj := g.localAlias[name]
		params, args := typeParams(s.tp, obj)
		fmt.Fprintf(&s.decl, "type %s%s = %sĦ%s%s\n", name, params, fromAlias(s.use, g.home(obj)), name, args)
	}
	// The check asks for types that a later cell can name; what it let pass and cannot be
	// written is reported as an error of the cell.
	if s.tp.Err != nil {
		return "", nil, &syntax.Error{Diagnostics: []syntax.Diagnostic{{Cell: g.in.Cell.Name, Msg: s.tp.Err.Error()}}}
	}
	s.helpers()
	s.run.WriteString(g.oldValues(s.use))
	if hasRun {
		s.run.WriteString("\t" + spell.Run + "()\n")
	}
	if g.in.HasMain {
		s.run.WriteString("\tĦmain()\n")
	}
	return "\n" + s.decl.String() + "\n// Run runs the cell.\nfunc Run() {\n\tˣrt.Reached = 0\n" + s.run.String() + "}\n", s.use, nil
}

// variables declares the variables of the package. One whose type was declared again
// stays where it is, see [Keeps], or is a new one.
//
// They have no values here: no code of the cell runs in initialisers. A variable that an
// earlier cell defined with the same type is in neither list, and stays in that cell's
// package; the statements give it a value there.
func (s *support) variables() {
	in := s.g.in
	kept := witness.NewFinder(s.tp, "ˣw")
	// Variables are of two kinds: what the cell defines, and what earlier cells defined with
	// a type that is compiled again with this one.
	vars := map[string]bool{}
	for name := range in.NewVars {
		vars[name] = true
	}
	for name := range in.Retyped {
		if in.Dropped[name] == "" {
			vars[name] = true
		}
	}
	for _, name := range sortedKeys(vars) {
		t := s.g.in.Pkg.Scope().Lookup(spell.Var(name)).Type()
		e := in.Retyped[name]
		switch {
		case Keeps(in, name):
			s.keep(name, e, t)
			continue
		case witness.Needed(t): // no text is the type: it is inferred from a call that returns one
			x, ok := kept.Of(t)
			if !ok {
				s.tp.Fail("the type of %s cannot be inferred", name)
			}
			fmt.Fprintf(&s.decl, "var Ħ%s = %s\n", name, x)
		default:
			fmt.Fprintf(&s.decl, "var Ħ%s %s\n", name, s.tp.String(t))
		}
		// Not what the cell defines itself, which gets a value from it, and not what is
		// lost already.
		if e != nil && !in.NewVars[name] && e.Lost == "" {
			s.g.out.Notices = append(s.g.out.Notices, fmt.Sprintf("%s (%s) held a value of a type that changed, and is gone: run %s again to make it", name, e.Cell, e.Cell))
			if !e.Held {
				s.zero(e) // or its package would keep the value alive
			}
		}
	}
	s.decl.WriteString(kept.Functions())
}

// keep declares a pointer to the variable of an earlier program, under its new type. In c7, for
// a p that c3 holds:
//
//	var Ħp = (*point)(ˣunsafe.Pointer(&ˣ3.Ħp))
//
// Text says the type: what no text says and mentions a type of the notebook, the check drops.
func (s *support) keep(name string, e *scope.Version, t types.Type) {
	s.use["ˣunsafe"] = "unsafe"
	fmt.Fprintf(&s.decl, "var Ħ%s = (*%s)(ˣunsafe.Pointer(&%s))\n", name, s.tp.String(t), refTo(s.use, e))
}

// zero sets a variable of an earlier program to zero, so that its value can be freed.
func (s *support) zero(v *scope.Version) {
	fmt.Fprintf(&s.run, "\tˣzero(&%s)\n", refTo(s.use, v))
}

// declared writes what goes with the types and functions that the package declares:
// exported aliases, accessors and hooks. It returns the named types, those of C left
// out.
//
// The package of the check has all that lives in the notebook. What this program declares is
// what the check found in its files; of what cmd/cgo declares there, only the types can be needed
// later.
func (s *support) declared() (named []*types.TypeName) {
	scope := s.g.in.Pkg.Scope()
	own := map[string]types.Object{}
	for _, obj := range s.g.in.Info.Defs {
		if obj != nil && obj.Parent() == scope && (!spell.IsOfC(obj.Name()) || spell.IsCType(obj)) {
			own[obj.Name()] = obj
		}
	}
	for _, name := range sortedKeys(own) {
		switch obj := own[name].(type) {
		case *types.TypeName:
			s.typeName(name, obj)
			if !obj.IsAlias() && !spell.IsCType(obj) {
				named = append(named, obj)
			}
		case *types.Func:
			s.function(name, obj)
		}
	}
	return named
}

// typeName writes the alias of an unexported type, the accessors of its fields and the
// hooks of its methods.
func (s *support) typeName(name string, obj *types.TypeName) {
	params, args := typeParams(s.tp, obj)
	if !obj.Exported() {
		fmt.Fprintf(&s.decl, "type Ħ%s%s = %s%s\n", name, params, name, args)
	}
	// The fields and methods of an alias are those of what it stands for.
	if obj.IsAlias() {
		return
	}
	if st, ok := obj.Type().Underlying().(*types.Struct); ok && s.g.own(obj, st) {
		s.accessors(name, obj, st)
	}
	// A hook is a variable, and there are no generic ones.
	if params != "" {
		return
	}
	nt := obj.Type().(*types.Named)
	for i := range nt.NumMethods() {
		m := nt.Method(i)
		var b strings.Builder
		b.WriteString("func")
		// The receiver is the first parameter: what is set to the hook is a function.
		s.tp.Signature(&b, m.Signature().Recv().Type(), m.Signature())
		fmt.Fprintf(&s.decl, "var %s %s\n", spell.Hook(name, m.Name()), b.String())
	}
}

// function declares the hook of a function, or sets that of one which gets a new body.
//
// Functions without a hook are those that hookOf names none for; the two must agree.
func (s *support) function(name string, obj *types.Func) {
	if hooked := s.g.hooked[name]; hooked != nil {
		fmt.Fprintf(&s.run, "\t%s%s = %s\n", fromAlias(s.use, hooked.Home), spell.Hook("", name), spell.NewBody(name))
		return
	}
	if spell.Ours(name) || scope.IsInit(name) || name == "main" || obj.Signature().TypeParams().Len() > 0 {
		return
	}
	fmt.Fprintf(&s.decl, "var %s %s\n", spell.Hook("", name), s.tp.String(obj.Type()))
}

// bodies sets the hooks of methods that get new bodies.
//
// What is set to the hook is the function that the check made of the method.
func (s *support) bodies() {
	methods := slices.SortedFunc(maps.Keys(s.g.in.NewBodies), func(a, b *scope.Unit) int { return strings.Compare(a.FullName(), b.FullName()) })
	for _, u := range methods {
		if u.Recv == "" {
			continue
		}
		// Where a variable takes the type's name with this cell, the check knows the type by a
		// longer one; the hook has that by which its own program declared the type.
		e := s.g.in.Scope.Lookup(u.Recv)
		recv := u.Recv
		if s.g.in.Hides[recv] {
			recv = spell.TypeMark + recv
		}
		fmt.Fprintf(&s.run, "\t%s%s = %s\n", fromAlias(s.use, e.Home), spell.Hook(e.Obj.Name(), u.Names[0]), spell.MethodFunc(recv, u.Names[0]))
	}
}

// helpers writes the functions that generated code calls, and the flag by which the
// cell is stopped.
func (s *support) helpers() {
	// ˣzero is also what the check makes of var x T at the top level: a cell that runs
	// again begins with a zero x.
	fmt.Fprintf(&s.decl, "func ˣzero[T any](p *T) { var z T; *p = z }\n")
	if s.g.converts {
		s.use["ˣunsafe"] = "unsafe"
		fmt.Fprintf(&s.decl, "func ˣconvert[To, From any](v From) To { return *(*To)(ˣunsafe.Pointer(&v)) }\n")
	}
	// ˣmark stands behind the statements that define or set variables. When the cell fails,
	// the commit knows by it which of them have a new value.
	fmt.Fprintf(&s.decl, "func ˣmark(n int) { ˣrt.Reached = n }\n")
	// The flag is the package's own, so that a loop of another cell does not slow down when
	// this one is stopped. The host learns of it when the plugin is opened.
	fmt.Fprintf(&s.decl, "var %s uint32\nfunc init() { ˣrt.Watch(%q, &%s) }\n", stopFlag, spell.PkgPath(s.g.in.Seq), stopFlag)
}

// own notes that obj's package has the accessors of the fields of st, and
// reports false when another type of the same struct has them already, or the
// struct is at home elsewhere.
//
// Most structs have a shape, and their accessors go with its alias (see anon.go). These here
// are for structs that have none and yet fields of the notebook that are not exported, such
// as one that embeds List[T], of a type parameter T.
//
// "type B A" makes a second type of A's struct, with the very field objects of A, and one type's
// accessors serve both. "type B A[int]" has fields of its own, which lead to those of A by
// Origin: it is A that has the accessors.
func (g *generator) own(obj *types.TypeName, st *types.Struct) bool {
	for v := range st.Fields() {
		if _, ok := g.shapeOf(nil, v); ok || v.Origin() != v {
			return false
		}
		if g.owners[v] != nil || g.code.owners[v] != nil {
			return false
		}
		g.owners[v] = obj
	}
	return true
}

// accessors writes functions that reach the unexported fields of a struct type.
//
// There are two for each, of which the first serves all that has an address. For
// type box[T any] struct{ List[T]; n int } they are
//
//	func ĦˣF_boxˣ_n[ˣS ~struct{List[T]; n int}, T any](ˣv *ˣS) *int {
//		return &(*struct{List[T]; n int})(ˣunsafe.Pointer(ˣv)).n }
//	func ĦˣV_boxˣ_n[ˣS ~struct{List[T]; n int}, T any](ˣv ˣS) int {
//		return (*struct{List[T]; n int})(ˣunsafe.Pointer(&ˣv)).n }
//
// The caller writes (*ˣ3.ĦˣF_boxˣ_n((&Ħb))) = 1 for b.n = 1, and ˣ3.ĦˣV_boxˣ_n((Ħf())) for
// f().n. As in those of aliases, ˣS is any type that is made of the struct, and T is inferred
// from it; a parameter of the type that the struct does not mention is none of theirs.
func (s *support) accessors(name string, obj *types.TypeName, st *types.Struct) {
	params := ""
	for _, t := range mentionedParams(obj, st) {
		params += ", " + t.Obj().Name() + " " + s.tp.String(t.Constraint())
	}
	text := s.tp.String(st)
	for v := range st.Fields() {
		if v.Exported() || v.Name() == "_" || v.Pkg().Path() != spell.Path || s.g.home(v) != s.g.in.Seq {
			continue
		}
		s.use["ˣunsafe"] = "unsafe"
		writeAccessors(&s.decl, name, v.Name(), text, params, s.tp.String(v.Type()))
	}
}

// mentionedParams lists the parameters of a generic type that its struct mentions, or the
// constraint of one that is listed, in their order.
func mentionedParams(obj *types.TypeName, st *types.Struct) (list []*types.TypeParam) {
	seen := map[*types.TypeParam]bool{}
	var mentions func(types.Type)
	mentions = func(t types.Type) {
		spell.Walk(t, func(t types.Type) {
			if p, ok := t.(*types.TypeParam); ok && !seen[p] {
				seen[p] = true
				mentions(p.Constraint())
			}
		})
	}
	mentions(st)
	for p := range obj.Type().(*types.Named).TypeParams().TypeParams() {
		if seen[p] {
			list = append(list, p)
		}
	}
	return list
}

// typeParams writes the type parameters of a generic type, as a declaration
// and as arguments.
//
// For type pair[K comparable, V any] they are [K comparable, V any] and [K, V]; for a type
// that is not generic both are empty. A parameter _ gets a name, since an argument needs
// one.
func typeParams(tp *spell.Printer, obj *types.TypeName) (params, args string) {
	var list *types.TypeParamList
	switch t := obj.Type().(type) {
	case *types.Named:
		list = t.TypeParams()
	case *types.Alias:
		list = t.TypeParams()
	}
	if list.Len() == 0 {
		return "", ""
	}
	var ps, as []string
	for i := range list.Len() {
		t := list.At(i)
		name := t.Obj().Name()
		if name == "_" {
			name = "ˣt" + strconv.Itoa(i)
		}
		ps = append(ps, name+" "+tp.String(t.Constraint()))
		as = append(as, name)
	}
	return "[" + strings.Join(ps, ", ") + "]", "[" + strings.Join(as, ", ") + "]"
}
