package cell

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// A check looks at the same text many times: to find what the cell declares, which
// packages it names, and in each pass of go/types. Text is parsed once. Passes share
// the tree, so that what a pass wants to have otherwise, it has in a copy: see
// withImports, withoutBodies and using.

// packageClause begins every file that is checked.
const packageClause = "package notebook;"

// A tree is a text as the parser has it.
type tree struct {
	ast *ast.File // nil where the parser made nothing of it
	tok *token.File
	err error
}

// tree parses a file of the checked package, or returns what it made of the same
// text before.
func (c *check) tree(name, text string) tree {
	key := name + "\x00" + text
	t, ok := c.trees[key]
	if ok {
		return t
	}
	if strings.TrimSpace(text) == packageClause {
		t = c.emptyTree(name, text)
	} else {
		c.parses++
		// SkipObjectResolution is off: findImports reads File.Unresolved.
		t.ast, t.err = parser.ParseFile(c.nb.fset, name, text, parser.ParseComments)
		if t.ast != nil {
			t.tok = c.nb.fset.File(t.ast.FileStart)
		}
	}
	c.trees[key] = t
	return t
}

// alone parses text that is not checked in this form, such as one declaration, for
// what stands where in it. The function returns the offset of a place.
func (c *check) alone(text string) (*ast.File, func(token.Pos) int, error) {
	t := c.tree("", packageClause+text)
	return t.ast, func(pos token.Pos) int { return t.tok.Offset(pos) - len(packageClause) }, t.err
}

// emptyTree is the tree of a file without declarations.
func (c *check) emptyTree(name, text string) tree {
	tok := c.nb.fset.AddFile(name, -1, len(text))
	tok.SetLinesForContent([]byte(text))
	start := tok.Pos(0)
	return tree{tok: tok, ast: &ast.File{
		Package: start, FileStart: start, FileEnd: tok.Pos(len(text)), Scope: ast.NewScope(nil),
		Name: &ast.Ident{NamePos: tok.Pos(len("package ")), Name: spell.Path},
	}}
}

// An imported package is one that a file imports under a name; "." and, for "C", no
// name stand for what they do in Go.
type imported struct{ name, path string }

// withImports is a file that imports packages before all else.
func withImports(f *ast.File, list []imported) *ast.File {
	if len(list) == 0 {
		return f
	}
	g := *f
	g.Decls, g.Imports = nil, slices.Clone(f.Imports)
	pos := f.Name.End()
	for _, im := range list {
		spec := &ast.ImportSpec{Path: &ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: strconv.Quote(im.path)}}
		if im.name != "" {
			spec.Name = &ast.Ident{NamePos: pos, Name: im.name}
		}
		g.Imports = append(g.Imports, spec)
		g.Decls = append(g.Decls, &ast.GenDecl{TokPos: pos, Tok: token.IMPORT, Specs: []ast.Spec{spec}})
	}
	g.Decls = append(g.Decls, f.Decls...)
	return &g
}

// withoutBodies is a file whose functions have no bodies.
func withoutBodies(f *ast.File) *ast.File {
	g := *f
	g.Decls = slices.Clone(f.Decls)
	for i, d := range g.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			bare := *fn
			bare.Body = nil
			g.Decls[i] = &bare
		}
	}
	return &g
}

// using is a file of statements that uses variables at its end, so that the checker
// does not ask for a use within the cell.
func using(f *ast.File, names []string) *ast.File {
	if len(names) == 0 {
		return f
	}
	g := *f
	g.Decls = slices.Clone(f.Decls)
	last := len(g.Decls) - 1
	fn := *g.Decls[last].(*ast.FuncDecl)
	body := *fn.Body
	body.List = slices.Clone(body.List)
	for _, name := range names {
		body.List = append(body.List, &ast.AssignStmt{
			Lhs: []ast.Expr{&ast.Ident{NamePos: body.Rbrace, Name: "_"}}, TokPos: body.Rbrace, Tok: token.ASSIGN,
			Rhs: []ast.Expr{&ast.Ident{NamePos: body.Rbrace, Name: name}},
		})
	}
	fn.Body = &body
	g.Decls[last] = &fn
	return &g
}
