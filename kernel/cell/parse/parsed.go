package parse

import (
	"go/ast"
	"go/scanner"
	"go/token"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// Parsed is a cell as syntax alone has it, for what must know a cell that is not
// checked: one that has not run, or is compiled for a browser.
type Parsed struct {
	Imports []*ast.ImportSpec
	Decls   []ast.Decl // but for imports
	// Stmts holds declarations of variables too, since they run where they stand.
	Stmts []ast.Stmt
	// Free holds the names that the cell uses and does not declare at its own place,
	// with what is selected from each: names of other cells, packages, and Go's own.
	// Declarations and statements are apart: one that the other declares is free.
	Free map[string][]string
	Err  error // a [*syntax.Error], where not all of the cell can be parsed

	cell  *Cell
	stmts *syntax.File // of Stmts
}

// Parse parses a cell, as far as it can be parsed.
//
// Of a text that does not parse in full it has what could be parsed, and the error. Hints in
// that know no packages.
func Parse(src Source) *Parsed {
	c := New(token.NewFileSet(), src, nil)
	p := &Parsed{cell: c, Free: map[string][]string{}}
	// Each part is parsed by itself, so that an error in one leaves the others. The file of the
	// last, the statements, is kept for Thirds.
	part := func(parse func() (*syntax.File, error)) *ast.File {
		f, err := parse()
		if err != nil && p.Err == nil {
			p.Err = err
		}
		p.stmts = f
		if f.AST == nil {
			return &ast.File{}
		}
		for name, selected := range scope.Free(f.AST) {
			p.Free[name] = append(p.Free[name], selected...)
		}
		return f.AST
	}
	p.Decls = part(c.Decls).Decls
	p.Imports = part(c.Imports).Imports
	if decls := part(c.Body).Decls; len(decls) > 0 {
		if fn, ok := decls[0].(*ast.FuncDecl); ok && fn.Body != nil {
			p.Stmts = fn.Body.List
		}
	}
	return p
}

// Declares lists what the cell declares at its top level, but for imports.
//
// Those of the declarations come first, whatever their order in the cell.
func (p *Parsed) Declares() (list []scope.Declared) {
	for _, d := range p.Decls {
		list = append(list, scope.Declares(d)...)
	}
	for _, s := range p.Stmts {
		list = append(list, scope.Declares(s)...)
	}
	return list
}

// Halves returns the cell twice: with all blank but its declarations, imports among
// them, and with all blank but its statements. Every byte keeps its place, also of a
// cell that does not parse.
//
// It is for completion, while the cell is being typed.
func (p *Parsed) Halves() (decls, stmts string) {
	isStmt := func(ch syntax.Chunk) bool { return !ch.IsDecl() }
	return p.cell.part(syntax.Chunk.IsDecl, nil).Text, p.cell.part(isStmt, nil).Text
}

// Thirds returns the cell three times: with all blank but its declarations, without
// imports; but its declarations of variables; and but its other statements. Every byte
// keeps its place. The cell must have parsed without an error.
//
// It is for programs of their own, such as those that run in a browser: variables that the cell
// declares with var become the program's, where its functions see them, and statements its main
// function.
func (p *Parsed) Thirds() (decls, vars, stmts string) {
	text := p.cell.StmtText(nil).Text
	v, s := &syntax.Editor{Text: []byte(text)}, &syntax.Editor{Text: []byte(text)}
	at := 0 // the end of the last declaration of variables
	for _, st := range p.Stmts {
		if d, ok := st.(*ast.DeclStmt); !ok || d.Decl.(*ast.GenDecl).Tok != token.VAR {
			continue
		}
		start, end := p.stmts.Span(st)
		if strings.HasPrefix(text[end:], ";") {
			end++
		}
		s.Blank(start, end)
		v.Blank(at, start)
		at = end
	}
	v.Blank(at, len(text))
	vars, _ = v.Render(0, len(text))
	stmts, _ = s.Render(0, len(text))
	return p.cell.DeclText(nil).Text, vars, stmts
}

// IsComplete answers Jupyter's is_complete_request for Go text.
//
// A console asks, at the Enter key, whether to send the text or to go on with another line. The
// status is "incomplete" where a bracket, a string or a comment is open or the last line asks for
// more, "invalid" where the text cannot become Go by more lines, and else "complete". The indent
// is for the next line, a tab for each bracket that is open; only "incomplete" has one.
func IsComplete(text string) (status, indent string) {
	c := New(token.NewFileSet(), Source{Text: text}, nil)
	if c.Open {
		// The scanner reads on behind errors, such as a string that does not end.
		depth := 0
		var s scanner.Scanner
		s.Init(token.NewFileSet().AddFile("", -1, len(text)), []byte(text), func(token.Position, string) {}, 0)
		for _, t, _ := s.Scan(); t != token.EOF; _, t, _ = s.Scan() {
			switch t {
			case token.LBRACE, token.LPAREN, token.LBRACK:
				depth++
			case token.RBRACE, token.RPAREN, token.RBRACK:
				depth--
			}
		}
		for range depth {
			indent += "\t"
		}
		return "incomplete", indent
	}
	if err := c.SyntaxError(); err != nil {
		return "invalid", ""
	}
	return "complete", ""
}
