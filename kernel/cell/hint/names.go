package hint

import (
	"go/ast"
	"go/types"

	"github.com/holt-dl/holt/dl/words"
)

// What packages and the table of words have under a name.
//
// PyTorch's names and Holt's differ mostly in how they are spelt, as index_select and
// IndexSelect, or relu and ReLU. words.Fold takes capital letters and underscores away, and
// names are compared after that. So the table needs no lines for these.

// Named finds what a package exports under a name, however it is spelt.
//
//	Named(names, "dl", "conv2d") is the type dl.Conv2d
//
// It is nil where there is none. Of names that fold to the same, the first in alphabetical
// order is taken.
func Named(names Names, pkg, name string) types.Object {
	for _, n := range exported(names, pkg) {
		if words.Fold(n) == words.Fold(name) {
			return object(names, pkg, n)
		}
	}
	return nil
}

// wordsOf is what the table says for a name of its own.
// It is for answers about syntax, which have no receiver: x stands in its place. A name that
// is not in the table gives "". Variables of this package call it, so that the table is parsed when
// a program that has this package starts.
func wordsOf(name string, places ...string) string {
	w, _ := words.Find(name, places...)
	return w.Say("x", "")
}

// Method finds a method of tensors by its name, however it is spelt.
//
//	Method(names, "index_select") is (*dl.Tensor).IndexSelect
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
// Those are what dl calls settings: a struct whose fields are set and whose method does the
// work: Forward of a layer, Terms of a loss, For of an optimizer.
func isSettings(t types.Type) bool {
	for _, m := range []string{"Forward", "Terms", "For"} {
		if obj, _, _ := types.LookupFieldOrMethod(t, true, nil, m); obj != nil {
			return true
		}
	}
	return false
}

// object returns what a package exports, by the name that Guess knows.
// It is spelt exactly so; nil where the package or the name is not there.
func object(names Names, pkg, name string) types.Object {
	if p := names.Package(pkg); p != nil {
		return p.Scope().Lookup(name)
	}
	return nil
}

// calling finds the call of a function by its text in path.
// name is the text of what is called, such as torch.zeros. The outermost call of it is found;
// nil says that the name is not called at this place.
func calling(f *File, path []ast.Node, name string) *ast.CallExpr {
	for _, n := range path {
		if call, ok := n.(*ast.CallExpr); ok && f.Text(call.Fun) == name {
			return call
		}
	}
	return nil
}
