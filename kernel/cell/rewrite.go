package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"
)

const stopCheck = "if ˣrt.Stop != 0 { ˣrt.Check() };"

// A rewriter turns one checked file into Go that stands in the cell's package.
type rewriter struct {
	g     *generator
	f     *file
	ed    *editor
	use   map[string]string // imports: name → path
	skip  map[ast.Node]bool // identifiers that another edit covers
	asPtr map[*ast.CompositeLit]bool
}

func (g *generator) rewrite(f *file) (text string, imports map[string]string) {
	r := &rewriter{g: g, f: f, ed: &editor{text: []byte(f.body)}, use: map[string]string{},
		skip: map[ast.Node]bool{}, asPtr: map[*ast.CompositeLit]bool{}}
	if f.kind == stmtFile {
		r.statements()
	}
	var stack []ast.Node
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if n == nil {
			r.post(stack[len(stack)-1])
			stack = stack[:len(stack)-1]
			return true
		}
		if d, ok := n.(*ast.GenDecl); ok && d.Tok == token.IMPORT {
			return false
		}
		if n == f.ast.Name {
			return false
		}
		r.pre(n)
		stack = append(stack, n)
		return true
	})
	text, _ = r.ed.render(0, len(f.body))
	return text, r.use
}

func (r *rewriter) off(p token.Pos) int { return r.f.offset(p) }

// rt names a function or variable of the cells' runtime.
func (r *rewriter) rt(name string) string {
	r.use["ˣrt"] = runtimePath
	return "ˣrt." + name
}

// from returns the prefix under which the package of a program is named.
func (r *rewriter) from(home int) string {
	if home == r.g.c.seq {
		return ""
	}
	alias := "ˣ" + strconv.Itoa(home)
	r.use[alias] = pkgPath(home)
	return alias + "."
}

func (r *rewriter) pre(n ast.Node) {
	switch n := n.(type) {
	case *ast.Ident:
		r.ident(n)
	case *ast.SelectorExpr:
		r.selector(n)
	case *ast.CompositeLit:
		r.composite(n)
	case *ast.UnaryExpr:
		if lit, ok := ast.Unparen(n.X).(*ast.CompositeLit); ok && n.Op == token.AND && r.foreignFields(lit) != nil {
			r.asPtr[lit] = true
			r.ed.blank(r.off(n.OpPos), r.off(n.OpPos)+1)
		}
	case *ast.StructType:
		if r.sameStruct(n) {
			return
		}
		for _, fl := range n.Fields.List {
			if len(fl.Names) == 0 {
				r.embedded(fl.Type)
			}
		}
	case *ast.FuncDecl:
		r.funcDecl(n)
	case *ast.FuncLit:
		r.check(n.Body)
	case *ast.ForStmt:
		r.check(n.Body)
	case *ast.RangeStmt:
		r.check(n.Body)
	case *ast.BranchStmt:
		if n.Tok == token.GOTO {
			r.rt("Check")
			r.ed.insert(r.off(n.Pos()), stopCheck)
		}
	}
}

func (r *rewriter) post(n ast.Node) {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		r.selectorEnd(n)
	case *ast.CompositeLit:
		r.compositeEnd(n)
	case *ast.KeyValueExpr:
	}
}

func (r *rewriter) check(body *ast.BlockStmt) {
	r.rt("Check")
	r.ed.insert(r.off(body.Lbrace)+1, stopCheck)
}

// ident renames a name of the notebook.
func (r *rewriter) ident(id *ast.Ident) {
	if r.skip[id] || id.Name == "_" {
		return
	}
	obj := r.g.p.info.Uses[id]
	if obj == nil {
		obj = r.g.p.info.Defs[id]
	}
	if obj == nil {
		return
	}
	if pn, ok := obj.(*types.PkgName); ok {
		r.use[id.Name] = pn.Imported().Path()
		return
	}
	if obj.Pkg() == nil {
		return
	}
	if obj.Pkg().Path() != notebookPath {
		if obj.Parent() == obj.Pkg().Scope() { // by a dot import
			alias := "ˣd" + strconv.Itoa(len(r.use))
			for name, path := range r.use {
				if path == obj.Pkg().Path() {
					alias = name
				}
			}
			r.use[alias] = obj.Pkg().Path()
			r.ed.insert(r.off(id.Pos()), alias+".")
		}
		return
	}
	start, end := r.off(id.Pos()), r.off(id.End())
	switch id.Name {
	case "ˣresult":
		r.ed.replace(start, end, r.rt("Result"))
		return
	case "ˣuse":
		r.ed.replace(start, end, r.rt("Err"))
		return
	}
	if fn, ok := obj.(*types.Func); ok && fn.Signature().Recv() != nil {
		if !fn.Exported() {
			r.ed.insert(start, "Ħ")
		}
		return
	}
	if ours(id.Name) && !strings.HasPrefix(id.Name, "ˣold_") {
		return
	}
	if !r.g.packageLevel(obj) {
		return
	}
	home := r.g.home(obj)
	if _, ok := obj.(*types.TypeName); ok {
		if home == r.g.c.seq {
			return
		}
		name := id.Name
		if !obj.Exported() {
			name = "Ħ" + name
		}
		r.ed.replace(start, end, r.from(home)+name)
		return
	}
	r.ed.replace(start, end, r.from(home)+"Ħ"+strings.TrimPrefix(id.Name, "ˣold_"))
}

// sameStruct writes the alias of a struct type without a name, where another
// program has given one to the same type: with unexported fields, a type that is
// spelled here would be another.
func (r *rewriter) sameStruct(n *ast.StructType) bool {
	st, ok := r.g.p.info.Types[n].Type.(*types.Struct)
	if !ok {
		return false
	}
	for _, a := range r.g.c.nb.structs {
		if types.Identical(a.typ, st) {
			start, end := r.f.offsets(n)
			lines := strings.Count(r.f.body[start:end], "\n")
			r.ed.replace(start, end, r.from(a.home)+a.name+strings.Repeat("\n", lines))
			return true
		}
	}
	return false
}

// embedded keeps the name of an embedded unexported type of another program,
// by a local alias, since the type's name is the field's.
func (r *rewriter) embedded(x ast.Expr) {
	if s, ok := x.(*ast.StarExpr); ok {
		x = s.X
	}
	id, ok := x.(*ast.Ident)
	if !ok {
		return
	}
	obj, ok := r.g.p.info.Uses[id].(*types.TypeName)
	if !ok || obj.Exported() || !r.g.packageLevel(obj) || r.g.home(obj) == r.g.c.seq {
		return
	}
	r.skip[id] = true
	r.g.localAlias[id.Name] = r.g.home(obj)
}

// foreignField reports whether a field is unexported and declared by the
// package of another program.
func (r *rewriter) foreignField(t types.Type, v *types.Var) bool {
	return !v.Exported() && v.Pkg() != nil && v.Pkg().Path() == notebookPath && r.g.fieldHome(t, v) != r.g.c.seq
}

// accessor names the function that gives the address of a field of t.
func (r *rewriter) accessor(prefix string, t types.Type, v *types.Var) string {
	return r.from(r.g.fieldHome(t, v)) + prefix + r.g.structName(t, v) + "_" + v.Name()
}

// as opens the argument of an accessor. Where t only shares the struct of the
// type that declares the field, as in "type B A", it converts.
func (r *rewriter) as(open string, t types.Type, v *types.Var) string {
	o, ok := r.g.c.nb.owners[v.Origin()]
	n, named := types.Unalias(t).(*types.Named)
	if !ok || !named || n.Obj() == o {
		return "(("
	}
	name := o.Name()
	if !o.Exported() {
		name = "Ħ" + name
	}
	return "(" + open + r.from(r.g.home(o)) + name + ")("
}

func deref(t types.Type) (types.Type, bool) {
	if p, ok := types.Unalias(t).Underlying().(*types.Pointer); ok {
		return p.Elem(), true
	}
	return t, false
}

// access returns what to write before and after x to select the field that the
// indices lead to; ok is false when Go's own selector does.
func (r *rewriter) access(x ast.Expr, sel *types.Selection) (before, after string, ok bool) {
	t, ptr := deref(sel.Recv())
	tv := r.g.p.info.Types[x]
	addr := ptr || tv.Addressable()
	for _, i := range sel.Index() {
		st, isStruct := types.Unalias(t).Underlying().(*types.Struct)
		if !isStruct {
			return "", "", false
		}
		v := st.Field(i)
		switch {
		case !r.foreignField(t, v):
			after += "." + v.Name()
		case ptr:
			before, after = "(*"+r.accessor("ĦˣF_", t, v)+r.as("(*", t, v)+before, after+")))"
			ok, addr = true, true
		case addr:
			before, after = "(*"+r.accessor("ĦˣF_", t, v)+r.as("(*", t, v)+"&"+before, after+")))"
			ok = true
		default:
			before, after = r.accessor("ĦˣV_", t, v)+r.as("(", t, v)+before, after+"))"
			ok = true
		}
		t, ptr = deref(v.Type())
		addr = addr || ptr
	}
	return before, after, ok
}

func (r *rewriter) selector(n *ast.SelectorExpr) {
	sel := r.g.p.info.Selections[n]
	if sel == nil {
		r.skip[n.Sel] = true // pkg.Name
		return
	}
	if sel.Kind() != types.FieldVal {
		return
	}
	before, _, ok := r.access(n.X, sel)
	if !ok {
		return
	}
	r.skip[n.Sel] = true
	r.ed.insert(r.off(n.X.Pos()), before)
}

func (r *rewriter) selectorEnd(n *ast.SelectorExpr) {
	if !r.skip[n.Sel] {
		return
	}
	sel := r.g.p.info.Selections[n]
	if sel == nil {
		return
	}
	_, after, _ := r.access(n.X, sel)
	gap := r.f.body[r.off(n.X.End()):r.off(n.Sel.End())]
	r.ed.replace(r.off(n.X.End()), r.off(n.Sel.End()), after+strings.Repeat("\n", strings.Count(gap, "\n")))
}

// foreignFields returns the struct type of a literal that sets unexported
// fields of another program's type, or nil.
func (r *rewriter) foreignFields(lit *ast.CompositeLit) *types.Struct {
	tv, ok := r.g.p.info.Types[lit]
	if !ok || len(lit.Elts) == 0 {
		return nil
	}
	t, _ := deref(tv.Type)
	st, ok := types.Unalias(t).Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	for i, e := range lit.Elts {
		if v := r.field(st, i, e); v != nil && r.foreignField(t, v) {
			return st
		}
	}
	return nil
}

// field returns the field that element i of a literal sets.
func (r *rewriter) field(st *types.Struct, i int, e ast.Expr) *types.Var {
	if kv, ok := e.(*ast.KeyValueExpr); ok {
		id, ok := kv.Key.(*ast.Ident)
		if !ok {
			return nil
		}
		for j := range st.NumFields() {
			if st.Field(j).Name() == id.Name {
				return st.Field(j)
			}
		}
		return nil
	}
	if i < st.NumFields() {
		return st.Field(i)
	}
	return nil
}

// composite turns a literal that sets another program's unexported fields into
// a function literal that sets them one by one.
func (r *rewriter) composite(lit *ast.CompositeLit) {
	st := r.foreignFields(lit)
	if st == nil {
		return
	}
	t, ptr := deref(r.g.p.info.Types[lit].Type)
	if ptr {
		r.asPtr[lit] = true
	}
	typ := r.g.printer(r.use).String(t)
	open := "func() " + typ + " { var ˣv " + typ + "; "
	if r.asPtr[lit] {
		open = "func() *" + typ + " { var ˣv " + typ + "; "
	}
	r.ed.replace(r.off(lit.Pos()), r.off(lit.Lbrace)+1, open)
	for i, e := range lit.Elts {
		v := r.field(st, i, e)
		set := "ˣv." + v.Name() + " = "
		if r.foreignField(t, v) {
			set = "*" + r.accessor("ĦˣF_", t, v) + r.as("(*", t, v) + "&ˣv)) = "
		}
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			r.skip[kv.Key] = true
			gap := r.f.body[r.off(kv.Pos()):r.off(kv.Value.Pos())]
			r.ed.replace(r.off(kv.Pos()), r.off(kv.Value.Pos()), set+strings.Repeat("\n", strings.Count(gap, "\n")))
		} else {
			r.ed.insert(r.off(e.Pos()), set)
		}
	}
}

func (r *rewriter) compositeEnd(lit *ast.CompositeLit) {
	if r.foreignFields(lit) == nil {
		return
	}
	for i, e := range lit.Elts {
		limit := r.off(lit.Rbrace)
		if i+1 < len(lit.Elts) {
			limit = r.off(lit.Elts[i+1].Pos())
		}
		at := r.off(e.End())
		if comma := r.comma(at, limit); comma >= 0 {
			r.ed.replace(comma, comma+1, ";")
		} else {
			r.ed.insert(at, ";")
		}
	}
	end := " return ˣv }()"
	if r.asPtr[lit] {
		end = " return &ˣv }()"
	}
	r.ed.replace(r.off(lit.Rbrace), r.off(lit.Rbrace)+1, end)
}

// comma finds the comma in body[from:to], outside comments.
func (r *rewriter) comma(from, to int) int {
	for i := from; i < to; i++ {
		switch rest := r.f.body[i:to]; {
		case rest[0] == ',':
			return i
		case strings.HasPrefix(rest, "//"):
			if j := strings.IndexByte(rest, '\n'); j >= 0 {
				i += j
			}
		case strings.HasPrefix(rest, "/*"):
			if j := strings.Index(rest, "*/"); j >= 0 {
				i += j + 1
			}
		}
	}
	return -1
}

// funcDecl renames a function and puts the hook and the interrupt check at its
// entry.
func (r *rewriter) funcDecl(d *ast.FuncDecl) {
	if r.f.kind == stmtFile {
		return
	}
	name := d.Name.Name
	start, end := r.off(d.Name.Pos()), r.off(d.Name.End())
	if d.Recv == nil {
		r.skip[d.Name] = true
		switch {
		case name == "_" || strings.HasPrefix(name, "Ħˣm_"):
		case r.f.kind == declFile && (name == "init" || strings.HasPrefix(name, "init_")):
			r.ed.replace(start, end, r.g.c.initName(r.start(d)))
		case r.g.hooked[name] != nil:
			r.ed.replace(start, end, "Ħˣb_"+name)
		default:
			r.ed.insert(start, "Ħ")
		}
	}
	if d.Body == nil {
		return
	}
	entry := stopCheck
	r.rt("Check")
	if hook := r.g.hookOf(d); hook != "" {
		var args []string
		if d.Recv != nil {
			args = append(args, r.nameField(d.Recv.List[0], "ˣr")...)
		}
		for i, p := range d.Type.Params.List {
			names := r.nameField(p, "ˣa"+strconv.Itoa(i))
			if _, ok := p.Type.(*ast.Ellipsis); ok {
				names[len(names)-1] += "..."
			}
			args = append(args, names...)
		}
		call := "ˣh(" + strings.Join(args, ", ") + ")"
		if d.Type.Results != nil && len(d.Type.Results.List) > 0 {
			call = "return " + call
		} else {
			call += "; return"
		}
		entry = fmt.Sprintf("if ˣh := %s; ˣh != nil { %s };", hook, call) + entry
	}
	r.ed.insert(r.off(d.Body.Lbrace)+1, entry)
}

// nameField returns the names of a parameter, giving it one where it has none.
func (r *rewriter) nameField(f *ast.Field, name string) []string {
	if len(f.Names) == 0 {
		r.ed.insert(r.off(f.Type.Pos()), name+" ")
		return []string{name}
	}
	var names []string
	for i, id := range f.Names {
		n := id.Name
		if n == "_" {
			n = name + "_" + strconv.Itoa(i)
			r.skip[id] = true
			r.ed.replace(r.off(id.Pos()), r.off(id.End()), n)
		}
		names = append(names, n)
	}
	return names
}

// statements takes the errors that top-level calls drop, and the value of the
// last line.
func (r *rewriter) statements() {
	body := r.f.ast.Decls[len(r.f.ast.Decls)-1].(*ast.FuncDecl).Body
	last := -1
	if n := len(r.g.c.top); n > 0 && r.g.c.top[n-1].last {
		last = r.g.c.top[n-1].start
		if r.g.c.top[n-1].hide {
			last = -1
		}
	}
	for _, st := range body.List {
		es, ok := st.(*ast.ExprStmt)
		if !ok {
			continue
		}
		call, ok := ast.Unparen(es.X).(*ast.CallExpr)
		start, _ := r.f.span(st)
		if !ok {
			if u, isUnary := ast.Unparen(es.X).(*ast.UnaryExpr); isUnary && u.Op == token.ARROW && start == last {
				r.wrap(es, r.rt("Result"))
			}
			continue
		}
		if id, ok := call.Fun.(*ast.Ident); ok && ours(id.Name) {
			continue
		}
		if r.prints(call) {
			continue
		}
		n, fails := results(r.g.p.info.Types[call])
		switch {
		case n == 0:
		case n == 1 && fails:
			r.wrap(es, r.rt("Err"))
		case fails && start == last:
			r.wrap(es, r.rt("ResultErr"))
		case fails:
			r.wrap(es, r.rt("Drop"))
		case start == last:
			r.wrap(es, r.rt("Result"))
		}
	}
}

func (r *rewriter) wrap(st ast.Stmt, fn string) {
	s, e := r.f.offsets(st)
	r.ed.insert(s, fn+"(")
	r.ed.edits = append(r.ed.edits, edit{e, e, ")"})
}

// results counts a call's results, and reports whether the last is an error.
func results(tv types.TypeAndValue) (n int, fails bool) {
	if tv.IsVoid() || tv.Type == nil {
		return 0, false
	}
	if t, ok := tv.Type.(*types.Tuple); ok {
		return t.Len(), t.Len() > 0 && isError(t.At(t.Len()-1).Type())
	}
	return 1, isError(tv.Type)
}

// prints reports whether a call is one of fmt's printing functions, whose
// results nobody looks at.
func (r *rewriter) prints(call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	fn, ok := r.g.p.info.Uses[sel.Sel].(*types.Func)
	return ok && fn.Pkg() != nil && fn.Pkg().Path() == "fmt" && fn.Signature().Recv() == nil &&
		(strings.HasPrefix(fn.Name(), "Print") || strings.HasPrefix(fn.Name(), "Fprint"))
}

// start is where a node begins in the cell.
func (r *rewriter) start(n ast.Node) int {
	s, _ := r.f.span(n)
	return s
}
