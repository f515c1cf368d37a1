package syntax

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
)

// The functions of this file return shallow copies. A tree is kept and used by each pass over
// the same text, so that a change of it would be seen by the next pass. A copy shares every
// node but those on the way to the change, and positions stay good for messages.

// An Imported package is one that a file imports under a name; "." and, for "C", no
// name stand for what they do in Go.
// It is for imports that the cell did not write: a name such as strings that is used without
// one, or the package of an earlier cell.
type Imported struct{ Name, Path string }

// WithImports is a file that imports packages before all else.
//
//	import "strings"         put in by this
//	func f() { strings.ToUpper("a") }
//
// They come first because Go wants imports before other declarations. The tree is changed and
// not the text, so that no offset moves. Without imports f itself is returned.
func WithImports(f *ast.File, list []Imported) *ast.File {
	if len(list) == 0 {
		return f
	}
	g := *f
	g.Decls, g.Imports = nil, slices.Clone(f.Imports)
	// All are placed in the package clause, which is ours: an error there is none of the
	// cell's text.
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
// The first pass takes it, which finds the types of what the cell's statements define: they
// follow from the signatures of functions, and bodies may use the very variables.
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
//
//	func ˣrun() { x := 1 }   →   func ˣrun() { x := 1; _ = x }
//
// The specification lets a compiler refuse a variable that a function does not use, and
// go/types does. But a variable of a cell's top level is one of the notebook, for the cells
// after it.
func WithUses(f *ast.File, names []string) *ast.File {
	if len(names) == 0 {
		return f
	}
	g := *f
	g.Decls = slices.Clone(f.Decls)
	// The statements are the body of the last function, which the parser put around them. Each
	// node on the way down to its list is copied.
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
// Such a file goes through cmd/cgo, together with its cell's C code.
func ImportsC(f *ast.File) bool {
	return slices.ContainsFunc(f.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == `"C"` })
}
