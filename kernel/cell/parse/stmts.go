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
//
// It is called once, after both parsed without an error. From then on the text of statements has
// lines of var groups as declarations, and declarations where they run.
//
// The error is one of //go:embed, or of declarations that cannot run in any order.
func (c *Cell) FindStmts(decls, body *syntax.File) error {
	for _, st := range body.AST.Decls[0].(*ast.FuncDecl).Body.List {
		// A semicolon that ends nothing.
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
				// An x in x.f = 1 or x[0] = 1 gets no new value as a whole.
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
	// The value of the last line is shown if it is an expression, whichever statement runs last.
	// A cell that ends with a declaration has no last line in this sense.
	if n := len(c.Chunks); n > 0 && len(c.Stmts) > 0 {
		last, t := c.Chunks[n-1], c.Stmts[len(c.Stmts)-1]
		t.Last = !last.IsDecl() && t.End > last.Start && last.Tok != token.VAR
		t.Hide = last.Semi
	}
	return c.orderVars(body, decls)
}

// splitVar takes a var declaration apart: each line of a group is one of its own.
//
// Other declarations are none of its business: a const or a type at the top level of a cell is a
// chunk of another part.
func (c *Cell) splitVar(f *syntax.File, d *ast.DeclStmt) error {
	g, ok := d.Decl.(*ast.GenDecl)
	if !ok || g.Tok != token.VAR {
		return nil
	}
	grouped := g.Lparen.IsValid()
	if grouped {
		// To be blank: "var (" and ")". The cell may be parsed again, with other edits, so that
		// these are places in its text.
		from, to := f.Back(f.Offset(g.TokPos)), f.Back(f.Offset(g.Lparen))
		end := f.Back(f.Offset(g.Rparen))
		c.groups = append(c.groups, [2]int{from, to + 1}, [2]int{end, end + 1})
	}
	for _, sp := range g.Specs {
		vs := sp.(*ast.ValueSpec)
		t := &Stmt{IsVar: true, Spec: grouped, Values: vs.Values, Node: d, file: f}
		if t.Start, t.End = f.Span(d); grouped {
			t.Start, t.End = f.Span(vs)
			// A declaration that was never written, of one line. Its place is that of the line.
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
//
// Go's parser takes any expression as a statement, and go/types refuses x + 1: "is not used"
// (spec, "Expression statements"). On a cell's last line it is the value to be shown.
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
//
// A name is in it once for each statement that defines it.
func (c *Cell) Defined() (names []string) {
	for _, t := range c.Stmts {
		names = append(names, t.Defs...)
	}
	return names
}

// Inits are the cell's init functions, which run where they stand.
//
// They are declarations, and yet run like statements: the check calls each at its place.
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
//
// It looks at tokens, since it is asked before anything is parsed: behind func stands the name,
// or the parenthesis of a receiver, which has no text.
func funcName(text []byte) string {
	var s scanner.Scanner
	s.Init(token.NewFileSet().AddFile("", -1, len(text)), text, nil, 0)
	s.Scan() // func
	_, _, name := s.Scan()
	return name
}
