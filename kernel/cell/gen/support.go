package gen

import (
	"fmt"
	"go/types"
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
// variable that is looked at when they are called: a later cell that gives one another
// body sets it, and earlier callers call the new body.

// A support is the file with what the cell's own text does not hold: variables, hooks,
// accessors, aliases, and Run.
type support struct {
	g    *generator
	tp   *spell.Printer
	use  map[string]string // imports: name → path
	decl strings.Builder   // declarations
	run  strings.Builder   // what Run does before the cell's own statements
}

// support writes the support file, and returns its text and what it imports.
func (g *generator) support(hasRun bool) (string, map[string]string, error) {
	use := map[string]string{"ˣrt": RuntimePath}
	s := &support{g: g, tp: g.printer(use), use: use}
	s.variables()
	named := s.declared()
	s.bodies()
	// A variable that no name means any more would keep its value alive for as long as the
	// process lives, since the package that holds it cannot be unloaded.
	for _, old := range g.released {
		s.use["ˣ"+strconv.Itoa(old.Home)] = spell.PkgPath(old.Home)
		fmt.Fprintf(&s.run, "\tˣzero(&ˣ%d.Ħ%s)\n", old.Home, old.Name)
	}
	// Never is false: the conversions are linked into the plugin and do not run.
	if keep := g.keep(s.tp, named); keep != "" {
		fmt.Fprintf(&s.decl, "func ˣkeep() {\n%s}\n", keep)
		s.run.WriteString("\tif ˣrt.Never { ˣkeep() }\n")
	}
	g.aliases(&s.decl, s.tp, s.use)
	for _, name := range sortedKeys(g.localAlias) {
		obj := g.localAlias[name]
		params, args := typeParams(s.tp, obj)
		fmt.Fprintf(&s.decl, "type %s%s = %sĦ%s%s\n", name, params, fromAlias(s.use, g.home(obj)), name, args)
	}
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
// gets the value of the old one, whose memory it reads under the new type.
func (s *support) variables() {
	in := s.g.in
	kept := witness.NewFinder(s.tp, "ˣw")
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
		if witness.Needed(t) { // no text is the type: it is inferred from a call that returns one
			x, ok := kept.Of(t)
			if !ok {
				s.tp.Fail("the type of %s cannot be inferred", name)
			}
			fmt.Fprintf(&s.decl, "var Ħ%s = %s\n", name, x)
		} else {
			fmt.Fprintf(&s.decl, "var Ħ%s %s\n", name, s.tp.String(t))
		}
		if e := in.Retyped[name]; e != nil && !in.NewVars[name] && e.Lost == "" {
			s.carry(name, e, t)
		}
	}
	s.decl.WriteString(kept.Functions())
}

// carry gives a variable the value that it had under an old type, when the layout of
// its memory is the same.
func (s *support) carry(name string, e *scope.Version, t types.Type) {
	if !spell.SameLayout(e.Obj.Type(), t) {
		s.g.out.Notices = append(s.g.out.Notices, fmt.Sprintf("%s (%s) held a value of a type that changed, and is gone: run %s again to make it", name, e.Cell, e.Cell))
		return
	}
	s.use["ˣunsafe"] = "unsafe"
	s.use["ˣ"+strconv.Itoa(e.Home)] = spell.PkgPath(e.Home)
	if witness.Needed(t) { // it is the same: no type of the notebook is in it
		fmt.Fprintf(&s.run, "\tĦ%s = ˣ%d.Ħ%s\n\tˣzero(&ˣ%d.Ħ%s)\n", name, e.Home, name, e.Home, name)
		return
	}
	fmt.Fprintf(&s.run, "\tĦ%s = *(*%s)(ˣunsafe.Pointer(&ˣ%d.Ħ%s))\n\tˣzero(&ˣ%d.Ħ%s)\n", name, s.tp.String(t), e.Home, name, e.Home, name)
}

// declared writes what goes with the types and functions that the package declares:
// exported aliases, accessors and hooks. It returns the named types, those of C left
// out.
func (s *support) declared() (named []*types.TypeName) {
	scope := s.g.in.Pkg.Scope()
	for _, name := range scope.Names() {
		obj := scope.Lookup(name)
		if !s.g.files[s.g.in.Fset.File(obj.Pos())] || spell.IsOfC(name) && !spell.IsCType(obj) {
			continue
		}
		switch obj := obj.(type) {
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
	if obj.IsAlias() {
		return
	}
	if st, ok := obj.Type().Underlying().(*types.Struct); ok && s.g.own(obj, st) {
		s.g.accessors(&s.decl, s.tp, name, params, args, st)
	}
	if params != "" {
		return
	}
	nt := obj.Type().(*types.Named)
	for i := range nt.NumMethods() {
		m := nt.Method(i)
		var b strings.Builder
		b.WriteString("func")
		s.tp.Signature(&b, m.Signature().Recv().Type(), m.Signature())
		fmt.Fprintf(&s.decl, "var ĦˣH_%s_%s %s\n", name, m.Name(), b.String())
	}
}

// function declares the hook of a function, or sets that of one which gets a new body.
func (s *support) function(name string, obj *types.Func) {
	if hooked := s.g.hooked[name]; hooked != nil {
		fmt.Fprintf(&s.run, "\t%sĦˣH_%s = Ħˣb_%s\n", fromAlias(s.use, hooked.Home), name, name)
		return
	}
	if spell.Ours(name) || scope.IsInit(name) || name == "main" || obj.Signature().TypeParams().Len() > 0 {
		return
	}
	fmt.Fprintf(&s.decl, "var ĦˣH_%s %s\n", name, s.tp.String(obj.Type()))
}

// bodies sets the hooks of methods that get new bodies.
func (s *support) bodies() {
	for u := range s.g.in.NewBodies {
		if u.Recv == "" {
			continue
		}
		e := s.g.in.Scope.Lookup(u.Recv)
		recv := u.Recv
		if s.g.in.Hides[recv] {
			recv = spell.TypeMark + recv
		}
		fmt.Fprintf(&s.run, "\t%sĦˣH_%s_%s = %s\n", fromAlias(s.use, e.Home), e.Obj.Name(), u.Names[0], spell.MethodFunc(recv, u.Names[0]))
	}
}

// helpers writes the functions that generated code calls, and the flag by which the
// cell is stopped.
func (s *support) helpers() {
	fmt.Fprintf(&s.decl, "func ˣzero[T any](p *T) { var z T; *p = z }\n")
	if s.g.converts {
		s.use["ˣunsafe"] = "unsafe"
		fmt.Fprintf(&s.decl, "func ˣconvert[To, From any](v From) To { return *(*To)(ˣunsafe.Pointer(&v)) }\n")
	}
	fmt.Fprintf(&s.decl, "func ˣmark(n int) { ˣrt.Reached = n }\n")
	fmt.Fprintf(&s.decl, "var %s uint32\nfunc init() { ˣrt.Watch(%q, &%s) }\n", stopFlag, spell.PkgPath(s.g.in.Seq), stopFlag)
}

// own notes that obj's package has the accessors of the fields of st, and
// reports false when another type of the same struct has them already, or the
// struct is at home elsewhere.
func (g *generator) own(obj *types.TypeName, st *types.Struct) bool {
	for i := range st.NumFields() {
		if _, ok := g.shapeOf(nil, st.Field(i)); ok {
			return false
		}
		if g.owners[st.Field(i).Origin()] != nil || g.code.owners[st.Field(i).Origin()] != nil {
			return false
		}
		g.owners[st.Field(i).Origin()] = obj
	}
	return true
}

// accessors writes functions that reach the unexported fields of a struct type.
func (g *generator) accessors(b *strings.Builder, tp *spell.Printer, name, params, args string, st *types.Struct) {
	for i := range st.NumFields() {
		v := st.Field(i)
		if v.Exported() || v.Name() == "_" || v.Pkg().Path() != spell.Path || g.home(v) != g.in.Seq {
			continue
		}
		typ := tp.String(v.Type())
		fmt.Fprintf(b, "func ĦˣF_%s_%s%s(p *%s%s) *%s { return &p.%s }\n", name, v.Name(), params, name, args, typ, v.Name())
		fmt.Fprintf(b, "func ĦˣV_%s_%s%s(v %s%s) %s { return v.%s }\n", name, v.Name(), params, name, args, typ, v.Name())
	}
}

// typeParams writes the type parameters of a generic type, as a declaration
// and as arguments.
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
			name = "ˣ_" + strconv.Itoa(i)
		}
		ps = append(ps, name+" "+tp.String(t.Constraint()))
		as = append(as, name)
	}
	return "[" + strings.Join(ps, ", ") + "]", "[" + strings.Join(as, ", ") + "]"
}
