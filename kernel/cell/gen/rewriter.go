package gen

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

const (
	stopFlag  = "ˣstop" // a variable of every program's package; see rt.Watch
	stopCheck = "if " + stopFlag + " != 0 { ˣrt.Check() };"
)

// A rewriter turns one checked file into Go that stands in the cell's package.
type rewriter struct {
	g     *generator
	f     *syntax.File
	ed    *syntax.Editor
	use   map[string]string           // imports: name → path
	meant map[*ast.Ident]types.Object // what a name means, where the checker notes another
	skip  map[ast.Node]bool           // identifiers that another edit covers
	asPtr map[*ast.CompositeLit]bool  // literals that become pointers
	// asParam are literals of a type parameter.
	asParam map[*ast.CompositeLit]bool
}

func (r *rewriter) off(p token.Pos) int { return r.f.Offset(p) }

// rt names a function or variable of the cells' runtime.
func (r *rewriter) rt(name string) string {
	r.use["ˣrt"] = RuntimePath
	return "ˣrt." + name
}

// from returns the prefix under which the package of a program is named.
func (r *rewriter) from(home int) string {
	if home == r.g.in.Seq {
		return ""
	}
	alias := "ˣ" + strconv.Itoa(home)
	r.use[alias] = spell.PkgPath(home)
	return alias + "."
}

// start is where a node begins in the cell.
func (r *rewriter) start(n ast.Node) int {
	s, _ := r.f.Span(n)
	return s
}

// breaks returns the line breaks between two places, for text that replaces what
// stands there.
func (r *rewriter) breaks(from, to token.Pos) string {
	return strings.Repeat("\n", strings.Count(r.f.Body[r.off(from):r.off(to)], "\n"))
}

// callee is the full name of the function or method that is called, or empty.
func (r *rewriter) callee(call *ast.CallExpr) string {
	var id *ast.Ident
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.SelectorExpr:
		id = f.Sel
	case *ast.Ident: // by a dot import
		id = f
	default:
		return ""
	}
	fn, ok := r.g.in.Info.Uses[id].(*types.Func)
	if !ok || fn.Pkg() == nil {
		return ""
	}
	return fn.FullName()
}

// skipAll leaves the identifiers below a node to another edit.
func (r *rewriter) skipAll(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			r.skip[id] = true
		}
		return true
	})
}
