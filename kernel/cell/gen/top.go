package gen

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// A program that drops an error goes on as if there were none. A cell ends: an error that
// a call at the top level returns and no variable takes is the cell's error. The value of
// the last line is shown.
//
// A statement at the top level, with what f returns, and what becomes of it:
//
//	f()    err                  ˣrt.Err(f())
//	f()    v, err               ˣrt.Drop(f())
//	f()    v                    f()
//	f()    v, last line         ˣrt.Result(f())
//	f()    v, err, last line    ˣrt.ResultErr(f())
//	<-c    v, last line         ˣrt.Result(<-c)
//
// Errors that an assignment leaves out have been taken by the check, since Go refuses them:
// its text has calls of ours (ˣuse), which ident names. Functions of the cell are not
// touched: in them Go's rules hold.

// statements takes the errors that calls drop at the top level, also in its loops
// and branches, and the value of the last line.
//
// It runs before the walk of the tree, so that its calls stand around all that the walk
// writes at the same places. At the ends, the walk writes closing parentheses as well, and
// their order does not matter.
func (r *rewriter) statements() {
	body := r.f.AST.Decls[len(r.f.AST.Decls)-1].(*ast.FuncDecl).Body
	for _, st := range body.List {
		es, ok := st.(*ast.ExprStmt)
		if !ok {
			DroppedErrors(r.g.in.Info, st, func(es *ast.ExprStmt, _ *ast.CallExpr, n int) {
				if n == 1 {
					r.wrap(es, r.rt("Err"))
				} else {
					r.wrap(es, r.rt("Drop"))
				}
			})
			continue
		}
		call, ok := ast.Unparen(es.X).(*ast.CallExpr)
		start, _ := r.f.Span(st)
		if !ok {
			// Go takes a receive as a statement, so that the check leaves it as it is. Other
			// values on the last line are in a call of ours already.
			if u, isUnary := ast.Unparen(es.X).(*ast.UnaryExpr); isUnary && u.Op == token.ARROW && start == r.g.in.Shown() {
				r.wrap(es, r.rt("Result"))
			}
			continue
		}
		// Text of the check: ˣresult, ˣuse, ˣmark, ˣzero, ˣinit_N.
		if id, ok := call.Fun.(*ast.Ident); ok && spell.Ours(id.Name) {
			continue
		}
		// Println returns a count and an error, and a cell that ends with it has no value.
		if Prints(r.g.in.Info, call) {
			continue
		}
		// A lone error is never shown as the value: where it is nil, there is nothing to see.
		n, fails := Results(r.g.in.Info.Types[call])
		switch {
		case n == 0:
		case n == 1 && fails:
			r.wrap(es, r.rt("Err"))
		case fails && start == r.g.in.Shown():
			r.wrap(es, r.rt("ResultErr"))
		case fails:
			r.wrap(es, r.rt("Drop"))
		case start == r.g.in.Shown():
			r.wrap(es, r.rt("Result"))
		}
	}
}

// DroppedErrors calls visit with the calls inside of a statement, such as a loop,
// that drop an error, and the number of their results: an error in the middle of
// a loop is no less one. Functions inside of it, and the heads of statements, are
// Go's own business.
func DroppedErrors(info *types.Info, st ast.Stmt, visit func(es *ast.ExprStmt, call *ast.CallExpr, results int)) {
	inHead := map[ast.Stmt]bool{}
	ast.Inspect(st, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.IfStmt:
			inHead[n.Init] = true
		case *ast.ForStmt:
			inHead[n.Init], inHead[n.Post] = true, true
		case *ast.SwitchStmt:
			inHead[n.Init] = true
		case *ast.TypeSwitchStmt:
			inHead[n.Init] = true
		}
		es, ok := n.(*ast.ExprStmt)
		if !ok || inHead[es] {
			return true
		}
		call, ok := ast.Unparen(es.X).(*ast.CallExpr)
		if !ok || Prints(info, call) {
			return true
		}
		if id, ok := call.Fun.(*ast.Ident); ok && spell.Ours(id.Name) {
			return true
		}
		if n, fails := Results(info.Types[call]); fails {
			visit(es, call, n)
		}
		return true
	})
}

// wrap puts a call of fn around a statement that is an expression.
func (r *rewriter) wrap(st ast.Stmt, fn string) {
	s, e := r.f.Offsets(st)
	r.ed.Insert(s, fn+"(")
	r.ed.Insert(e, ")")
}

// Results counts a call's results, and reports whether the last is an error.
//
// A C function without a result returns a _Ctype_void to the checker, which counts as none.
func Results(tv types.TypeAndValue) (n int, fails bool) {
	if tv.IsVoid() || tv.Type == nil || spell.IsCVoid(tv.Type) {
		return 0, false
	}
	if t, ok := tv.Type.(*types.Tuple); ok {
		return t.Len(), t.Len() > 0 && spell.IsError(t.At(t.Len()-1).Type())
	}
	return 1, spell.IsError(tv.Type)
}

// Prints reports whether a call is one of fmt's printing functions, whose
// results are never looked at.
//
// It knows them by their object, whatever the cell calls the package; a method named Println
// of another type is none of them.
func Prints(info *types.Info, call *ast.CallExpr) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	fn, ok := info.Uses[sel.Sel].(*types.Func)
	return ok && fn.Pkg() != nil && fn.Pkg().Path() == "fmt" && fn.Signature().Recv() == nil &&
		(strings.HasPrefix(fn.Name(), "Print") || strings.HasPrefix(fn.Name(), "Fprint"))
}
