package spell

import (
	"go/types"
	"strings"
)

// IsOfC reports whether cmd/cgo made the name of a package-level object.
//
// In a package with C code stand the cell's declarations and those of the file that cmd/cgo
// makes: _Ctype_int for C.int, _Cfunc_puts for C.puts, what begins with _cgo, and
// runtime_throw, a function without a mark of its own. A name of a cell that begins with _C is
// taken for one of them.
func IsOfC(name string) bool {
	return strings.HasPrefix(name, "_C") || strings.HasPrefix(name, "_cgo") || strings.HasPrefix(name, "__cgo") || name == "runtime_throw"
}

// IsCType reports whether an object is a C type.
//
// Of what cmd/cgo declares, the types alone outlive their cell: a variable may have one.
func IsCType(obj types.Object) bool {
	_, ok := obj.(*types.TypeName)
	return ok && strings.HasPrefix(obj.Name(), "_Ctype_")
}

// IsCVoid reports whether t is what a C function without a result returns.
//
// cmd/cgo declares _Ctype_void, an array of no bytes, and has C.f() return one, so that
// _, err := C.f() can be written. As the value of a cell it would be nothing to look at.
func IsCVoid(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == "_Ctype_void" && FromNotebook(n)
}

// MentionsC reports whether a type is made of C types.
//
// A host process that starts anew has no such types: only the cell that has the C code can
// declare them again, and a variable of one is lost until it runs.
func MentionsC(t types.Type) (found bool) {
	NotebookTypes(t, func(obj *types.TypeName) { found = found || IsCType(obj) })
	return found
}
