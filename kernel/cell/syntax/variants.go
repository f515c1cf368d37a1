package syntax

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
)

// An Imported package is one that a file imports under a name; "." and, for "C", no
// name stand for what they do in Go.
type Imported struct{ Name, Path string }

// WithImports is a file that imports packages before all else.
func WithImports(f *ast.File, list []Imported) *ast.File {
	if len(list) == 0 {
		return f
	}
	g := *f
	g.Decls, g.Imports = nil, slices.Clone(f.Imports)
	pos := f.Name.End()
	for _, im := range list {
		spec := &ast.ImportSpec{Path: &ast.BasicLit{ValuePos: pos, Kind: token.STRING, Value: strconv.Quote(im.Path)}}
		if im.Name != "" {
			spec.Name = &ast.Ident{NamePos: pos, Name: im.Name}
		}
		g.Imports = append(g.Imports, spec)
		g.Decls = append(g.Decls, &ast.GenDecl{TokPos: pos, Tok: token.IMPORT, Specs: []ast.Spec{spec}})
	}
	g.Decls = append(g.Decls, f.Decls...)
	return &g
}

// WithoutBodies is a file whose functions have no bodies.
func WithoutBodies(f *ast.File) *ast.File {
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

// WithUses is a file of statements that uses variables at its end, so that the checker
// does not ask for a use within the cell.
func WithUses(f *ast.File, names []string) *ast.File {
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

// ImportsC reports whether a parsed file uses C.
func ImportsC(f *ast.File) bool {
	return slices.ContainsFunc(f.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == `"C"` })
}
