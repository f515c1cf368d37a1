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

// The check that stands at the entry of functions and loops. It is a load and a branch that
// is not taken; the call behind it finds out whether the goroutine belongs to an
// execution that was interrupted.
const (
	stopFlag  = "ˣstop" // a variable of every program's package; see rt.Watch
	stopCheck = "if " + stopFlag + " != 0 { ˣrt.Check() };"
)

// A rewriter turns one checked file into Go that stands in the cell's package.
//
// Text is changed by edits, never by printing the tree: go/printer would move lines, and
// with them the places that traces and errors name. The edits that begin at one place apply
// in the order in which they were made, which is why the walk is one of pre and post (see
// rewrite): what is further out is written first on the left, and last on the right.
type rewriter struct {
	g         *generator
	f         *syntax.File
	ed        *syntax.Editor              // of the file's body
	use       map[string]string           // imports: name → path
	meant     map[*ast.Ident]types.Object // what a name means, where the checker notes another
	skip      map[ast.Node]bool           // identifiers that another edit covers
	asPtr     map[*ast.CompositeLit]bool  // literals that become pointers
	hoisted   map[*ast.CompositeLit]bool  // literals before whose function recover is called
	recovered map[*ast.CallExpr]string    // the calls of recover in these: what is written for each
	// asParam are literals of a type parameter, which a conversion makes of its core type.
	asParam map[*ast.CompositeLit]bool
}

// off is the offset in the body, which the edits count by, of a place in the tree.
func (r *rewriter) off(p token.Pos) int { return r.f.Offset(p) }

// rt names a function or variable of the cells' runtime.
func (r *rewriter) rt(name string) string {
	r.use["ˣrt"] = RuntimePath
	return "ˣrt." + name
}

// from returns the prefix under which the package of a program is named.
//
// It is empty for this program, and else the alias ˣ7. of program 7, which the file then
// imports.
func (r *rewriter) from(home int) string {
	if home == r.g.in.Seq {
		return ""
	}
	alias := "ˣ" + strconv.Itoa(home)
	r.use[alias] = spell.PkgPath(home)
	return alias + "."
}

// start is where a node begins in the cell.
//
// It counts in the cell's own text, not in the body that is edited.
func (r *rewriter) start(n ast.Node) int {
	s, _ := r.f.Span(n)
	return s
}

// breaks returns the line breaks between two places, for text that replaces what
// stands there.
//
// An edit that takes away a line break would move all lines below it up.
func (r *rewriter) breaks(from, to token.Pos) string {
	return strings.Repeat("\n", strings.Count(r.f.Body[r.off(from):r.off(to)], "\n"))
}

// callee is the full name of the function or method that is called, or empty.
//
// It is as [types.Func.FullName] writes it, "time.Sleep" or "(*sync.WaitGroup).Wait", and so
// says what is called under whatever name the cell imports the package. A conversion, a
// builtin, and a function in a variable have none.
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
//
// It is for text that is replaced as a whole. Edits inside a replaced range are dropped, but
// a package whose name was seen there would be imported without a use, which Go refuses.
func (r *rewriter) skipAll(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			r.skip[id] = true
		}
		return true
	})
}
