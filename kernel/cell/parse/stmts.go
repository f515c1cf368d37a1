package parse

import (
	"go/ast"
	"go/scanner"
	"go/token"
	"slices"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// FindStmts lists the statements at the top level, with what each defines and sets,
// in the order in which they run, and notes which one is the cell's last line. Decls
// and body are what [Cell.Decls] and [Cell.Body] returned.
func (c *Cell) FindStmts(decls, body *syntax.File) error {
	for _, st := range body.AST.Decls[0].(*ast.FuncDecl).Body.List {
		if _, ok := st.(*ast.EmptyStmt); ok {
			continue
		}
		if d, ok := st.(*ast.DeclStmt); ok {
			if err := c.splitVar(body, d); err != nil {
				return err
			}
			continue
		}
		start, end := body.Span(st)
		t := &Stmt{Start: start, End: end, Node: st, file: body}
		if st, ok := st.(*ast.AssignStmt); ok {
			for _, l := range st.Lhs {
				id, ok := l.(*ast.Ident)
				switch {
				case !ok || id.Name == "_":
				case st.Tok == token.DEFINE:
					t.Defs = append(t.Defs, id.Name)
				case st.Tok == token.ASSIGN:
					t.Sets = append(t.Sets, id.Name)
				}
			}
		}
		c.Stmts = append(c.Stmts, t)
	}
	if n := len(c.Chunks); n > 0 && len(c.Stmts) > 0 {
		last, t := c.Chunks[n-1], c.Stmts[len(c.Stmts)-1]
		t.Last = !last.IsDecl() && t.End > last.Start && last.Tok != token.VAR
		t.Hide = last.Semi
	}
	return c.orderVars(body, decls)
}

// splitVar takes a var declaration apart: each line of a group is one of its own.
func (c *Cell) splitVar(f *syntax.File, d *ast.DeclStmt) error {
	g, ok := d.Decl.(*ast.GenDecl)
	if !ok || g.Tok != token.VAR {
		return nil
	}
	grouped := g.Lparen.IsValid()
	if grouped {
		from, to := f.Back(f.Offset(g.TokPos)), f.Back(f.Offset(g.Lparen))
		end := f.Back(f.Offset(g.Rparen))
		c.groups = append(c.groups, [2]int{from, to + 1}, [2]int{end, end + 1})
	}
	for _, sp := range g.Specs {
		vs := sp.(*ast.ValueSpec)
		t := &Stmt{IsVar: true, Spec: grouped, Values: vs.Values, Node: d, file: f}
		if t.Start, t.End = f.Span(d); grouped {
			t.Start, t.End = f.Span(vs)
			t.Node = &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: vs.Pos(), Tok: token.VAR, Specs: []ast.Spec{vs}}}
		}
		for _, id := range vs.Names {
			if id.Name != "_" {
				t.Defs = append(t.Defs, id.Name)
			}
		}
		if err := c.takeEmbed(f, t, vs.Type != nil); err != nil {
			return err
		}
		c.Stmts = append(c.Stmts, t)
	}
	return nil
}

// IsPlainExpr reports whether the statement is an expression that Go does not
// allow as a statement: anything but a call or a receive.
func (t *Stmt) IsPlainExpr() bool {
	es, ok := t.Node.(*ast.ExprStmt)
	if !ok {
		return false
	}
	switch x := ast.Unparen(es.X).(type) {
	case *ast.CallExpr:
		return false
	case *ast.UnaryExpr:
		return x.Op != token.ARROW
	}
	return true
}

// Defines reports whether a statement of the cell defines a variable.
func (c *Cell) Defines(name string) bool {
	return slices.ContainsFunc(c.Stmts, func(t *Stmt) bool { return slices.Contains(t.Defs, name) })
}

// Defined lists the variables that the statements define.
func (c *Cell) Defined() (names []string) {
	for _, t := range c.Stmts {
		names = append(names, t.Defs...)
	}
	return names
}

// Inits are the cell's init functions, which run where they stand.
func (c *Cell) Inits() []syntax.Chunk {
	var list []syntax.Chunk
	for _, ch := range c.Chunks {
		if ch.Tok == token.FUNC && scope.IsInit(funcName(c.Text[ch.Start:ch.End])) {
			list = append(list, ch)
		}
	}
	return list
}

// funcName is the name in the text of a function, empty for a method.
func funcName(text []byte) string {
	var s scanner.Scanner
	s.Init(token.NewFileSet().AddFile("", -1, len(text)), text, nil, 0)
	s.Scan() // func
	_, _, name := s.Scan()
	return name
}
