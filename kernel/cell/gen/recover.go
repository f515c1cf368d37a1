package gen

import (
	"go/ast"
	"go/types"
)

// Go's recover ends a panic where the deferred function itself calls it (spec, "Handling
// panics"), so that its calls have to stay in the function in which the person wrote them: also
// where a literal, or the body of a loop, becomes a function of its own.

// recovers passes on what recover returns, whose text may name a method.
//
// An unexported method of the notebook has another name in the generated code, and the
// runtime's error for a failed assertion would have that one: "missing method Ħarea". The
// call of recover stays in the deferred function's own body, as the language wants it: it is
// an argument.
func (r *rewriter) recovers(n, parent ast.Node) {
	call, ok := n.(*ast.CallExpr)
	if !ok || !r.isRecover(call) {
		return
	}
	if text := r.recovered[call]; text != "" {
		start, end := r.f.Offsets(call)
		r.ed.Replace(start, end, text)
		return
	}
	switch parent.(type) {
	case *ast.ExprStmt, *ast.DeferStmt, *ast.GoStmt: // its value is not used, and a defer must call it
		return
	}
	r.ed.Insert(r.off(call.Pos()), r.rt("Recovered")+"(")
	r.ed.Insert(r.off(call.End()), ")")
}

// hoistRecover finds the calls of recover in a literal that becomes a function, where recover
// would find nothing, and reports whether there are any. The function that the person wrote calls
// it in their place, and hands over what it returns:
//
//	problem{what: recover()}
//	func(ˣrecovered any) ˣ3.Ħproblem { …; *ˣ3.ĦˣF_Ħˣs0ˣ_what((&ˣv)) = ˣrecovered; return ˣv }(ˣrt.Recovered(recover()))
//
// A second call finds nothing in Go either. Literals inside of this one have their calls taken
// out with it.
func (r *rewriter) hoistRecover(lit *ast.CompositeLit) bool {
	ast.Inspect(lit, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && r.isRecover(call) && r.recovered[call] == "" {
			r.recovered[call] = "ˣrecovered"
			if r.hoisted[lit] {
				r.recovered[call] = "any(nil)"
			}
			r.hoisted[lit] = true
		}
		_, isFunc := n.(*ast.FuncLit)
		return !isFunc
	})
	return r.hoisted[lit]
}

// callsRecover reports whether a node calls recover, not in a function inside of it.
func (r *rewriter) callsRecover(n ast.Node) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		found = found || ok && r.isRecover(call)
		_, isFunc := n.(*ast.FuncLit)
		return !isFunc
	})
	return found
}

// isRecover reports whether a call is of Go's recover.
func (r *rewriter) isRecover(call *ast.CallExpr) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	b, builtin := r.g.in.Info.Uses[id].(*types.Builtin)
	return ok && builtin && b.Name() == "recover"
}
