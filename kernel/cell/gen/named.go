package gen

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// A function knows the types of its parameters while it runs, and not their names, which
// display.Interact writes beside the controls. They are given to it with the function:
//
//	display.Interact(f)    display.Interact(display.Func{Of: f, Names: []string{"lr", "k"}})

const displayPath = "github.com/holt-dl/holt/display"

// ParamNames returns the function that a call of display.Interact is given, and the names of
// its parameters; nil for other calls, and where they have none.
//
// It is exported for the listing of a cell, from which holt export writes the same.
func ParamNames(info *types.Info, call *ast.CallExpr) (fn ast.Expr, names []string) {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 {
		return nil, nil
	}
	if obj, ok := info.Uses[sel.Sel].(*types.Func); !ok || obj.FullName() != displayPath+".Interact" {
		return nil, nil
	}
	t := info.TypeOf(call.Args[0])
	if t == nil {
		return nil, nil
	}
	sig, ok := t.Underlying().(*types.Signature)
	if !ok {
		return nil, nil
	}
	named := false
	for v := range sig.Params().Variables() {
		names = append(names, v.Name())
		named = named || v.Name() != ""
	}
	if !named {
		return nil, nil
	}
	return call.Args[0], names
}

// WithNames is what stands around such a function; pkg is the name of package display.
func WithNames(pkg string, names []string) (before, after string) {
	return pkg + ".Func{Of: ", fmt.Sprintf(", Names: []string{\"%s\"}}", strings.Join(names, `", "`))
}

// named writes what stands before a function that display.Interact is given. The package has
// a name of ours, since the cell may import it under any.
func (r *rewriter) named(n *ast.CallExpr) {
	if fn, names := ParamNames(r.g.in.Info, n); fn != nil {
		r.use["ˣdisplay"] = displayPath
		before, _ := WithNames("ˣdisplay", names)
		r.ed.Insert(r.off(fn.Pos()), before)
	}
}

// namedEnd writes what stands behind it. The text of the function keeps its own edits.
func (r *rewriter) namedEnd(n *ast.CallExpr) {
	if fn, names := ParamNames(r.g.in.Info, n); fn != nil {
		_, after := WithNames("ˣdisplay", names)
		r.ed.Insert(r.off(fn.End()), after)
	}
}
