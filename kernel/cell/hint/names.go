package hint

import (
	"go/ast"
	"go/types"

	"github.com/holt-dl/holt/dl/words"
)

// What packages and the table of words have under a name.

// Named finds what a package exports under a name, however it is spelt.
func Named(names Names, pkg, name string) types.Object {
	for _, n := range exported(names, pkg) {
		if words.Fold(n) == words.Fold(name) {
			return object(names, pkg, n)
		}
	}
	return nil
}

// wordsOf is what the table says for a name of its own.
func wordsOf(name string, places ...string) string {
	w, _ := words.Find(name, places...)
	return w.Say("x", "")
}

// Method finds a method of tensors by its name, however it is spelt.
func Method(names Names, name string) *types.Func {
	obj := object(names, "dl", "Tensor")
	if obj == nil {
		return nil
	}
	for m := range types.NewMethodSet(types.NewPointer(obj.Type())).Methods() {
		if m.Obj().Exported() && words.Fold(m.Obj().Name()) == words.Fold(name) {
			return m.Obj().(*types.Func)
		}
	}
	return nil
}

// isSettings reports whether a type is a layer, a loss or an optimizer.
func isSettings(t types.Type) bool {
	for _, m := range []string{"Forward", "Terms", "For"} {
		if obj, _, _ := types.LookupFieldOrMethod(t, true, nil, m); obj != nil {
			return true
		}
	}
	return false
}

// object returns what a package exports, by the name that Guess knows.
func object(names Names, pkg, name string) types.Object {
	if p := names.Package(pkg); p != nil {
		return p.Scope().Lookup(name)
	}
	return nil
}

// calling finds the call of a function by its text in path.
func calling(f *File, path []ast.Node, name string) *ast.CallExpr {
	for _, n := range path {
		if call, ok := n.(*ast.CallExpr); ok && f.Text(call.Fun) == name {
			return call
		}
	}
	return nil
}
