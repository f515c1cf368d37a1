package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// Calls inside of a statement. display.Graph(dl.Build(net, shape)) is no Go, since Build
// returns an error beside the model. At a cell's top level the error ends the cell, as it
// does where the call is the whole right side of an assignment:
//
//	display.Graph(dl.Build(net, shape))    becomes    display.Graph(ˣmust1(dl.Build(net, shape)))
//
// Only what Go refuses is changed. fmt.Println(os.ReadFile("x")) prints both results, as
// in any program, and in a function nothing is taken.
//
// The rule behind it is that of calls (spec, Calls): f(g()) hands all results of g to f where
// g is the only argument and f takes as many; everywhere else a call stands for one value.

// takeInner finds the calls inside of statements whose error is to be taken, and reports
// whether there are new ones. Inside of a call that go/types did not understand, there may
// be others, which the next pass finds.
func (c *checker) takeInner(p *passed, f *syntax.File, body *ast.BlockStmt) bool {
	found := false
	ast.PreorderStack(body, nil, func(n ast.Node, stack []ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			results, ok := p.info.Types[n].Type.(*types.Tuple)
			if !ok { // one result, or a call that go/types did not understand
				break
			}
			values := p.wanted(n, stack, body)
			if values == 0 || values > 2 || results.Len() != values+1 || !spell.IsError(results.At(values).Type()) {
				break
			}
			in := InnerCall{Values: values}
			in.Start, in.End = f.Span(n)
			if !slices.Contains(c.Inner, in) {
				c.Inner = append(c.Inner, in)
				found = true
			}
		}
		return true
	})
	return found
}

// wanted counts the values that what is around a call takes of it. It is 0 where all
// results are taken, where Go decides alone, and where takeErrors or takeNested does it. Stack
// holds the nodes around the call, the outermost first, and body is the cell's top level.
//
//	f()                       0  the results are dropped
//	x := f()                  0  takeErrors
//	x[0], y = f()             0  takeErrors
//	for … { x = f() }         1  an assignment in a loop
//	x, y := f(), g()          1
//	if v := f(); v > 0 { }    1
//	f() + 1, g(f(), 2)        1
//	fmt.Println(f())          0  it takes them all
func (p *passed) wanted(call *ast.CallExpr, stack []ast.Node, body *ast.BlockStmt) int {
	var x ast.Expr = call
	for { // (f()) stands for what f() does
		paren, ok := stack[len(stack)-1].(*ast.ParenExpr)
		if !ok {
			break
		}
		x, stack = paren, stack[:len(stack)-1]
	}
	switch parent := stack[len(stack)-1].(type) {
	case *ast.ExprStmt, *ast.GoStmt, *ast.DeferStmt, *ast.ReturnStmt:
		return 0
	case *ast.AssignStmt:
		define := parent.Tok == token.DEFINE
		switch {
		// One of several values, something on the left, or x += f().
		case len(parent.Rhs) > 1 || parent.Rhs[0] != x || !define && parent.Tok != token.ASSIGN:
			return 1
		case slices.Contains(body.List, ast.Stmt(parent)), define && isList(stack[len(stack)-2]):
			return 0
		}
		return len(parent.Lhs)
	case *ast.ValueSpec:
		switch {
		case len(parent.Values) > 1:
			return 1
		case parent.Type == nil && slices.Contains(body.List, stack[len(stack)-3].(ast.Stmt)):
			return 0
		}
		return len(parent.Names)
	case *ast.CallExpr:
		// f(x) as the function that is called, as in f(x)(y), is none of its arguments.
		if len(parent.Args) == 1 && parent.Args[0] == x && !p.wantsOne(parent) {
			return 0
		}
	}
	return 1
}

// isList reports whether a node is a list of statements.
func isList(n ast.Node) bool {
	switch n.(type) {
	case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
		return true
	}
	return false
}

// wantsOne reports whether a call cannot take the results of its only argument, a call
// that returns a value and an error, as its arguments, and could take the value. In doubt it
// is false: then Go's own error is shown.
func (p *passed) wantsOne(call *ast.CallExpr) bool {
	fun := p.info.Types[call.Fun]
	if call.Ellipsis.IsValid() || fun.IsType() { // f(g()...), and a conversion
		return true
	}
	if fun.IsBuiltin() { // those that take one argument
		id, ok := ast.Unparen(call.Fun).(*ast.Ident)
		return ok && slices.Contains([]string{"len", "cap", "panic", "close", "clear", "new", "real", "imag"}, id.Name)
	}
	sig, ok := fun.Type.(*types.Signature)
	if !ok && fun.Type != nil {
		sig, ok = fun.Type.Underlying().(*types.Signature)
	}
	if !ok {
		return false
	}
	n := sig.Params().Len()
	if !sig.Variadic() { // of two parameters, both results are handed over
		return n == 1
	}
	// Variadic: with more than two parameters even value and error together are too few.
	if n > 2 || p.inferred(call.Fun) {
		return false
	}
	list, ok := sig.Params().At(n - 1).Type().(*types.Slice)
	if !ok { // append([]byte, string...)
		return false
	}
	if sig.TypeParams().Len() > 0 {
		return true // and yet nothing was inferred
	}
	// What comes in the place of ...T must be assignable to T, the error too: a func(...int)
	// cannot take it, and fmt.Println can.
	results := p.info.Types[call.Args[0]].Type.(*types.Tuple)
	for i := n - 1; i < 2; i++ {
		if !types.AssignableTo(results.At(i).Type(), list.Elem()) {
			return true
		}
	}
	return false
}

// inferred reports whether the types of a generic function were found, so that the call
// is one that Go takes.
func (p *passed) inferred(fun ast.Expr) bool {
	var id *ast.Ident
	switch fun := ast.Unparen(fun).(type) {
	case *ast.Ident:
		id = fun
	case *ast.SelectorExpr:
		id = fun.Sel
	default:
		return false
	}
	_, ok := p.info.Instances[id] // go/types records what it inferred by the name that is called
	return ok
}

// editInner puts our calls around those whose errors are taken.
func (c *checker) editInner(ed *syntax.Editor) {
	for _, in := range c.Inner {
		ed.Insert(in.Start, spell.Must(in.Values)+"(")
		ed.Insert(in.End, ")")
	}
}

// mustFunc is the function that the checker sees around such a call:
// func ˣmust[T1, …, Tn any](T1, …, Tn, error) (T1, …, Tn). It is generic so that its results
// have the types of the call's. Generated code calls rt.Must and rt.Must2 in its place.
func mustFunc(pkg *types.Package, values int) *types.Func {
	var params []*types.TypeParam
	var vars []*types.Var
	for range values {
		t := types.NewTypeParam(types.NewTypeName(0, pkg, "T", nil), types.Universe.Lookup("any").Type())
		params = append(params, t)
		vars = append(vars, types.NewVar(0, pkg, "", t))
	}
	err := types.NewVar(0, pkg, "", types.Universe.Lookup("error").Type())
	return types.NewFunc(0, pkg, spell.Must(values), types.NewSignatureType(nil, nil, params,
		types.NewTuple(append(slices.Clone(vars), err)...), types.NewTuple(vars...), false))
}
