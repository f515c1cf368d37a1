package cell

import (
	"fmt"
	"go/ast"
	"go/types"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// fieldHome is the program whose package declares the field v of the struct
// type t.
func (g *generator) fieldHome(t types.Type, v *types.Var) int {
	if sh, ok := g.shapeOf(t, v); ok {
		return sh.home
	}
	if _, ok := types.Unalias(t).(*types.Struct); ok {
		return g.c.seq // spelled here alone
	}
	return g.home(v)
}

// printer writes types as the generated package names them.
func (g *generator) printer(use map[string]string) *spell.Printer {
	from := func(home int) string {
		if home == g.c.seq {
			return ""
		}
		alias := "ˣ" + strconv.Itoa(home)
		use[alias] = pkgPath(home)
		return alias + "."
	}
	tp := &spell.Printer{
		Pkg: func(p *types.Package) string {
			for alias, path := range use {
				if path == p.Path() {
					return alias
				}
			}
			alias := "ˣi" + strconv.Itoa(len(use))
			use[alias] = p.Path()
			return alias
		},
		Name: func(t *types.TypeName) string {
			home := g.home(t)
			if home != g.c.seq && !t.Exported() {
				return from(home) + "Ħ" + t.Name()
			}
			return from(home) + t.Name()
		},
		Embed: func(t *types.TypeName) (string, bool) {
			if t.Pkg() == nil || t.Pkg().Path() != spell.Path || t.Exported() || g.home(t) == g.c.seq {
				return "", false
			}
			g.localAlias[t.Name()] = t
			return t.Name(), true
		},
		Method: methodName,
	}
	tp.Anon = func(t *types.Struct) (string, bool) { return g.anonymous(tp, from, t) }
	return tp
}

// owner is the type after which the accessors of t's field v are named.
func (g *generator) owner(t types.Type, v *types.Var) *types.TypeName {
	if o, ok := g.c.nb.owners[v.Origin()]; ok {
		return o
	}
	if n, ok := types.Unalias(t).(*types.Named); ok {
		return n.Obj()
	}
	return types.NewTypeName(v.Pos(), v.Pkg(), "unknown", nil)
}

// hookOf names the hook of a function that is declared in full, or is empty.
func (g *generator) hookOf(d *ast.FuncDecl) string {
	name := d.Name.Name
	if name == "_" {
		return ""
	}
	if d.Recv != nil {
		recv, generic := receiver(d.Recv.List[0].Type)
		if e := g.c.nb.names[recv]; generic || e != nil && e.kind == kType && e.unit.generic && !g.c.ownNames[recv] {
			return ""
		}
		return "ĦˣH_" + recv + "_" + name
	}
	if d.Type.TypeParams != nil || g.hooked[name] != nil || name == "_" || isInit(name) ||
		name == "main" || spell.Ours(name) {
		return ""
	}
	return "ĦˣH_" + name
}

// support writes what the cell's own text does not hold: variables, hooks,
// accessors, aliases, and Run.
func (g *generator) support(hasRun bool) (string, map[string]string, error) {
	c, p := g.c, g.p
	use := map[string]string{"ˣrt": runtimePath}
	tp := g.printer(use)
	var decl, run strings.Builder

	// Variables.
	kept := &witnesses{printer: tp, prefix: "ˣw", found: map[*types.Package][]witness{}}
	vars := map[string]bool{}
	for name := range c.fresh {
		vars[name] = true
	}
	for name := range c.moved {
		if c.dropped[name] == "" {
			vars[name] = true
		}
	}
	for _, name := range sortedKeys(vars) {
		t := p.pkg.Scope().Lookup(spell.Var(name)).Type()
		if hasUnnameable(t) {
			x, ok := kept.of(t)
			if !ok {
				tp.Fail("the type of %s cannot be inferred", name)
			}
			fmt.Fprintf(&decl, "var Ħ%s = %s\n", name, x)
		} else {
			fmt.Fprintf(&decl, "var Ħ%s %s\n", name, tp.String(t))
		}
		e := c.moved[name]
		if e == nil || c.fresh[name] || e.lost != "" {
			continue
		}
		if !spell.SameLayout(e.obj.Type(), t) {
			c.notices = append(c.notices, fmt.Sprintf("%s (%s) held a value of a type that changed, and is gone: run %s again to make it", name, e.cell, e.cell))
			continue
		}
		use["ˣunsafe"] = "unsafe"
		use["ˣ"+strconv.Itoa(e.home)] = pkgPath(e.home)
		if hasUnnameable(t) { // it is the same: no type of the notebook is in it
			fmt.Fprintf(&run, "\tĦ%s = ˣ%d.Ħ%s\n\tˣzero(&ˣ%d.Ħ%s)\n", name, e.home, name, e.home, name)
			continue
		}
		fmt.Fprintf(&run, "\tĦ%s = *(*%s)(ˣunsafe.Pointer(&ˣ%d.Ħ%s))\n\tˣzero(&ˣ%d.Ħ%s)\n", name, tp.String(t), e.home, name, e.home, name)
	}

	decl.WriteString(kept.decl.String())

	// What the package declares.
	scope := p.pkg.Scope()
	var named []*types.TypeName
	for _, name := range scope.Names() {
		obj := scope.Lookup(name)
		if !g.files[c.nb.fset.File(obj.Pos())] || namesOfC(name) && !isCType(obj) {
			continue
		}
		switch obj := obj.(type) {
		case *types.TypeName:
			params, args := typeParams(tp, obj)
			if !obj.Exported() {
				fmt.Fprintf(&decl, "type Ħ%s%s = %s%s\n", name, params, name, args)
			}
			if obj.IsAlias() {
				continue
			}
			if !isCType(obj) {
				named = append(named, obj)
			}
			if st, ok := obj.Type().Underlying().(*types.Struct); ok && g.own(obj, st) {
				g.accessors(&decl, tp, name, params, args, st)
			}
			if params != "" {
				continue
			}
			nt := obj.Type().(*types.Named)
			for i := range nt.NumMethods() {
				m := nt.Method(i)
				var b strings.Builder
				b.WriteString("func")
				tp.Signature(&b, m.Signature().Recv().Type(), m.Signature())
				fmt.Fprintf(&decl, "var ĦˣH_%s_%s %s\n", name, m.Name(), b.String())
			}
		case *types.Func:
			if g.hooked[name] != nil {
				fmt.Fprintf(&run, "\t%sĦˣH_%s = Ħˣb_%s\n", fromAlias(use, g.hooked[name].home), name, name)
				continue
			}
			if spell.Ours(name) {
				continue
			}
			if isInit(name) || name == "main" || obj.Signature().TypeParams().Len() > 0 {
				continue
			}
			fmt.Fprintf(&decl, "var ĦˣH_%s %s\n", name, tp.String(obj.Type()))
		}
	}
	for u := range c.rebody {
		if u.recv != "" {
			e := c.nb.names[u.recv]
			recv := u.recv
			if c.hides[recv] {
				recv = spell.TypeMark + recv
			}
			fmt.Fprintf(&run, "\t%sĦˣH_%s_%s = %s\n", fromAlias(use, e.home), e.obj.Name(), u.names[0], methodFunc(recv, u.names[0]))
		}
	}
	for _, old := range c.nb.release {
		use["ˣ"+strconv.Itoa(old.home)] = pkgPath(old.home)
		fmt.Fprintf(&run, "\tˣzero(&ˣ%d.Ħ%s)\n", old.home, old.name)
	}
	if keep := g.keep(tp, named); keep != "" {
		fmt.Fprintf(&decl, "func ˣkeep() {\n%s}\n", keep)
		run.WriteString("\tif ˣrt.Never { ˣkeep() }\n")
	}
	g.aliases(&decl, tp, use)
	for _, name := range sortedKeys(g.localAlias) {
		obj := g.localAlias[name]
		params, args := typeParams(tp, obj)
		fmt.Fprintf(&decl, "type %s%s = %sĦ%s%s\n", name, params, fromAlias(use, g.home(obj)), name, args)
	}
	if tp.Err != nil {
		return "", nil, &Error{Diagnostics: []Diagnostic{{Cell: c.src.Name, Msg: tp.Err.Error()}}}
	}
	fmt.Fprintf(&decl, "func ˣzero[T any](p *T) { var z T; *p = z }\n")
	if g.converts {
		use["ˣunsafe"] = "unsafe"
		fmt.Fprintf(&decl, "func ˣconvert[To, From any](v From) To { return *(*To)(ˣunsafe.Pointer(&v)) }\n")
	}
	fmt.Fprintf(&decl, "func ˣmark(n int) { ˣrt.Reached = n }\n")
	fmt.Fprintf(&decl, "var %s uint32\nfunc init() { ˣrt.Watch(%q, &%s) }\n", stopFlag, pkgPath(c.seq), stopFlag)
	run.WriteString(g.oldValues(use))
	if hasRun {
		run.WriteString("\t" + runName + "()\n")
	}
	if c.hasMain {
		run.WriteString("\tĦmain()\n")
	}
	return "\n" + decl.String() + "\n// Run runs the cell.\nfunc Run() {\n\tˣrt.Reached = 0\n" + run.String() + "}\n", use, nil
}

func fromAlias(use map[string]string, home int) string {
	alias := "ˣ" + strconv.Itoa(home)
	use[alias] = pkgPath(home)
	return alias + "."
}

// own notes that obj's package has the accessors of the fields of st, and
// reports false when another type of the same struct has them already, or the
// struct is at home elsewhere.
func (g *generator) own(obj *types.TypeName, st *types.Struct) bool {
	for i := range st.NumFields() {
		if _, ok := g.shapeOf(nil, st.Field(i)); ok {
			return false
		}
		if g.owners[st.Field(i).Origin()] != nil || g.c.nb.owners[st.Field(i).Origin()] != nil {
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
		if v.Exported() || v.Name() == "_" || v.Pkg().Path() != spell.Path || g.home(v) != g.c.seq {
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
