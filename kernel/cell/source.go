package cell

import (
	"context"
	"fmt"
	"go/ast"
	"go/scanner"
	"go/token"
	"go/types"
	"maps"
	"path"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
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
	Err  error // an [*Error], where not all of the cell can be parsed

	c     *check
	stmts *syntax.File
}

// Parse parses a cell, as far as it can be parsed.
func Parse(src Source) *Parsed {
	p := &Parsed{c: New(nil).newCheck(context.Background(), src), Free: map[string][]string{}}
	c := p.c
	c.chunks, c.open = syntax.Split(c.text)
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
	p.Decls = part(c.decls).Decls
	p.Imports = part(c.importDecls).Imports
	if decls := part(c.stmts).Decls; len(decls) > 0 {
		if fn, ok := decls[0].(*ast.FuncDecl); ok && fn.Body != nil {
			p.Stmts = fn.Body.List
		}
	}
	return p
}

// Declares lists what the cell declares at its top level, but for imports.
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
func (p *Parsed) Halves() (decls, stmts string) {
	isStmt := func(ch syntax.Chunk) bool { return !ch.IsDecl() }
	return p.c.part(syntax.Chunk.IsDecl, nil).text, p.c.part(isStmt, nil).text
}

// Thirds returns the cell three times: with all blank but its declarations, without
// imports; but its declarations of variables; and but its other statements. Every byte
// keeps its place. The cell must have parsed without an error.
func (p *Parsed) Thirds() (decls, vars, stmts string) {
	text := p.c.stmtText(nil).text
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
	return p.c.declText(nil).text, vars, stmts
}

// Declarations is what a model declares as one Go file of package main, with variables
// as "var x T": what a tool for Go code needs to know of the notebook. It imports the
// given packages as well.
func Declarations(m *scope.Model, paths ...string) string {
	w := newSourceWriter(m)
	for _, p := range paths {
		w.imports[path.Base(p)] = p
	}
	maps.Copy(w.imports, m.Imports())
	for _, name := range m.Names() {
		w.version(m.Lookup(name))
	}
	var head strings.Builder
	head.WriteString("package main\n\n")
	for _, name := range sortedKeys(w.imports) {
		if m.Lookup(name) == nil {
			fmt.Fprintf(&head, "import %s %q\n", name, w.imports[name])
		}
	}
	for _, path := range sortedKeys(m.Dots()) {
		fmt.Fprintf(&head, "import . %q\n", path)
	}
	return head.String() + w.b.String()
}

// Source is [Declarations] of what names mean now.
func (nb *Notebook) Source(paths ...string) string { return Declarations(nb.scope, paths...) }

// Needed is the declarations that names of a model rest on, directly or not, as Go
// text, and the packages that they name, name to path. What is declared otherwise is
// left out: names, and methods as T.m.
func Needed(m *scope.Model, names []string, declared map[string]bool) (text string, imports map[string]string) {
	w := newSourceWriter(m)
	w.omit = declared
	for _, name := range m.Reach(names, func(name string) bool { return declared[name] }) {
		w.version(m.Lookup(name))
	}
	return w.b.String(), w.imports
}

// A sourceWriter writes declarations of a model as Go.
type sourceWriter struct {
	c       *check
	types   *spell.Printer
	imports map[string]string // of what is written, name → path
	seen    map[*scope.Unit]bool
	omit    map[string]bool // methods that are left out, as T.m
	b       strings.Builder
}

func newSourceWriter(m *scope.Model) *sourceWriter {
	nb := New(nil)
	nb.scope = m
	w := &sourceWriter{c: nb.newCheck(context.Background(), Source{}), imports: map[string]string{}, seen: map[*scope.Unit]bool{}}
	w.types = &spell.Printer{Pkg: w.pkg, Name: m.TypeName, Anon: func(*types.Struct) (string, bool) { return "", false }}
	return w
}

// pkg is the name under which a package is imported.
func (w *sourceWriter) pkg(p *types.Package) string {
	for _, imports := range []map[string]string{w.imports, w.c.scope.Imports()} {
		for _, name := range sortedKeys(imports) {
			if imports[name] == p.Path() && w.c.scope.Lookup(name) == nil {
				w.imports[name] = p.Path()
				return name
			}
		}
	}
	name := "holt_" + strconv.Itoa(len(w.imports))
	w.imports[name] = p.Path()
	return name
}

// version writes what a name means. Of a group of constants, the first writes all.
func (w *sourceWriter) version(v *scope.Version) {
	if v.Unit == nil {
		w.types.Err = nil
		if typ := w.types.String(v.Obj.Type()); w.types.Err == nil {
			fmt.Fprintf(&w.b, "\nvar %s %s\n", v.Name, typ)
		}
		return
	}
	if !w.seen[v.Unit] {
		w.seen[v.Unit] = true
		w.unit(v.Unit)
	}
	for _, m := range sortedKeys(v.Methods) {
		if !w.omit[v.Name+"."+m] {
			w.unit(v.Methods[m])
		}
	}
}

// unit writes a declaration with the comment above it.
func (w *sourceWriter) unit(u *scope.Unit) {
	for name, path := range u.Imports {
		if w.c.shadows(name) {
			name = spell.OldMark + name
		}
		w.imports[name] = path
	}
	text, _ := w.c.respell(u, passFirst)
	fmt.Fprintf(&w.b, "\n%s%s\n", u.Doc, strings.ReplaceAll(text, spell.NewMark, ""))
}

// IsComplete answers Jupyter's is_complete_request for Go text.
func IsComplete(text string) (status, indent string) {
	chunks, open := syntax.Split([]byte(text))
	if open {
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
	c := New(nil).newCheck(context.Background(), Source{Text: text})
	c.chunks, c.open = chunks, open
	if err := c.syntaxErrors(); err != nil {
		return "invalid", ""
	}
	return "complete", ""
}
