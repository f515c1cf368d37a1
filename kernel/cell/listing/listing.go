// Package listing is a checked cell as it was written, with what the check found out: for
// a tool that writes the notebook as another program, as holt export does. It reads the
// result of the check and parses nothing.
package listing

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/check"
	"github.com/holt-dl/holt/kernel/cell/gen"
	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// A Listing is a checked cell as it was written, with what the check found
// out: for a tool that writes the notebook as another program. Offsets count bytes
// of the cell's text.
//
// A tool changes the cell's text at these places, and leaves the rest as the person wrote it. What
// a name means at a place is not in it: that is looked up in the model before and after the cell,
// by what [Use] says.
type Listing struct {
	Text  string   // with its commands left blank
	Decls []Decl   // what the cell declares and did not stand there before, in order
	Stmts []Stmt   // in the order in which they run
	Vars  []string // the variables that are new with this cell, also under a name that was used
	Blank []string // what is imported for its effects alone
}

// Decl is a declaration of a type, constants or one function.
//
// The unit is that of the model, so that a tool can find the declaration again in later ones. Of a
// group of types, each line is a Decl; a group of constants is one, as it is one unit.
type Decl struct {
	*scope.Unit
	Start, End int         // a comment above it is not part of it
	Tok        token.Token // TYPE, CONST or FUNC
	Group      bool        // a line of "type ( … )", whose text lacks the type
	Name       int         // where the name of a function or a method begins; 0 of others
	Body       int         // where the body of a function begins; 0 where there is none
	Uses       []Use
}

// Stmt is a statement at the top level.
//
// What ends the cell by an error is in four places, as Go has four forms for it:
//
//	f()                      Fails, and Results
//	x := f()                 Takes
//	for … { f(); y := g() }  Dropped, both; of y, Results is 0
//	show(f())                Inner
type Stmt struct {
	Start, End int
	Node       ast.Stmt            // as the cell has it; a line of "var ( … )" is a declaration of its own
	Offset     func(token.Pos) int // of a place in Node
	Spec       bool                // a line of "var ( … )", whose text lacks the var
	Defs       []string            // the variables that it defines
	Uses       []Use
	// Of an expression: how many results it has, whether the last of them is an
	// error that ends the cell, and whether the others are shown as the cell's value.
	Results []types.Type
	Fails   bool
	Value   bool
	Unused  bool // an expression that Go does not take as a statement, and whose value is not shown
	Takes   bool // an assignment that leaves out the error of its call
	// Dropped are the calls inside of a loop or a branch whose error ends the cell.
	Dropped []Dropped
	Named   []Named           // functions that display.Interact is given
	Inner   []check.InnerCall // calls inside of it whose error ends the cell
}

// Named is a function that display.Interact is given, and the names of its parameters.
//
// Start and End are of the function, around which [gen.WithNames] is written.
type Named struct {
	Start, End int
	Params     []string
}

// Dropped is a call that stands alone and drops its last result, an error, or a
// definition that leaves it out.
type Dropped struct {
	Start, End int // of a definition, Start is where its names end
	Results    int // with the error; 0 of a definition
}

// Use is a place where a name of the notebook stands, or of an import.
//
// Fields, methods and what follows a package's name are none. A name that a function declares for
// itself is none either.
type Use struct {
	Start, End int
	Name       string
	Path       string // of a package's name: what it is imported from
	Dot        bool   // a name of a package that is dot-imported from Path
	Old        bool   // the name as it was before the cell defines it anew: x := []T{x}
	Type       bool   // the type that a variable of this name hides; Old is true then as well
}

// TypeString writes a type as Go source. Pkg returns the name by which a
// package is imported, and name that of a type of the notebook. The error says
// why a type cannot be written.
//
// A struct without a name is spelled out: all is one package in the program that is written.
func TypeString(t types.Type, pkg func(*types.Package) string, name func(*types.TypeName) string) (string, error) {
	p := &spell.Printer{Pkg: pkg, Name: name, Anon: func(*types.Struct) (string, bool) { return "", false }}
	s := p.String(t)
	return s, p.Err
}

// Of lists a cell that was checked. Of what [check.Rebuild] checked, there is nothing.
//
// That has no text of its own: what it declares are units of earlier cells. The result is not
// changed, and the listing shares nodes and types with it.
func Of(r *check.Result) *Listing {
	l := lister{r}
	list := &Listing{Text: string(l.Cell.Text), Vars: slices.Sorted(maps.Keys(l.NewVars)), Blank: l.Blank}
	for _, f := range l.Files {
		switch f.Kind {
		case syntax.DeclFile:
			for _, d := range f.AST.Decls {
				list.Decls = append(list.Decls, l.listDecl(f, d)...)
			}
		case syntax.StmtFile:
			list.Stmts = l.listStmts(f)
		}
	}
	return list
}

// A lister lists what was found out about a cell.
type lister struct{ *check.Result }

// listDecl lists what a declaration of the cell declares.
//
// It reads the files of the final pass, in which unchanged declarations are blank: a cell that runs
// again lists what was edited alone.
func (l lister) listDecl(f *syntax.File, d ast.Decl) (list []Decl) {
	switch d := d.(type) {
	case *ast.GenDecl:
		switch d.Tok {
		case token.TYPE:
			for _, s := range d.Specs {
				decl := Decl{Tok: d.Tok, Group: d.Lparen.IsValid(), Uses: l.uses(f, s), Unit: l.ownUnit(scope.Type, s.(*ast.TypeSpec).Name.Name, "")}
				if decl.Start, decl.End = f.Span(d); decl.Group {
					decl.Start, decl.End = f.Span(s)
				}
				list = append(list, decl)
			}
		case token.CONST:
			// The group is one unit, found by its first name, so that the first line is enough.
			// An empty group is none.
			for _, s := range d.Specs {
				decl := Decl{Tok: d.Tok, Uses: l.uses(f, d), Unit: l.ownUnit(scope.Const, s.(*ast.ValueSpec).Names[0].Name, "")}
				decl.Start, decl.End = f.Span(d)
				return []Decl{decl}
			}
		}
	case *ast.FuncDecl:
		// A unit of a function is found by its text: two init functions have one name. The
		// places are those of the source, also where the check has edited the body.
		decl := Decl{Tok: token.FUNC, Uses: l.uses(f, d)}
		decl.Start, decl.End = f.Span(d)
		if d.Body != nil {
			decl.Body, _ = f.Span(d.Body)
		}
		decl.Name, _ = f.Span(d.Name)
		text := string(l.Cell.Text[decl.Start:decl.End])
		decl.Unit = l.ownUnit(scope.Func, "", text)
		if decl.Recv != "" && d.Recv == nil { // a method that only gets a new body is checked as a function
			l.asMethod(&decl, text)
		}
		list = append(list, decl)
	}
	return list
}

// ownUnit returns the unit of the cell that declares a name first, or has a text.
//
// It is nil where there is none. Name is empty for a function, and text for all else.
func (l lister) ownUnit(kind scope.Kind, name, text string) *scope.Unit {
	for _, u := range l.Own {
		if u.Kind == kind && (u.Names[0] == name || u.Text == text) {
			return u
		}
	}
	return nil
}

// asMethod corrects the places of names in a method that was checked as a function:
// its head was written anew.
//
// The check has made func Ħˣm_Tˣ_m(p *T, x int) of it. Its body has the places of the cell's text,
// but what is in the head leads to the wrong ones, so that a name there is told by the text: it
// stays if that has the name at the place. The type of the receiver is a name that the head has
// lost, and is put in first.
func (l lister) asMethod(d *Decl, text string) {
	f, off, err := l.Cell.Alone(text)
	if err != nil {
		return
	}
	fn := f.Decls[0].(*ast.FuncDecl)
	d.Name = d.Start + off(fn.Name.Pos())
	d.Uses = slices.DeleteFunc(d.Uses, func(u Use) bool { return u.End > d.Start+len(text) || text[u.Start-d.Start:u.End-d.Start] != u.Name })
	ast.Inspect(fn.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == d.Recv {
			d.Uses = slices.Insert(d.Uses, 0, Use{Start: d.Start + off(id.Pos()), End: d.Start + off(id.End()), Name: d.Recv})
		}
		return true
	})
}

// listStmts lists the statements. What the check found out inside of them has places of
// its own, and goes to the statement that holds it.
//
// Statements are those of package parse, in the order in which they run. The check has made other
// nodes of them, in a file with text of ours between them; the two are brought together by where
// they begin in the cell.
func (l lister) listStmts(f *syntax.File) []Stmt {
	list := make([]Stmt, len(l.Cell.Stmts))
	at := map[int]int{} // the statement that begins at a place
	for i, t := range l.Cell.Stmts {
		_, takes := l.TakenErr[i]
		list[i] = Stmt{Start: t.Start, End: t.End, Node: t.Node, Offset: t.Offset, Spec: t.Spec, Defs: t.Defs, Takes: takes}
		at[t.Start] = i
	}
	// holder finds the statement around a place in the cell, or nil.
	holder := func(start, end int) *Stmt {
		for i := range list {
			if s := &list[i]; start >= s.Start && end <= s.End {
				return s
			}
		}
		return nil
	}
	body := f.AST.Decls[len(f.AST.Decls)-1].(*ast.FuncDecl).Body
	for _, st := range body.List {
		start, _ := f.Span(st)
		if i, ok := at[start]; ok { // else it is text of ours
			l.listStmt(f, &list[i], l.Cell.Stmts[i], st)
		}
	}
	for _, n := range l.Nested {
		// Names is where the names end: a definition has at least one before it.
		if s := holder(n.Names-1, n.End); s != nil {
			s.Dropped = append(s.Dropped, Dropped{Start: n.Names, End: n.End})
		}
	}
	for _, n := range l.Inner {
		if s := holder(n.Start, n.End); s != nil {
			s.Inner = append(s.Inner, n)
		}
	}
	// The final pass has other text for some definitions, as ˣzero(&x) for var x T. Names in that
	// have no place in the cell, and are taken from the statement as it was parsed.
	uses := slices.DeleteFunc(l.uses(f, body), func(u Use) bool { return string(l.Cell.Text[u.Start:u.End]) != u.Name })
	found := map[int]bool{}
	for _, u := range uses {
		found[u.Start] = true
	}
	for _, t := range l.Cell.Stmts {
		for _, u := range l.leftUses(t) {
			if !found[u.Start] {
				uses = append(uses, u)
			}
		}
	}
	sort.Slice(uses, func(i, j int) bool { return uses[i].Start < uses[j].Start })
	for _, u := range uses {
		if s := holder(u.Start, u.End); s != nil {
			s.Uses = append(s.Uses, u)
		}
	}
	return list
}

// listStmt finds out what becomes of a statement's results, and of the errors in it.
//
// St is the statement in the final pass: x := f() is an assignment there.
func (l lister) listStmt(f *syntax.File, s *Stmt, t *parse.Stmt, st ast.Stmt) {
	l.listNamed(f, s, st)
	switch st := st.(type) {
	case *ast.ExprStmt:
		l.listExpr(s, t, st)
	case *ast.AssignStmt: // also _ = x, which an expression that is not shown becomes
		s.Unused = t.Hide && t.Last && len(t.Defs) == 0 && (l.LastValue || t.IsPlainExpr())
	default:
		gen.DroppedErrors(l.Info, st, func(es *ast.ExprStmt, _ *ast.CallExpr, n int) {
			start, end := f.Span(es)
			s.Dropped = append(s.Dropped, Dropped{start, end, n})
		})
	}
}

// listNamed lists the functions in a statement that display.Interact is given.
func (l lister) listNamed(f *syntax.File, s *Stmt, st ast.Stmt) {
	ast.Inspect(st, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if fn, names := gen.ParamNames(l.Info, call); fn != nil {
				start, end := f.Span(fn)
				s.Named = append(s.Named, Named{start, end, names})
			}
		}
		return true
	})
}

// leftUses lists the names on the left side of a definition or an assignment, with those in
// the type of a var declaration. What was checked last may have other text there: the variables
// were declared elsewhere, or the values go through variables of ours.
//
// What a name means is asked of the package's scope, since these nodes were not checked: it is a
// package's where the notebook has nothing under it.
func (l lister) leftUses(t *parse.Stmt) (list []Use) {
	// Selected names, and names of fields, parameters and methods in a type literal, mean nothing
	// of the notebook. A node comes before those below it, so that they are known in time.
	fields := map[*ast.Ident]bool{}
	add := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			fields[n.Sel] = true
		case *ast.Field:
			for _, id := range n.Names {
				fields[id] = true
			}
		case *ast.Ident:
			u := Use{Start: t.Offset(n.Pos()), End: t.Offset(n.End()), Name: n.Name}
			isDeclared := l.Pkg.Scope().Lookup(spell.Var(n.Name)) != nil
			if !isDeclared {
				u.Path = l.Imports[n.Name]
			}
			if !fields[n] && (isDeclared || u.Path != "") {
				list = append(list, u)
			}
		}
		return true
	}
	switch st := t.Node.(type) {
	case *ast.AssignStmt:
		for _, x := range st.Lhs {
			ast.Inspect(x, add)
		}
	case *ast.DeclStmt:
		if d := st.Decl.(*ast.GenDecl); d.Tok == token.VAR && len(d.Specs) > 0 {
			vs := d.Specs[0].(*ast.ValueSpec)
			for _, id := range vs.Names {
				add(id)
			}
			if vs.Type != nil {
				ast.Inspect(vs.Type, add)
			}
		}
	}
	return list
}

// listExpr finds out what becomes of the results of an expression.
//
// It follows the rules by which statements are rewritten in package gen, but says what they do
// instead of doing it.
func (l lister) listExpr(s *Stmt, t *parse.Stmt, st *ast.ExprStmt) {
	x := ast.Unparen(st.X)
	if call, ok := x.(*ast.CallExpr); ok {
		// The check has put a value that is no statement, such as x + 1 on the last line, into
		// a call of its own.
		if id, ok := call.Fun.(*ast.Ident); ok && id.Name == "ˣresult" && len(call.Args) == 1 {
			s.Results, s.Value = []types.Type{l.Info.Types[call.Args[0]].Type}, true
			return
		}
		if gen.Prints(l.Info, call) {
			return
		}
		tv := l.Info.Types[call]
		n, fails := gen.Results(tv)
		if tuple, ok := tv.Type.(*types.Tuple); ok {
			for v := range tuple.Variables() {
				s.Results = append(s.Results, v.Type())
			}
		} else if n == 1 {
			s.Results = []types.Type{tv.Type}
		}
		s.Fails = fails
		// A lone error has nothing to show beside it.
		shown := n
		if fails {
			shown--
		}
		s.Value = t.Last && !t.Hide && shown > 0
		return
	}
	if u, ok := x.(*ast.UnaryExpr); ok && u.Op == token.ARROW {
		s.Results, s.Value = []types.Type{l.Info.Types[x].Type}, t.Last && !t.Hide
	}
}

// uses lists the names of the notebook and of imports below a node, in order.
//
// The text is that of the check, in which names have marks: ˣold_x is a use of x with Old. Names of
// ours without a mark are none, since the cell has no text for them.
func (l lister) uses(f *syntax.File, n ast.Node) []Use {
	var list []Use
	sel := map[*ast.Ident]bool{}
	ast.Inspect(n, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			sel[s.Sel] = true
		}
		id, ok := n.(*ast.Ident)
		if !ok || id.Name == "_" || sel[id] {
			return true
		}
		name := spell.Written(id.Name)
		// ˣnew_max is the variable max itself.
		old := name != strings.TrimPrefix(id.Name, spell.NewMark)
		obj := l.Info.Uses[id]
		if obj == nil {
			obj = l.Info.Defs[id]
		}
		if obj == nil || !old && spell.Ours(name) {
			return true
		}
		u := Use{Name: name, Old: old, Type: strings.HasPrefix(id.Name, spell.TypeMark)}
		u.Start, u.End = f.Span(id)
		if pn, ok := obj.(*types.PkgName); ok {
			u.Path = pn.Imported().Path()
			list = append(list, u)
			return true
		}
		// The name in the declaration of a method.
		if fn, ok := obj.(*types.Func); ok && fn.Signature().Recv() != nil {
			return true
		}
		switch {
		// An object of the notebook, also one that stands under another name; or one of a
		// package that is imported with a dot, since its name has nothing before it.
		case l.PackageLevel(obj):
			list = append(list, u)
		case obj.Pkg() != nil && obj.Pkg().Path() != spell.Path && obj.Parent() == obj.Pkg().Scope():
			u.Dot, u.Path = true, obj.Pkg().Path()
			list = append(list, u)
		}
		return true
	})
	// Edits of the check move text, such as the names behind a type of several lines, so that the
	// order of the nodes is not that of the cell.
	sort.Slice(list, func(i, j int) bool { return list[i].Start < list[j].Start })
	return list
}
