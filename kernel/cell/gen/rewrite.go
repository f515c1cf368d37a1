package gen

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// Rewriting walks the tree of a checked file and edits its text. Every name of package
// level is written as the package that holds it has it, every loop and function looks at
// the flag by which an interrupt stops the cell, and what Go would do to the whole
// process, the other files of this package let it do to the cell alone. The text keeps
// its lines: errors and traces name the cell's.

// rewrite returns the generated text of a file, and adds what it imports to use.
//
// A node is visited twice: before what is inside it (wait, recovers, pre), for what is
// written in front of it or in its place, and after it (post, waitEnd), for what is written
// behind it. What pre adds stands inside of what wait adds, and so waitEnd comes after post:
//
//	<-c.in    ˣrt.Recv(  (*ˣ3.ĦˣF_Ħˣs0ˣ_in((&Ħc)))  )
func (g *generator) rewrite(f *syntax.File, use map[string]string) string {
	r := &rewriter{g: g, f: f, ed: &syntax.Editor{Text: []byte(f.Body)}, use: use,
		meant: map[*ast.Ident]types.Object{}, skip: map[ast.Node]bool{}, asPtr: map[*ast.CompositeLit]bool{}, asParam: map[*ast.CompositeLit]bool{}, hoisted: map[*ast.CompositeLit]bool{}, recovered: map[*ast.CallExpr]string{}}
	if f.Kind == syntax.StmtFile {
		r.statements()
	}
	// The nil at the bottom is the parent of the file.
	stack := []ast.Node{nil}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		if n == nil {
			last := len(stack) - 1
			r.post(stack[last])
			r.waitEnd(stack[last], stack[last-1])
			stack = stack[:last]
			return true
		}
		// Of imports there is no text in the file, and emit writes those that are used. What
		// returns false here is not followed by a call with nil, and so is not on the stack.
		if d, ok := n.(*ast.GenDecl); ok && d.Tok == token.IMPORT {
			return false
		}
		if n == f.AST.Name {
			return false
		}
		r.wait(n, stack[len(stack)-1])
		r.recovers(n, stack[len(stack)-1])
		r.pre(n)
		stack = append(stack, n)
		return true
	})
	text, _ := r.ed.Render(0, len(f.Body))
	return text
}

// pre rewrites a node before what is inside it.
func (r *rewriter) pre(n ast.Node) {
	switch n := n.(type) {
	case *ast.Ident:
		r.ident(n)
	case *ast.SelectorExpr:
		r.exit(n)
		r.selector(n)
	case *ast.CompositeLit:
		r.composite(n)
	case *ast.CallExpr:
		r.conversion(n)
		r.print(n)
		r.named(n)
	case *ast.UnaryExpr:
		// &point{x: 1}, of a type of another program: the literal becomes a call, which has
		// no address. The function returns a pointer, and the & is taken away.
		if lit, ok := ast.Unparen(n.X).(*ast.CompositeLit); ok && n.Op == token.AND && r.foreignFields(lit) != nil {
			r.asPtr[lit] = true
			r.ed.Blank(r.off(n.OpPos), r.off(n.OpPos)+1)
		}
	case *ast.StructType:
		// The whole type is replaced, with the text of its fields' types as it is after
		// their own edits.
		if _, ok := r.foreignShape(n); ok {
			return // see post
		}
		for _, fl := range n.Fields.List {
			if len(fl.Names) == 0 {
				r.embedded(fl.Type)
			}
		}
	case *ast.DeclStmt:
		r.constGroup(n.Decl.(*ast.GenDecl))
	case *ast.FuncDecl:
		r.funcDecl(n)
	case *ast.FuncLit:
		r.check(n.Body)
	case *ast.ForStmt:
		r.check(n.Body)
	case *ast.RangeStmt:
		r.check(n.Body)
	case *ast.BranchStmt:
		// A goto that leads back is a loop.
		if n.Tok == token.GOTO {
			r.rt("Check")
			r.ed.Insert(r.off(n.Pos()), stopCheck)
		}
	}
}

// post rewrites a node after what is inside it.
func (r *rewriter) post(n ast.Node) {
	switch n := n.(type) {
	case *ast.CallExpr:
		r.namedEnd(n)
	case *ast.SelectorExpr:
		r.selectorEnd(n)
	case *ast.CompositeLit:
		r.compositeEnd(n)
	case *ast.StructType:
		r.structType(n)
	}
}

// check puts the look at the stop flag at the entry of a body. It stands on the line of the
// brace, and before all that the cell has there.
func (r *rewriter) check(body *ast.BlockStmt) {
	r.rt("Check")
	r.ed.Insert(r.off(body.Lbrace)+1, stopCheck)
}

// helpers are the functions that the check has around what a cell does and Go does not,
// with those of the runtime that they are. The others of ours are declared in support.go.
var helpers = map[string]string{"ˣresult": "Result", "ˣuse": "Err", spell.Must(1): "Must", spell.Must(2): "Must2"}

// ident writes a name as this package has it: with the package of the program that holds
// what it means, under the exported name that it has there.
//
// In program 7, where f is a function of this cell, x a variable and point a type of program
// 3, and user a type of this cell:
//
//	x            ˣ3.Ħx
//	f            Ħf
//	point        ˣ3.Ħpoint
//	user         user
//	p.area()     p.Ħarea()       a method that is not exported
//	ˣold_x       ˣ3.Ħx           what x means before this cell defines it anew
//
// The name of a type is left alone in its own program: it is what %T prints and what a field
// that embeds the type is called. Others reach it by an alias.
func (r *rewriter) ident(id *ast.Ident) {
	obj := r.object(id)
	if r.skip[id] || id.Name == "_" || obj == nil {
		return
	}
	// A package is imported under the name that the text has for it.
	if pn, ok := obj.(*types.PkgName); ok {
		if path := pn.Imported().Path(); path != "C" { // which its own file imports
			r.use[id.Name] = path
		}
		return
	}
	if obj.Pkg() == nil { // Go's own
		return
	}
	// What a package holds has a selector, of which [rewriter.selector] skips the name. A name
	// at package level that comes to here is from a dot import; others are fields and methods.
	if obj.Pkg().Path() != spell.Path {
		if obj.Parent() == obj.Pkg().Scope() {
			r.dotImported(id, obj.Pkg().Path())
		}
		return
	}
	start, end := r.off(id.Pos()), r.off(id.End())
	if name := helpers[id.Name]; name != "" {
		r.ed.Replace(start, end, r.rt(name))
		return
	}
	// A method is written alike where it is declared and where it is called, also in
	// interfaces.
	if fn, ok := obj.(*types.Func); ok && fn.Signature().Recv() != nil {
		r.ed.Replace(start, end, methodName(fn))
		return
	}
	// Names of ours are declared in this package as they are, and the parameters, fields and
	// variables of functions stay as well.
	if spell.Ours(id.Name) && !spell.IsMarked(id.Name) || !r.g.in.PackageLevel(obj) {
		return
	}
	home := r.g.home(obj)
	t, isType := obj.(*types.TypeName)
	switch {
	case !isType:
		r.ed.Replace(start, end, r.spell(id.Name, obj))
	case home != r.g.in.Seq: // a type of this program keeps its name
		name := spell.Declared(t).Name()
		if !token.IsExported(name) {
			name = "Ħ" + name
		}
		r.ed.Replace(start, end, r.from(home)+name)
	}
}

// object is what a name means, or nil.
func (r *rewriter) object(id *ast.Ident) types.Object {
	if obj := r.meant[id]; obj != nil {
		return obj
	}
	if obj := r.g.in.Info.Uses[id]; obj != nil {
		return obj
	}
	return r.g.in.Info.Defs[id]
}

// dotImported writes a name of a package that the cell imports with a dot. The generated
// package imports it under a name: with a dot, it could clash with names of ours.
func (r *rewriter) dotImported(id *ast.Ident, path string) {
	alias := "ˣd" + strconv.Itoa(len(r.use))
	for name, p := range r.use {
		if p == path {
			alias = name
		}
	}
	r.use[alias] = path
	r.ed.Insert(r.off(id.Pos()), alias+".")
}

// funcDecl renames a function and puts the hook and the interrupt check at its
// entry. In a program's package,
//
//	func area(r float64) float64 { return r * r }
//	func Ħarea(r float64) float64 {if ˣstop != 0 { ˣrt.Check() };if ˣh := ĦˣH_area; ˣh != nil { return ˣh(r) }; return r * r }
//
// A later cell that gives area another body sets ĦˣH_area, and programs that call Ħarea
// run that one.
//
// The hook is a variable of the function's type in support.go. A function that has none is
// written the same but for that: see hookOf. The name depends on what the function is:
//
//	f                 Ħf
//	init, init_x      ˣinit_N, which the statements call in its place
//	f, a new body     Ħˣb_f, which Run puts into the hook of f
//	T.m, a new body   Ħˣm_Tˣ_m, which the check has already made of it
func (r *rewriter) funcDecl(d *ast.FuncDecl) {
	if r.f.Kind == syntax.StmtFile {
		return
	}
	name := d.Name.Name
	start, end := r.off(d.Name.Pos()), r.off(d.Name.End())
	if d.Recv == nil { // a method is renamed by ident, as at its uses
		r.skip[d.Name] = true
		switch {
		case name == "_" || spell.IsMethodFunc(name):
		case r.f.Kind == syntax.DeclFile && scope.IsInit(name):
			r.ed.Replace(start, end, spell.Init(r.start(d)))
		case r.g.hooked[name] != nil:
			r.ed.Replace(start, end, spell.NewBody(name))
		default:
			r.ed.Insert(start, "Ħ")
		}
	}
	if d.Body == nil {
		return
	}
	entry := stopCheck
	r.rt("Check")
	// The hook takes what the function was called with, so that each parameter needs a name.
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
		// The call has a line of no cell, so that it is in no trace: the body that it
		// skips is no longer the function's.
		at := r.off(d.Body.Lbrace) + 1
		back := r.f.At(r.f.Back(at), syntax.Diagnostic{}).Line
		entry += fmt.Sprintf("if ˣh := %s; ˣh != nil { /*line hook:1*/%s/*line %s:%d*/ };", hook, call, r.f.Name, back)
	}
	r.ed.Insert(r.off(d.Body.Lbrace)+1, entry)
}

// nameField returns the names of a parameter, giving it one where it has none.
//
// A parameter _ cannot be passed on, and is called ˣa0_0; one without a name is called ˣa0.
// The number is that of the parameter list's entry, so that names in a list are all different.
func (r *rewriter) nameField(f *ast.Field, name string) []string {
	if len(f.Names) == 0 {
		r.ed.Insert(r.off(f.Type.Pos()), name+" ")
		return []string{name}
	}
	var names []string
	for i, id := range f.Names {
		n := id.Name
		if n == "_" {
			n = name + "_" + strconv.Itoa(i)
			r.skip[id] = true
			r.ed.Replace(r.off(id.Pos()), r.off(id.End()), n)
		}
		names = append(names, n)
	}
	return names
}
