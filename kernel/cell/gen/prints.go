package gen

import (
	"go/ast"
	"go/types"
)

// What a cell's text prints goes to the cell that its goroutine belongs to, also
// when that is over and another runs:
//
//	fmt.Println(x)               fmt.Fprintln(ˣrt.Stdout, x)
//	fmt.Fprintln(os.Stderr, x)   fmt.Fprintln(ˣrt.Stderr, x)
//	fmt.Println(f())             (func(ˣv ...any) … { return fmt.Fprintln(ˣrt.Stdout, ˣv...) })(f())
//
// The last is for an f with several results, beside which no argument can stand.
// The same holds for Print and Printf. What a package prints that the cell calls, or C,
// goes to the cell that runs.
//
// os.Stdout could not do this: it is a file, without a notion of who writes to it.

// print rewrites a call that prints.
//
// Only a call is rewritten: fmt.Println as a value stays, and prints to the cell that runs.
// Edits replace names and not the values, so that these keep their own edits.
func (r *rewriter) print(n *ast.CallExpr) {
	fun, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr)
	if !ok {
		return
	}
	switch name := r.callee(n); name {
	case "fmt.Print", "fmt.Printf", "fmt.Println":
		writes := map[string]string{"fmt.Print": "Fprint", "fmt.Printf": "Fprintf", "fmt.Println": "Fprintln"}[name]
		to := r.rt("Stdout")
		// Go passes the results of f() on where nothing stands beside them (spec, "Calls"), and
		// the writer would.
		if r.severalResults(n.Args) {
			params, args := "ˣv ...any", "ˣv..."
			if name == "fmt.Printf" {
				params, args = "ˣf string, "+params, "ˣf, "+args
			}
			r.ed.Insert(r.off(fun.Pos()), "(func("+params+") (int, error) { return ")
			r.ed.Replace(r.off(fun.Sel.Pos()), r.off(fun.Sel.End()), writes+"("+to+", "+args+") })")
			return
		}
		r.ed.Replace(r.off(fun.Sel.Pos()), r.off(fun.Sel.End()), writes)
		if len(n.Args) > 0 {
			to += ", "
		}
		r.ed.Insert(r.off(n.Lparen)+1, to)
	case "fmt.Fprint", "fmt.Fprintf", "fmt.Fprintln":
		// Fprint to anything else is the cell's own business, and so is an os.Stdout that went
		// into a variable.
		to, ok := ast.Unparen(n.Args[0]).(*ast.SelectorExpr)
		if !ok {
			return
		}
		v, ok := r.g.in.Info.Uses[to.Sel].(*types.Var)
		if !ok || v.Pkg() == nil || v.Pkg().Path() != "os" || v.Name() != "Stdout" && v.Name() != "Stderr" {
			return
		}
		r.ed.Replace(r.off(to.Pos()), r.off(to.End()), r.rt(v.Name())+r.breaks(to.Pos(), to.End()))
		r.skipAll(to)
	}
}

// severalResults reports whether the arguments of a call are the results of
// another one.
func (r *rewriter) severalResults(args []ast.Expr) bool {
	if len(args) != 1 {
		return false
	}
	results, ok := r.g.in.Info.TypeOf(args[0]).(*types.Tuple)
	return ok && results.Len() > 1
}
