package check

import (
	"go/ast"
	"go/token"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// What a cell declares, as units: the pieces of source that are compiled, kept and
// compiled again as one. A declaration whose text has not changed since the
// cell last ran is left alone: running a cell again changes only what was edited.

// collect finds what the cell imports, declares and runs. What it finds is syntax: only the
// names of packages have a meaning yet. Imports come first, since they tell whether a
// declaration means the same packages as when it stood there before.
func (c *checker) collect() error {
	imports, err := c.Cell.Imports()
	if err != nil {
		return err
	}
	for _, s := range imports.AST.Imports {
		if err := c.addImport(imports, s); err != nil {
			return err
		}
	}
	if err := c.resolveImports(); err != nil {
		return err
	}
	decls, err := c.Cell.Decls()
	if err != nil {
		return err
	}
	for _, d := range decls.AST.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			c.collectTypes(decls, d)
			c.collectConsts(decls, d)
		case *ast.FuncDecl:
			c.collectFunc(decls, d)
		}
	}
	stmts, err := c.Cell.Body()
	if err != nil {
		return err
	}
	// The declarations are needed beside the statements, because a var may need a function of the
	// cell, and through it a var below.
	return c.Cell.FindStmts(decls, stmts)
}

// collectTypes makes a unit of each type of a declaration: in a group, of each line.
//
//	type (
//		A int    // type A int
//		B []A    // type B []A
//	)
//
// So a change of B leaves A, and all that is made of it, as it is.
func (c *checker) collectTypes(f *syntax.File, d *ast.GenDecl) {
	if d.Tok != token.TYPE {
		return
	}
	for _, s := range d.Specs {
		s := s.(*ast.TypeSpec)
		start, end := f.Span(d)
		text := string(c.Cell.Text[start:end])
		if d.Lparen.IsValid() {
			start, end = f.Span(s)
			text = "type " + string(c.Cell.Text[start:end])
		}
		c.add(&scope.Unit{Names: []string{s.Name.Name}, Kind: scope.Type, Text: text, Generic: s.TypeParams != nil}, start, end)
	}
}

// collectConsts makes one unit of a declaration of constants, since the lines of a
// group depend on one another: by iota, and by values that are repeated. Its text has the old
// values of constants that it is made of, so that it says the same when it is compiled again.
func (c *checker) collectConsts(f *syntax.File, d *ast.GenDecl) {
	if d.Tok != token.CONST || len(d.Specs) == 0 { // const () says nothing
		return
	}
	u := &scope.Unit{Kind: scope.Const}
	for _, s := range d.Specs {
		for _, n := range s.(*ast.ValueSpec).Names {
			u.Names = append(u.Names, n.Name)
		}
	}
	start, end := f.Span(d)
	ed := &syntax.Editor{Text: c.Cell.Text, Edits: c.ownValues(f, d)}
	u.Text, _ = ed.Render(start, end)
	c.constEdits = append(c.constEdits, ed.Edits...)
	c.add(u, start, end)
}

// collectFunc makes a unit of a function or a method. Two signatures are taken for the same when
// their texts are, but for spaces: that a parameter only has another name is not seen, and
// costs that callers are compiled again.
func (c *checker) collectFunc(f *syntax.File, d *ast.FuncDecl) {
	start, end := f.Span(d)
	u := &scope.Unit{Names: []string{d.Name.Name}, Kind: scope.Func, Text: string(c.Cell.Text[start:end]), Generic: d.Type.TypeParams != nil}
	if d.Recv != nil && len(d.Recv.List) > 0 {
		u.Recv, u.Generic = scope.Receiver(d.Recv.List[0].Type)
		rs, re := f.Span(d.Recv.List[0].Type)
		u.Sig = string(c.Cell.Text[rs:re]) + " "
	}
	ts, _ := f.Span(d.Type.Params)
	_, te := f.Span(d.Type)
	u.Sig += strings.Join(strings.Fields(string(c.Cell.Text[ts:te])), " ")
	if d.Recv == nil && d.Name.Name == "main" {
		c.HasMain = true
	}
	u.Recovers = recovers(d)
	c.add(u, start, end)
}

// recovers reports whether a function calls recover itself. A deferred function that does ends
// a panic, and one that it calls does not (spec, "Handling panics"): where a hook led from its
// first body to another, recover would find nothing there. So such a function is never a
// matter of its body alone.
func recovers(d *ast.FuncDecl) (found bool) {
	if d.Body == nil {
		return false
	}
	ast.Inspect(d.Body, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			id, ok := ast.Unparen(call.Fun).(*ast.Ident)
			found = found || ok && id.Name == "recover"
		}
		_, isLit := n.(*ast.FuncLit)
		return !isLit
	})
	return found
}

// add takes a unit of the cell's text as one that the cell declares, unless it stands there
// as it did before, and what it names means the same: then the live one stays, and all
// that was made of it.
func (c *checker) add(u *scope.Unit, start, end int) {
	// The comment is part of the unit for tools that show it. It is not compared: another comment
	// makes no other declaration.
	u.Doc = string(c.Cell.Text[parse.CommentAbove(c.Cell.Text[:start]):start])
	u.Cell = c.Cell.Name
	u.Line = 1 + strings.Count(string(c.Cell.Text[:start]), "\n")
	if u.Unnamed() { // it runs again with its cell
		c.Own = append(c.Own, u)
		return
	}
	// The same text may mean something else: with another import, with other C code, or where it
	// is made of values that have changed.
	if old := c.live(u); old != nil && old.Text == u.Text && c.sameImports(old) && c.sameC(old) && !c.restsOnValues(old) {
		c.unchanged = append(c.unchanged, [2]int{start, end})
		return
	}
	c.Own = append(c.Own, u)
	if u.Recv == "" { // the name of a method is none of the package's
		for _, n := range u.Names {
			c.OwnNames[n] = true
		}
	}
}
