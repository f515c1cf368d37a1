package hint

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// hiding explains an error at a variable that has the name of something else.
//
//	time := time.Now()
//	time.Sleep(1)   →   ; time is a variable here, which hides package time: give it another name
//
// In a notebook this happens more than in files, since a variable lives for all later cells.
// Then the answer says how to be rid of it:
//
//	; time is a variable since cell[3], which hides package time: import "time" or %rm time makes it
//	the package again
//
// path and msg are those of the error.
func (f *File) hiding(path []ast.Node, msg string) string {
	id, sel := namedAt(path)
	if first, _, ok := strings.Cut(msg, " "); ok && id == nil && strings.HasSuffix(msg, "is not a type") {
		id = &ast.Ident{Name: first} // a receiver, which is in no path
	}
	if id == nil {
		return ""
	}
	name := spell.Written(id.Name)
	obj := f.Info.Uses[id]
	if obj == nil { // as in the receiver of a method
		obj = f.Pkg.Scope().Lookup(id.Name)
	}
	// Only a variable hides; a field x.time is behind a dot and hides nothing.
	v, ok := obj.(*types.Var)
	if !ok || v.IsField() {
		return ""
	}
	what, again := "", ""
	switch {
	// x.sel, where the variable has no sel, and the package has: the package is meant.
	case sel != "" && strings.Contains(msg, " undefined (") && packageOf(f.Names, name, sel) != "":
		what, again = "package "+name, fmt.Sprintf("import %q or %%rm %s makes it the package again", packageOf(f.Names, name, sel), name)
	// x as a type, or called: it is the type, or the function of Go's own, that is meant.
	case sel == "" && strings.HasSuffix(msg, "is not a type"), sel == "" && strings.Contains(msg, "cannot call "):
		again = "%rm " + name + " makes it that again"
		switch {
		case f.Names.HidesType(name):
			what = "the type"
		case spell.OfGo(name):
			what = "Go's own " + name
		default:
			return ""
		}
	default:
		return ""
	}
	// A variable of a function or of this cell can be given another name; one of an earlier
	// cell can be removed.
	switch cell := f.Names.Cell(name); {
	case !spell.PackageLevel(v) || len(f.Names.Defined(name)) > 0:
		return fmt.Sprintf("; %s is a variable here, which hides %s: give it another name", name, what)
	case cell != "":
		return fmt.Sprintf("; %s is a variable since %s, which hides %s: %s", name, cell, what, again)
	}
	return ""
}

// namedAt returns the name in question at the end of path, and what is selected
// from it.
//
//	time.Sleep(1)   time, "Sleep"
//	len(xs)         len, ""
//	point{}         point, ""
//
// id is nil where the path ends in something else.
func namedAt(path []ast.Node) (id *ast.Ident, sel string) {
	if len(path) == 0 {
		return nil, ""
	}
	if s, ok := innermost[*ast.SelectorExpr](path); ok && (path[len(path)-1] == s.Sel || path[len(path)-1] == s.X) {
		id, _ = ast.Unparen(s.X).(*ast.Ident)
		return id, s.Sel.Name
	}
	id, _ = path[len(path)-1].(*ast.Ident)
	if call, ok := path[len(path)-1].(*ast.CallExpr); ok {
		id, _ = ast.Unparen(call.Fun).(*ast.Ident)
	}
	return id, ""
}

// packageOf returns the path of the package that a name would mean, were it not for
// the variable, when that package has what is selected.
//
// It is "" where the package lacks it: then the variable may be meant after all.
func packageOf(names Names, name, sel string) string {
	pkg := names.Package(name, sel)
	if pkg == nil || pkg.Scope().Lookup(sel) == nil || !token.IsExported(sel) {
		return ""
	}
	return pkg.Path()
}
