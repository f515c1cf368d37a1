package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"runtime"
	"slices"
	"sort"
	"strconv"
	"strings"
)

const runtimePath = "github.com/holt-dl/holt/kernel/host/rt"

// File is one generated Go file.
type File struct {
	Name string
	Text string
}

// Program is a checked cell as a Go package that exports a function Run.
type Program struct {
	Seq     int    // its number; programs are never numbered alike
	Path    string // its import path
	Files   []File
	Deps    []int    // the programs whose packages it needs, directly or not
	Imports []string // the other packages that it imports
	Notices []string // sentences for the person who ran the cell
	Empty   bool     // nothing to compile or run

	commit func(reached int)
}

// Commit makes what the program declares live. Reached is how many of the
// cell's top-level statements were done: a variable that was not reached keeps
// its old meaning. A negative number says all.
func (p *Program) Commit(reached int) { p.commit(reached) }

// generator makes a program of a package that passed its check.
type generator struct {
	c          *check
	p          *passed
	hooked     map[string]*entity // functions that get a new body only
	localAlias map[string]int     // embedded types of other programs
	structs    []anonymous        // of this program
	files      map[*token.File]bool
	owners     map[*types.Var]*types.TypeName // whose accessors reach a field
}

func (c *check) initName(offset int) string { return "ˣinit_" + strconv.Itoa(offset) }

func (c *check) generate(p *passed) (*Program, error) {
	g := &generator{c: c, p: p, hooked: map[string]*entity{}, localAlias: map[string]int{}, files: map[*token.File]bool{}, owners: map[*types.Var]*types.TypeName{}}
	for u := range c.rebody {
		if u.recv == "" {
			g.hooked[u.names[0]] = c.nb.names[u.names[0]]
		}
	}
	for _, f := range p.files {
		g.files[f.tok] = true
	}
	prog := &Program{Seq: c.seq, Path: pkgPath(c.seq), Notices: c.notices}
	deps := map[int]bool{}
	external := map[string]bool{}
	for _, path := range c.blank {
		external[path] = true
	}
	emit := func(name, text string, use map[string]string, extra ...string) {
		var b strings.Builder
		fmt.Fprintf(&b, "package c%d\n\n", c.seq)
		for _, alias := range sortedKeys(use) {
			path := use[alias]
			if !strings.Contains(text, alias+".") {
				continue // of a type that was looked at and not written
			}
			fmt.Fprintf(&b, "import %s %q\n", alias, path)
			if home, ok := strings.CutPrefix(path, "notebook/c"); ok {
				n, _ := strconv.Atoi(home)
				deps[n] = true
			} else {
				external[path] = true
			}
		}
		for _, path := range extra {
			fmt.Fprintf(&b, "import _ %q\n", path)
		}
		b.WriteString(text)
		prog.Files = append(prog.Files, File{name, b.String()})
	}
	hasRun := false
	for i, f := range p.files {
		if f.kind == varFile || f.kind != stmtFile && len(f.ast.Decls) == imports(f.ast) {
			continue
		}
		text, use := g.rewrite(f)
		name := fmt.Sprintf("f%d.go", i)
		if f.kind == stmtFile {
			if len(f.ast.Decls[len(f.ast.Decls)-1].(*ast.FuncDecl).Body.List) == 0 {
				continue
			}
			hasRun = true
			emit(name, fmt.Sprintf("\nfunc %s() {\n//line %s:%d\n%s\n}\n", runName, f.name, f.line, text), use)
			continue
		}
		emit(name, fmt.Sprintf("\n//line %s:%d\n%s\n", f.name, f.line, text), use)
	}
	text, use, err := g.support(hasRun)
	if err != nil {
		return nil, err
	}
	emit("support.go", text, use, c.blank...)
	prog.Notices = c.notices
	g.dependencies(prog, deps)
	prog.Imports = sortedKeys(external)
	prog.Empty = !hasRun && !c.hasMain && len(c.own) == 0 && len(c.rehome) == 0 && len(c.moved) == 0 && len(c.rebody) == 0 && len(c.blank) == 0
	prog.commit = func(reached int) { g.commit(prog, reached) }
	return prog, nil
}

func imports(f *ast.File) int {
	n := 0
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT {
			n++
		}
	}
	return n
}

// dependencies adds the programs that the direct ones need.
func (g *generator) dependencies(prog *Program, direct map[int]bool) {
	all := map[int]bool{}
	var add func(int)
	add = func(n int) {
		if all[n] || n == prog.Seq {
			return
		}
		all[n] = true
		for _, d := range g.c.nb.deps[n] {
			add(d)
		}
	}
	for n := range direct {
		add(n)
	}
	prog.Deps = slices.Sorted(maps.Keys(all))
}

// packageLevel reports whether obj is declared at package level of the notebook.
func (g *generator) packageLevel(obj types.Object) bool {
	if _, ok := g.p.old[obj]; ok {
		return true
	}
	return obj.Pkg() != nil && obj.Pkg().Path() == notebookPath && obj.Parent() == obj.Pkg().Scope()
}

// home is the program whose package holds an object.
func (g *generator) home(obj types.Object) int {
	tok := g.c.nb.fset.File(obj.Pos())
	if g.files[tok] {
		if fn, ok := obj.(*types.Func); ok && fn.Signature().Recv() == nil {
			if e := g.hooked[fn.Name()]; e != nil {
				return e.home
			}
		}
		return g.c.seq
	}
	return g.c.nb.files[tok]
}

// fieldHome is the program whose package declares the field v of the struct
// type t: for a struct without a name, the one that gave it an alias.
func (g *generator) fieldHome(t types.Type, v *types.Var) int {
	if st, ok := types.Unalias(t).(*types.Struct); ok {
		for _, a := range append(g.structs, g.c.nb.structs...) {
			if types.Identical(a.typ, st) {
				return a.home
			}
		}
		return g.c.seq
	}
	return g.home(v)
}

// printer writes types as the generated package names them.
func (g *generator) printer(use map[string]string) *typePrinter {
	from := func(home int) string {
		if home == g.c.seq {
			return ""
		}
		alias := "ˣ" + strconv.Itoa(home)
		use[alias] = pkgPath(home)
		return alias + "."
	}
	return &typePrinter{
		pkg: func(p *types.Package) string {
			for alias, path := range use {
				if path == p.Path() {
					return alias
				}
			}
			alias := "ˣi" + strconv.Itoa(len(use))
			use[alias] = p.Path()
			return alias
		},
		name: func(t *types.TypeName) string {
			home := g.home(t)
			if home != g.c.seq && !t.Exported() {
				return from(home) + "Ħ" + t.Name()
			}
			return from(home) + t.Name()
		},
		anon: func(t *types.Struct) (string, bool) {
			for _, a := range append(g.structs, g.c.nb.structs...) {
				if types.Identical(a.typ, t) {
					return from(a.home) + a.name, true
				}
			}
			return "", false
		},
	}
}

// structName names the struct type t, which has the field v, in accessors.
func (g *generator) structName(t types.Type, v *types.Var) string {
	if o, ok := g.c.nb.owners[v.Origin()]; ok {
		return o.Name()
	}
	if n, ok := types.Unalias(t).(*types.Named); ok {
		return n.Obj().Name()
	}
	for _, a := range append(g.structs, g.c.nb.structs...) {
		if types.Identical(a.typ, t) {
			return a.name
		}
	}
	return "unknown"
}

// ours reports whether a name was made by this package.
func ours(name string) bool {
	return strings.HasPrefix(name, "ˣ") || strings.HasPrefix(name, "Ħˣ")
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
	if d.Type.TypeParams != nil || g.hooked[name] != nil || name == "_" || name == "init" || strings.HasPrefix(name, "init_") ||
		name == "main" || ours(name) {
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

	// Struct types without a name get one, so that other packages can say it.
	for _, name := range sortedKeys(c.fresh) {
		g.nameStructs(p.pkg.Scope().Lookup(name).Type())
	}
	for _, a := range g.structs {
		inner := g.printer(use)
		inner.anon = func(t *types.Struct) (string, bool) {
			if types.Identical(t, a.typ) {
				return "", false
			}
			return tp.anon(t)
		}
		fmt.Fprintf(&decl, "type %s = %s\n", a.name, inner.String(a.typ))
		g.accessors(&decl, tp, a.name, "", "", a.typ)
	}

	// Variables.
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
		t := p.pkg.Scope().Lookup(name).Type()
		fmt.Fprintf(&decl, "var Ħ%s %s\n", name, tp.String(t))
		e := c.moved[name]
		if e == nil || c.fresh[name] || e.lost != "" {
			continue
		}
		if !sameLayout(e.obj.Type(), t) {
			c.notices = append(c.notices, fmt.Sprintf("%s (%s) held a value of a type that changed, and is gone: run %s again to make it", name, e.cell, e.cell))
			continue
		}
		use["ˣunsafe"] = "unsafe"
		use["ˣ"+strconv.Itoa(e.home)] = pkgPath(e.home)
		fmt.Fprintf(&run, "\tĦ%s = *(*%s)(ˣunsafe.Pointer(&ˣ%d.Ħ%s))\n\tˣzero(&ˣ%d.Ħ%s)\n", name, tp.String(t), e.home, name, e.home, name)
	}

	// What the package declares.
	scope := p.pkg.Scope()
	var named []*types.TypeName
	for _, name := range scope.Names() {
		obj := scope.Lookup(name)
		if !g.files[c.nb.fset.File(obj.Pos())] {
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
			named = append(named, obj)
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
				tp.signature(&b, m.Signature().Recv().Type(), m.Signature())
				fmt.Fprintf(&decl, "var ĦˣH_%s_%s %s\n", name, m.Name(), b.String())
			}
		case *types.Func:
			if g.hooked[name] != nil {
				fmt.Fprintf(&run, "\t%sĦˣH_%s = Ħˣb_%s\n", fromAlias(use, g.hooked[name].home), name, name)
				continue
			}
			if ours(name) {
				continue
			}
			if strings.HasPrefix(name, "init_") || name == "main" || obj.Signature().TypeParams().Len() > 0 {
				continue
			}
			fmt.Fprintf(&decl, "var ĦˣH_%s %s\n", name, tp.String(obj.Type()))
		}
	}
	for _, name := range sortedKeys(g.localAlias) {
		home := g.localAlias[name]
		fmt.Fprintf(&decl, "type %s = %sĦ%s\n", name, fromAlias(use, home), name)
	}
	for u := range c.rebody {
		if u.recv != "" {
			e := c.nb.names[u.recv]
			fmt.Fprintf(&run, "\t%sĦˣH_%s_%s = %s\n", fromAlias(use, e.home), u.recv, u.names[0], methodFunc(u.recv, u.names[0]))
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
	if tp.err != nil {
		return "", nil, &Error{Diagnostics: []Diagnostic{{Cell: c.src.Name, Msg: tp.err.Error()}}}
	}
	fmt.Fprintf(&decl, "func ˣzero[T any](p *T) { var z T; *p = z }\n")
	fmt.Fprintf(&decl, "func ˣmark(n int) { ˣrt.Reached = n }\n")
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

// nameStructs finds the struct types without a name in t that hold unexported
// fields.
func (g *generator) nameStructs(t types.Type) {
	switch t := t.(type) {
	case *types.Pointer:
		g.nameStructs(t.Elem())
	case *types.Slice:
		g.nameStructs(t.Elem())
	case *types.Array:
		g.nameStructs(t.Elem())
	case *types.Chan:
		g.nameStructs(t.Elem())
	case *types.Map:
		g.nameStructs(t.Key())
		g.nameStructs(t.Elem())
	case *types.Struct:
		hidden := false
		for i := range t.NumFields() {
			g.nameStructs(t.Field(i).Type())
			hidden = hidden || !t.Field(i).Exported()
		}
		for _, a := range append(g.structs, g.c.nb.structs...) {
			hidden = hidden && !types.Identical(a.typ, t)
		}
		if hidden {
			g.structs = append(g.structs, anonymous{t, g.c.seq, "Ħˣs" + strconv.Itoa(len(g.structs))})
		}
	}
}

// own notes that obj's package has the accessors of the fields of st, and
// reports false when another type of the same struct has them already.
func (g *generator) own(obj *types.TypeName, st *types.Struct) bool {
	for i := range st.NumFields() {
		if g.owners[st.Field(i).Origin()] != nil || g.c.nb.owners[st.Field(i).Origin()] != nil {
			return false
		}
		g.owners[st.Field(i).Origin()] = obj
	}
	return true
}

// accessors writes functions that reach the unexported fields of a struct type.
func (g *generator) accessors(b *strings.Builder, tp *typePrinter, name, params, args string, st *types.Struct) {
	for i := range st.NumFields() {
		v := st.Field(i)
		if v.Exported() || v.Name() == "_" || v.Pkg().Path() != notebookPath || g.home(v) != g.c.seq {
			continue
		}
		typ := tp.String(v.Type())
		fmt.Fprintf(b, "func ĦˣF_%s_%s%s(p *%s%s) *%s { return &p.%s }\n", name, v.Name(), params, name, args, typ, v.Name())
		fmt.Fprintf(b, "func ĦˣV_%s_%s%s(v %s%s) %s { return v.%s }\n", name, v.Name(), params, name, args, typ, v.Name())
	}
}

// typeParams writes the type parameters of a generic type, as a declaration
// and as arguments.
func typeParams(tp *typePrinter, obj *types.TypeName) (params, args string) {
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

// wellKnown are interfaces that libraries look for in any value.
var wellKnown = []struct{ pkg, name string }{
	{"fmt", "Stringer"}, {"fmt", "Formatter"}, {"fmt", "GoStringer"},
	{"sort", "Interface"}, {"io", "Reader"}, {"io", "Writer"}, {"io", "Closer"}, {"io", "ReadWriter"},
	{"encoding/json", "Marshaler"}, {"encoding/json", "Unmarshaler"},
	{"encoding", "TextMarshaler"}, {"encoding", "TextUnmarshaler"},
	{"image", "Image"}, {"net/http", "Handler"},
}

// keep writes conversions that must be part of the package which declares a
// type, so that the runtime knows one copy of each: to the interfaces that it
// implements, and to the composite types that reflect could make first.
func (g *generator) keep(tp *typePrinter, named []*types.TypeName) string {
	var b strings.Builder
	conversion := func(t types.Type, iface types.Type) {
		it, ok := iface.Underlying().(*types.Interface)
		if !ok || it.Empty() || !it.IsMethodSet() || types.IsInterface(t) {
			return
		}
		for _, t := range []types.Type{t, types.NewPointer(t)} {
			if types.Implements(t, it) {
				fmt.Fprintf(&b, "\t{ var v %s; ˣrt.Keep([]%s{v}) }\n", tp.String(t), tp.String(iface))
			}
		}
	}
	mine := map[string]bool{}
	for _, obj := range named {
		mine[obj.Name()] = true
		nt, ok := obj.Type().(*types.Named)
		if !ok || nt.TypeParams().Len() > 0 {
			continue
		}
		if it, ok := nt.Underlying().(*types.Interface); ok && !it.IsMethodSet() {
			continue // a constraint, of which there are no values
		}
		s := tp.String(nt)
		fmt.Fprintf(&b, "\tˣrt.Keep([]%[1]s(nil), (*[]%[1]s)(nil), map[string]%[1]s(nil), []*%[1]s(nil), map[string]*%[1]s(nil), (*%[1]s)(nil), (**%[1]s)(nil), (func(%[1]s))(nil), (func() %[1]s)(nil))\n", s)
		if sizes.Sizeof(nt.Underlying()) < 1<<16 { // a larger one cannot be sent
			fmt.Fprintf(&b, "\tˣrt.Keep((chan %s)(nil))\n", s)
		}
		if nt.NumMethods() == 0 && !hasEmbedded(nt) || types.IsInterface(nt) {
			continue
		}
		conversion(nt, errorType)
		for _, w := range wellKnown {
			if pkg, err := g.c.nb.pk.Import(w.pkg); err == nil {
				if o := pkg.Scope().Lookup(w.name); o != nil {
					conversion(nt, o.Type())
				}
			}
		}
		for _, path := range slices.Sorted(maps.Values(g.c.imports)) {
			pkg, err := g.c.nb.pk.Import(path)
			if err != nil || isWellKnown(path) {
				continue
			}
			for _, name := range pkg.Scope().Names() {
				if tn, ok := pkg.Scope().Lookup(name).(*types.TypeName); ok && tn.Exported() && types.IsInterface(tn.Type()) {
					if n, ok := tn.Type().(*types.Named); ok && n.TypeParams().Len() == 0 {
						conversion(nt, tn.Type())
					}
				}
			}
		}
	}
	// Interfaces of the notebook, old and new, with types old and new.
	scope := g.p.pkg.Scope()
	var ifaces, concrete []*types.Named
	for _, name := range scope.Names() {
		tn, ok := scope.Lookup(name).(*types.TypeName)
		if !ok || tn.IsAlias() {
			continue
		}
		n, ok := tn.Type().(*types.Named)
		if !ok || n.TypeParams().Len() > 0 {
			continue
		}
		if types.IsInterface(n) {
			ifaces = append(ifaces, n)
		} else {
			concrete = append(concrete, n)
		}
	}
	for _, i := range ifaces {
		for _, t := range concrete {
			if mine[i.Obj().Name()] || mine[t.Obj().Name()] {
				conversion(t, i)
			}
		}
	}
	return b.String()
}

var sizes = types.SizesFor("gc", runtime.GOARCH)

func isWellKnown(path string) bool {
	for _, w := range wellKnown {
		if w.pkg == path {
			return true
		}
	}
	return false
}

func hasEmbedded(t *types.Named) bool {
	st, ok := t.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for i := range st.NumFields() {
		if st.Field(i).Embedded() {
			return true
		}
	}
	return false
}

// commit makes what the program declares live.
func (g *generator) commit(prog *Program, reached int) {
	c, nb := g.c, g.c.nb
	nb.seq = prog.Seq
	if prog.Empty {
		maps.Copy(nb.imports, c.imports)
		maps.Copy(nb.dots, c.dots)
		return
	}
	nb.deps[prog.Seq] = prog.Deps
	for f := range g.files {
		nb.files[f] = prog.Seq
	}
	nb.structs = append(nb.structs, g.structs...)
	maps.Copy(nb.owners, g.owners)
	nb.release = nil
	maps.Copy(nb.imports, c.imports)
	maps.Copy(nb.dots, c.dots)
	for name := range c.dropped {
		if recv, m, ok := strings.Cut(name, "."); ok {
			if e := nb.names[recv]; e != nil {
				delete(e.methods, m)
			}
			continue
		}
		nb.drop(name)
	}
	scope := g.p.pkg.Scope()
	uses := g.units()
	for _, u := range c.own {
		uses(u)
		switch {
		case u.recv != "":
			continue // below, when all types are there
		case u.kind == kFunc && (u.names[0] == "init" || strings.HasPrefix(u.names[0], "init_") || u.names[0] == "_" || u.names[0] == "main"):
			continue
		case c.rebody[u] != nil:
			e := nb.names[u.names[0]]
			e.unit, e.cell = u, c.src.Name
			continue
		}
		for _, n := range u.names {
			if n == "_" {
				continue
			}
			e := &entity{name: n, kind: u.kind, obj: scope.Lookup(n), home: prog.Seq, unit: u, cell: c.src.Name}
			if u.kind == kType {
				e.methods = map[string]*unit{}
				if old := nb.names[n]; old != nil && old.kind == kType {
					e.methods = old.methods
				}
			}
			nb.define(e)
		}
	}
	for _, u := range c.own {
		if e := nb.names[u.recv]; u.recv != "" && e != nil && e.kind == kType {
			e.methods[u.names[0]] = u
		}
	}
	for name, e := range c.rehome {
		if c.ownNames[name] || c.dropped[name] != "" {
			continue
		}
		e.obj, e.home = scope.Lookup(name), prog.Seq
	}
	for name, e := range c.moved {
		if c.dropped[name] != "" || c.fresh[name] && !g.reached(name, reached) {
			continue
		}
		obj := scope.Lookup(name)
		if e.lost == "" && !c.fresh[name] && !sameLayout(e.obj.Type(), obj.Type()) {
			e.lost = "the type of its value was changed in " + c.src.Name
		}
		e.obj, e.home = obj, prog.Seq
	}
	for name := range c.vars {
		if !g.reached(name, reached) {
			continue
		}
		e := nb.names[name]
		if c.fresh[name] {
			nb.define(&entity{name: name, kind: kVar, obj: scope.Lookup(name), home: prog.Seq, cell: c.src.Name})
		} else if e != nil {
			e.lost, e.cell = "", c.src.Name
		}
	}
	for i, t := range c.top {
		for _, name := range t.sets {
			if e := nb.names[name]; e != nil && e.lost != "" && (reached < 0 || i < reached) {
				e.lost, e.cell = "", c.src.Name
			}
		}
	}
	for name := range c.imported {
		if nb.names[name] != nil && !c.ownNames[name] {
			nb.drop(name)
		}
	}
}

// define makes e what its name means. A variable that it replaces is released
// by the next program.
func (nb *Notebook) define(e *entity) {
	if old := nb.names[e.name]; old != nil && old.kind == kVar && old.home != e.home {
		nb.release = append(nb.release, old)
	}
	nb.names[e.name] = e
}

// reached reports whether the statement that first defines a variable was done.
func (g *generator) reached(name string, reached int) bool {
	if reached < 0 {
		return true
	}
	for i, t := range g.c.top {
		if slices.Contains(t.defs, name) {
			return i < reached
		}
	}
	return true
}

// units returns a function that records which names of the notebook and which
// packages a unit of this cell uses.
func (g *generator) units() func(*unit) {
	type key struct{ recv, name string }
	decls := map[key]ast.Node{}
	for _, f := range g.p.files {
		if f.kind != declFile {
			continue
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				k := key{"", d.Name.Name}
				if d.Recv != nil && len(d.Recv.List) > 0 {
					k.recv, _ = receiver(d.Recv.List[0].Type)
				} else if rest, ok := strings.CutPrefix(k.name, "Ħˣm_"); ok {
					k.recv, k.name, _ = strings.Cut(rest, "_")
				}
				decls[k] = d
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						decls[key{"", s.Name.Name}] = s
					case *ast.ValueSpec:
						for _, n := range s.Names {
							decls[key{"", n.Name}] = d
						}
					}
				}
			}
		}
	}
	return func(u *unit) {
		u.imports, u.iface, u.body = map[string]string{}, map[string]bool{}, map[string]bool{}
		n := decls[key{u.recv, u.names[0]}]
		if n == nil {
			return
		}
		var body *ast.BlockStmt
		if fn, ok := n.(*ast.FuncDecl); ok {
			body = fn.Body
		}
		ast.Inspect(n, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			obj := g.p.info.Uses[id]
			if pn, ok := obj.(*types.PkgName); ok {
				u.imports[id.Name] = pn.Imported().Path()
			}
			if obj == nil || !g.packageLevel(obj) || slices.Contains(u.names, id.Name) && u.recv == "" {
				return true
			}
			name := strings.TrimPrefix(id.Name, "ˣold_")
			if body != nil && id.Pos() >= body.Pos() {
				u.body[name] = true
			} else {
				u.iface[name] = true
			}
			return true
		})
	}
}

// Describe is the text of a program's files, for tests and bug reports.
func (p *Program) Describe() string {
	var b strings.Builder
	files := slices.Clone(p.Files)
	sort.Slice(files, func(i, j int) bool { return files[i].Name < files[j].Name })
	for _, f := range files {
		fmt.Fprintf(&b, "-- %s --\n%s", f.Name, f.Text)
	}
	return b.String()
}
